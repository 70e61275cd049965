#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"

namespace kura::testing {
namespace {

// The smallest loop: what is posted runs when the test says so.
class HandLoop : public Loop, private Timer, private Clock {
 public:
  void post(Callback fn) override { posted_.push_back(std::move(fn)); }
  void at_turn_end(Callback fn) override { posted_.push_back(std::move(fn)); }
  Timer& timer() override { return *this; }
  Clock& clock() override { return *this; }
  bool run_one() {
    if (posted_.empty()) return false;
    Running running(this);
    Callback fn = std::move(posted_.front());
    posted_.pop_front();
    fn();
    return true;
  }
  void run() {
    while (run_one()) {
    }
  }

 private:
  Id after(int64_t, Callback fn) override {
    post(std::move(fn));
    return ++last_id_;
  }
  void cancel(Id) override {}
  int64_t wall_ms() const override { return 0; }
  int64_t monotonic_ns() const override { return 0; }

  std::deque<Callback> posted_;
  Id last_id_ = 0;
};

struct Probe {
  explicit Probe(int* alive) : alive_(alive) { ++*alive_; }
  Probe(Probe&& other) noexcept : alive_(other.alive_) { ++*alive_; }
  Probe(const Probe&) = delete;
  ~Probe() { --*alive_; }
  int* alive_;
};

Task<int> depth(int n) {
  if (n == 0) co_return 0;
  int below = co_await depth(n - 1);
  co_return below + 1;
}

Task<void> store_depth(int n, int* out) { *out = co_await depth(n); }

TEST(Task, NestsDeeply) {
  HandLoop loop;
  int reached = 0;
  spawn(loop, store_depth(2000, &reached));
  EXPECT_EQ(reached, 0) << "a spawned task starts on its loop";
  loop.run();
  EXPECT_EQ(reached, 2000);
  EXPECT_EQ(spawned_tasks(loop), 0u);
}

Task<int> ready(int n) { co_return n; }

Task<void> sum_of(int rounds, int64_t* sum) {
  for (int i = 0; i < rounds; ++i) *sum += co_await ready(i);
}

// In every build, sanitizers included.
TEST(Task, ManyInARowUseNoStack) {
  HandLoop loop;
  int64_t sum = 0;
  spawn(loop, sum_of(1'000'000, &sum));
  loop.run();
  EXPECT_EQ(sum, 499'999'500'000);
}

Task<std::unique_ptr<std::string>> make_text() { co_return std::make_unique<std::string>("text"); }

Task<void> move_text(std::string* out) {
  std::unique_ptr<std::string> text = co_await make_text();
  *out = *text;
}

TEST(Task, ReturnsWhatOnlyMoves) {
  HandLoop loop;
  std::string text;
  spawn(loop, move_text(&text));
  loop.run();
  EXPECT_EQ(text, "text");
}

TEST(Task, IsLazyAndFreesItsFrame) {
  int alive = 0;
  {
    Probe probe(&alive);
    auto coroutine = [](Probe) -> Task<void> { co_return; };
    Task<void> task = coroutine(std::move(probe));
    EXPECT_EQ(alive, 2);
    Task<void> other = std::move(task);
    task = std::move(other);
    EXPECT_EQ(alive, 2);
  }
  EXPECT_EQ(alive, 0);
}

Task<void> wait_for(std::optional<Resolver<std::string>>* resolver, std::string* out) {
  *out = co_await suspend<std::string>(
      [resolver](Resolver<std::string> resolve) { *resolver = resolve; });
}

TEST(Suspend, GoesOnWithTheValueAndOnTheLoop) {
  HandLoop loop;
  std::optional<Resolver<std::string>> resolver;
  std::string out;
  spawn(loop, wait_for(&resolver, &out));
  loop.run();
  ASSERT_TRUE(resolver);
  EXPECT_EQ(spawned_tasks(loop), 1u);
  (*resolver)("value");
  EXPECT_EQ(out, "") << "it continues on its loop, not inside the resolver";
  loop.run();
  EXPECT_EQ(out, "value");
  EXPECT_EQ(spawned_tasks(loop), 0u);
}

Task<void> resolved_at_once(std::string* out) {
  for (int i = 0; i < 100'000; ++i)
    *out = co_await suspend<std::string>([](Resolver<std::string> resolve) { resolve("now"); });
}

TEST(Suspend, MayBeResolvedBeforeItSuspends) {
  HandLoop loop;
  std::string out;
  spawn(loop, resolved_at_once(&out));
  loop.run();
  EXPECT_EQ(out, "now");
}

TEST(Suspend, ResumeNowContinuesInPlace) {
  HandLoop loop;
  std::optional<Resolver<std::string>> resolver;
  std::string out;
  spawn(loop, wait_for(&resolver, &out));
  loop.run();
  loop.post([&] {
    resolver->resume_now("value");
    EXPECT_EQ(out, "value");
  });
  loop.run();
  EXPECT_EQ(out, "value");
}

Task<int> check_loop(Loop* expected, int* alive, int value) {
  Probe probe(alive);
  EXPECT_EQ(Loop::current(), expected);
  co_await sleep_for(1);
  EXPECT_EQ(Loop::current(), expected);
  co_return value;
}

Task<void> visit(Loop* home, Loop* other, int* alive, int* out) {
  Task<int> there = check_loop(other, alive, 41);
  int value = co_await run_on(*other, std::move(there));
  EXPECT_EQ(Loop::current(), home);
  Task<int> here = check_loop(home, alive, 1);
  *out = value + co_await run_on(*home, std::move(here));
}

TEST(RunOn, MovesThereAndBack) {
  HandLoop home, other;
  int alive = 0, out = 0;
  spawn(home, visit(&home, &other, &alive, &out));
  for (bool worked = true; worked;) {
    bool first = home.run_one(), second = other.run_one();
    worked = first || second;
  }
  EXPECT_EQ(out, 42);
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(Loop::current(), nullptr);
}

Task<void> hold(int* alive, std::string* out) {
  Probe probe(alive);
  std::optional<Resolver<std::string>> never;
  co_await wait_for(&never, out);
}

TEST(Spawn, DestroyFreesEveryFrameWithoutRunningIt) {
  HandLoop loop, other;
  int alive = 0;
  std::string out;
  for (int i = 0; i < 5; ++i) spawn(loop, hold(&alive, &out));
  loop.run();
  EXPECT_EQ(alive, 5);
  spawn(loop, hold(&alive, &out));   // Never started.
  spawn(other, hold(&alive, &out));  // Another loop's stay.
  other.run();
  EXPECT_EQ(spawned_tasks(loop), 6u);
  destroy_spawned_tasks(loop);
  EXPECT_EQ(spawned_tasks(loop), 0u);
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(spawned_tasks(other), 1u);
  destroy_spawned_tasks(other);
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace kura::testing
