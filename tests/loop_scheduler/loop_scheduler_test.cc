#include "actors/loop_scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "actors/loop_scheduler_spawn.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"

namespace kura::testing {
namespace {

using caf::replies_to;
using add_atom = caf::atom_constant<caf::atom("add")>;
using get_atom = caf::atom_constant<caf::atom("get")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;

using Counter =
    caf::typed_actor<caf::reacts_to<add_atom, int64_t>, replies_to<get_atom>::with<int64_t>>;

// What all tests need: three loops, then the host, gone in the other order.
struct Fixture : ::testing::Test {
  Fixture() : a(clock), b(clock), c(clock), host(std::make_unique<ActorHost>(a)) {}
  ~Fixture() override { stop(); }
  void start() {
    a.start("a");
    b.start("b");
    c.start("c");
  }
  void stop() {
    a.stop();
    b.stop();
    c.stop();
    host.reset();
  }
  template <class Predicate>
  static bool within_seconds(int seconds, Predicate predicate) {
    for (int i = 0; i < seconds * 1000 && !predicate(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return predicate();
  }
  SystemClock clock;
  AsioLoop a, b, c;
  std::unique_ptr<ActorHost> host;
};
using LoopScheduler = Fixture;

struct CounterState {
  static inline const char* name = "counter";
  int64_t sum = 0;
};

std::atomic<int> wrong_loop{0};
std::atomic<int64_t> total{0};

void expect_on(Loop* loop) {
  if (Loop::current() != loop) ++wrong_loop;
}

Counter::behavior_type counter(Counter::stateful_pointer<CounterState> self, Loop* loop) {
  expect_on(loop);
  return {
      [self, loop](add_atom, int64_t n) {
        expect_on(loop);
        self->state.sum += n;
        total += n;
      },
      [self, loop](get_atom) {
        expect_on(loop);
        return self->state.sum;
      },
  };
}

// Asks the other actors, so that messages and replies cross loops both ways.
using Asker = caf::typed_actor<caf::reacts_to<tick_atom, int64_t>>;
std::atomic<int64_t> answers{0};

Asker::behavior_type asker(Asker::pointer self, Loop* loop, Counter near, Counter far) {
  expect_on(loop);
  return {[self, loop, near, far](tick_atom, int64_t n) {
    expect_on(loop);
    for (const Counter& counter : {near, far}) {
      self->send(counter, add_atom::value, n);
      self->request(counter, caf::infinite, get_atom::value).then([loop](int64_t) {
        expect_on(loop);
        ++answers;
      });
    }
  }};
}

TEST_F(LoopScheduler, ActorsStayOnTheirLoopsAndLoseNothing) {
  wrong_loop = 0, total = 0, answers = 0;
  Counter on_a = spawn_on(*host, a, counter, static_cast<Loop*>(&a));
  Counter on_b = spawn_on<caf::lazy_init>(*host, b, counter, static_cast<Loop*>(&b));
  start();
  Counter on_c = spawn_on(*host, c, counter, static_cast<Loop*>(&c));
  std::vector<Asker> askers;
  for (Loop* loop : {static_cast<Loop*>(&a), static_cast<Loop*>(&b)})
    for (int i = 0; i < 4; ++i)
      askers.push_back(spawn_on(*host, *loop, asker, loop, i % 2 ? on_a : on_c, on_b));
  constexpr int kThreads = 3, kEach = 4000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        caf::anon_send(askers[static_cast<size_t>(i) % askers.size()], tick_atom::value,
                       int64_t{1});
        caf::anon_send(on_c, add_atom::value, int64_t{1});
      }
    });
  // A loop sends as well, from outside any actor.
  a.post([&] {
    for (int i = 0; i < kEach; ++i) caf::anon_send(on_b, add_atom::value, int64_t{1});
  });
  for (auto& thread : threads) thread.join();
  constexpr int64_t kTicks = kThreads * kEach;
  EXPECT_TRUE(
      within_seconds(60, [&] { return answers == 2 * kTicks && total == 3 * kTicks + kEach; }))
      << answers << " answers, total " << total;
  EXPECT_EQ(wrong_loop, 0);
}

// One burst is one batch: the actor runs when the turn ends.
std::atomic<int> seen{0};
using Sink = caf::typed_actor<caf::reacts_to<add_atom, int64_t>>;
Sink::behavior_type sink(Sink::pointer, Loop* loop) {
  return {[loop](add_atom, int64_t) {
    expect_on(loop);
    ++seen;
  }};
}

TEST_F(LoopScheduler, ActorsRunAtTheEndOfTheTurn) {
  wrong_loop = 0, seen = 0;
  Sink actor = spawn_on<caf::lazy_init>(*host, b, sink, static_cast<Loop*>(&b));
  std::atomic<int> seen_during_turn{-1}, seen_at_end{-1};
  b.post([&] {
    for (int i = 0; i < 10; ++i) caf::anon_send(actor, add_atom::value, int64_t{1});
    b.at_turn_end([&] { seen_at_end = seen.load(); });
  });
  b.post([&] { seen_during_turn = seen.load(); });
  start();
  EXPECT_TRUE(within_seconds(10, [&] { return seen_at_end >= 0; }));
  EXPECT_EQ(seen_during_turn, 0);
  EXPECT_EQ(seen_at_end, 10);
  EXPECT_EQ(wrong_loop, 0);
}

// An actor that its parent spawns starts where the parent runs; one may also place it elsewhere.
using Parent = caf::typed_actor<replies_to<get_atom>::with<bool>>;
Parent::behavior_type parent(Parent::pointer self, ActorHost* host, Loop* own, Loop* other) {
  return {[=](get_atom) {
    expect_on(own);
    auto child = self->spawn(sink, own);
    auto placed = spawn_on(*host, *other, sink, other);
    for (int i = 0; i < 100; ++i) {
      self->send(child, add_atom::value, int64_t{1});
      self->send(placed, add_atom::value, int64_t{1});
    }
    return true;
  }};
}

TEST_F(LoopScheduler, ChildrenStartOnTheLoopOfTheirParent) {
  wrong_loop = 0, seen = 0;
  start();
  Parent actor =
      spawn_on(*host, b, parent, host.get(), static_cast<Loop*>(&b), static_cast<Loop*>(&c));
  caf::anon_send(actor, get_atom::value);
  EXPECT_TRUE(within_seconds(10, [] { return seen == 200; }));
  EXPECT_EQ(wrong_loop, 0);
}

using Ticker = caf::typed_actor<caf::reacts_to<tick_atom>>;
std::atomic<int> ticks{0};
std::atomic<int64_t> first_tick_ns{0};
Ticker::behavior_type ticker(Ticker::pointer self, Loop* loop) {
  self->delayed_send(self, std::chrono::milliseconds(20), tick_atom::value);
  return {[self, loop](tick_atom) {
    expect_on(loop);
    if (ticks++ == 0) first_tick_ns = loop->clock().monotonic_ns();
    self->delayed_send(self, std::chrono::milliseconds(1), tick_atom::value);
  }};
}

TEST_F(LoopScheduler, DelayedMessagesArriveOnTimeAndDoNotHoldUpTheEnd) {
  wrong_loop = 0, ticks = 0;
  int64_t started_ns = clock.monotonic_ns();
  start();
  spawn_on(*host, c, ticker, static_cast<Loop*>(&c));
  EXPECT_TRUE(within_seconds(10, [] { return ticks > 20; }));
  EXPECT_GE(first_tick_ns - started_ns, 20'000'000);
  EXPECT_EQ(wrong_loop, 0);
  // A timer that renews itself: the end must not wait for it.
}

using Silent = caf::typed_actor<replies_to<get_atom>::with<int64_t>>;
Silent::behavior_type silent(Silent::pointer self, Loop*) {
  auto promises = std::make_shared<std::vector<caf::typed_response_promise<int64_t>>>();
  return {[self, promises](get_atom) -> caf::result<int64_t> {
    promises->push_back(self->make_response_promise<caf::typed_response_promise<int64_t>>());
    return promises->back();
  }};
}
std::atomic<int> timeouts{0};
using Client = caf::typed_actor<caf::reacts_to<tick_atom>>;
Client::behavior_type client(Client::pointer self, Silent server, Loop* loop) {
  return {[=](tick_atom) {
    self->request(server, std::chrono::milliseconds(5), get_atom::value)
        .then([](int64_t) {},
              [loop](caf::error& error) {
                expect_on(loop);
                if (error == caf::sec::request_timeout) ++timeouts;
              });
  }};
}

TEST_F(LoopScheduler, RequestsTimeOut) {
  wrong_loop = 0, timeouts = 0;
  start();
  Silent server = spawn_on(*host, b, silent, static_cast<Loop*>(&b));
  Client asking = spawn_on(*host, c, client, server, static_cast<Loop*>(&c));
  for (int i = 0; i < 50; ++i) caf::anon_send(asking, tick_atom::value);
  EXPECT_TRUE(within_seconds(10, [] { return timeouts == 50; })) << timeouts;
  EXPECT_EQ(wrong_loop, 0);
}

std::atomic<int> states{0}, handled{0};
struct CountedState {
  static inline const char* name = "counted";
  CountedState() { ++states; }
  ~CountedState() { --states; }
};
Sink::behavior_type counted(Sink::stateful_pointer<CountedState> self, Sink next) {
  return {[self, next](add_atom, int64_t n) {
    ++handled;
    if (n > 0) self->send(next, add_atom::value, n - 1);
  }};
}

// Full mailboxes, held handles, an actor that never ran: the end is prompt and frees everything.
TEST_F(LoopScheduler, EndsWithWorkLeft) {
  states = 0, handled = 0, wrong_loop = 0;
  Sink last = spawn_on(*host, b, sink, static_cast<Loop*>(&b));
  Sink one = spawn_on(*host, a, counted, last), two = spawn_on(*host, b, counted, one);
  Sink lazy = spawn_on<caf::lazy_init>(*host, c, counted, two);
  start();
  std::atomic<bool> go_on{true};
  std::thread sender([&] {
    while (go_on) caf::anon_send(two, add_atom::value, int64_t{3});
  });
  EXPECT_TRUE(within_seconds(10, [] { return handled > 1000; }));
  a.stop();
  b.stop();
  c.stop();
  for (int i = 0; i < 1000; ++i) caf::anon_send(lazy, add_atom::value, int64_t{1});
  go_on = false;
  sender.join();
  int handled_before = handled;
  host.reset();
  EXPECT_EQ(handled, handled_before) << "no command runs after the loops have stopped";
  EXPECT_EQ(states, 0);
}

TEST_F(LoopScheduler, EndsWithoutEverStarting) {
  states = 0;
  Sink last = spawn_on(*host, b, sink, static_cast<Loop*>(&b));
  Sink actor = spawn_on(*host, a, counted, last);
  caf::anon_send(actor, add_atom::value, int64_t{1});
  host.reset();
  EXPECT_EQ(states, 0);
}

TEST_F(LoopScheduler, StartsNoThreadOfItsOwn) {
  auto threads = [] {
    auto tasks = std::filesystem::directory_iterator("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  auto before = threads();
  {
    ActorHost another(a);
    Sink actor = spawn_on(another, a, sink, static_cast<Loop*>(&a));
    EXPECT_EQ(threads(), before);
  }
}

}  // namespace
}  // namespace kura::testing
