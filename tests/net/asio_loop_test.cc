#include "net/asio_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/block_on.h"
#include "net/kernel.h"
#include "tests/base/loop_contract.h"

namespace kura::testing {
namespace {

struct AsioSubject : LoopSubject {
  AsioSubject() : asio(clock) { asio.start("test"); }
  Loop& loop() override { return asio; }
  void run(Task<void> task) override { block_on(asio, std::move(task)); }
  SystemClock clock;
  AsioLoop asio;
};

INSTANTIATE_TEST_SUITE_P(Asio, LoopContract, ::testing::Values([] {
                           return std::unique_ptr<LoopSubject>(new AsioSubject);
                         }));

TEST(AsioLoop, NothingPostedFromOtherThreadsIsLost) {
  SystemClock clock;
  AsioLoop loop(clock);
  loop.start("target");
  constexpr int kThreads = 4, kEach = 20'000;
  std::atomic<int> ran{0}, wrong_order{0};
  std::vector<int> last(kThreads, -1);  // On the loop only.
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i)
        loop.post([&, t, i] {
          if (last[t] != i - 1) ++wrong_order;
          last[t] = i;
          ++ran;
        });
    });
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < 10'000 && ran < kThreads * kEach; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(ran, kThreads * kEach);
  EXPECT_EQ(wrong_order, 0);
}

Task<int> add_on(Loop& expected, int a, int b) {
  EXPECT_TRUE(expected.is_current());
  co_await sleep_for(1000);
  EXPECT_TRUE(expected.is_current());
  co_return a + b;
}

Task<int> cross(Loop& home, Loop& other, int rounds) {
  int sum = 0;
  for (int i = 0; i < rounds; ++i) {
    Task<int> there = add_on(other, i, 1);
    sum += co_await run_on(other, std::move(there));
    EXPECT_TRUE(home.is_current());
    Task<int> here = add_on(home, 0, 1);
    sum += co_await run_on(home, std::move(here));
  }
  co_return sum;
}

TEST(AsioLoop, RunOnMovesThereAndBack) {
  SystemClock clock;
  AsioLoop one(clock), two(clock);
  one.start("one");
  two.start("two");
  EXPECT_EQ(block_on(one, cross(one, two, 100)), 5050 + 100);
  one.stop();
  two.stop();
}

Task<uint64_t> resolved_elsewhere(int rounds) {
  uint64_t sum = 0;
  for (int i = 0; i < rounds; ++i) {
    std::thread helper;
    sum += co_await suspend<uint64_t>([&](Resolver<uint64_t> resolve) {
      helper = std::thread([resolve, i] { resolve(static_cast<uint64_t>(i)); });
    });
    helper.join();
  }
  co_return sum;
}

TEST(AsioLoop, OtherThreadsResumeATask) {
  SystemClock clock;
  AsioLoop loop(clock);
  loop.start("loop");
  EXPECT_EQ(block_on(loop, resolved_elsewhere(500)), 499u * 500 / 2);
}

struct Guard {
  std::atomic<int>* alive;
  explicit Guard(std::atomic<int>* a) : alive(a) { ++*alive; }
  Guard(const Guard&) = delete;
  ~Guard() { --*alive; }
};

Task<void> inner_forever(std::atomic<int>* alive) {
  Guard guard(alive);
  co_await suspend<Done>([](Resolver<Done>) {});
}

Task<void> wait_forever(std::atomic<int>* alive) {
  Guard guard(alive);
  co_await inner_forever(alive);
}

TEST(AsioLoop, DestroysTheTasksThatNeverEnded) {
  SystemClock clock;
  std::atomic<int> alive{0};
  {
    AsioLoop loop(clock);
    for (int i = 0; i < 10; ++i) spawn(loop, wait_forever(&alive));
    spawn(loop, sleep_for(3600ll * 1'000'000'000));
    loop.start("loop");
    for (int i = 0; i < 5000 && alive < 20; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(alive, 20);
    EXPECT_EQ(spawned_tasks(loop), 11u);
  }
  EXPECT_EQ(alive, 0);
}

TEST(AsioLoop, NeverStartedFreesItsTasks) {
  SystemClock clock;
  std::atomic<int> alive{0};
  AsioLoop loop(clock);
  spawn(loop, wait_forever(&alive));
  EXPECT_EQ(spawned_tasks(loop), 1u);
}

TEST(SystemClock, Advances) {
  SystemClock clock;
  int64_t before_ns = clock.monotonic_ns();
  EXPECT_GT(clock.wall_ms(), 1'700'000'000'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_GE(clock.monotonic_ns() - before_ns, 2'000'000);
}

TEST(KernelRandom, FillsEveryByte) {
  KernelRandom random;
  std::array<uint8_t, 1000> seen{};
  for (int round = 0; round < 20; ++round) {
    std::array<uint8_t, 1000> bytes{};
    random.fill(bytes);
    for (size_t i = 0; i < bytes.size(); ++i) seen[i] |= bytes[i];
  }
  for (uint8_t b : seen) EXPECT_NE(b, 0);
}

}  // namespace
}  // namespace kura::testing
