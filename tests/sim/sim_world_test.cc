#include "sim/sim_world.h"

#include <gtest/gtest.h>

#include <set>

#include "sim/sim_loop.h"
#include "tests/sim/sim_fixture.h"

namespace kura::sim {
namespace {

// Three loops hand callbacks around and set timers; returns the order in which they ran.
struct Trip {
  std::vector<int> order;
  uint64_t hash = 0;
  std::vector<uint64_t> prefixes;
};

void bounce(std::vector<SimLoop*> loops, std::vector<int>* order, SimRandom* random, int left) {
  const size_t next = random->pick(loops.size());
  SimLoop* loop = loops[next];
  loop->post([=] {
    order->push_back(static_cast<int>(next));
    if (left == 0) return;
    bounce(loops, order, random, left - 1);
    loop->timer().after(random->between(0, kMillisecond),
                        [=] { order->push_back(100 + static_cast<int>(next)); });
  });
}

Trip run(uint64_t seed, Schedule schedule = Schedule::random) {
  SimWorld world(seed, schedule);
  SimClock clock(world);
  SimLoop a(world, "a", clock), b(world, "b", clock), c(world, "c", clock);
  Trip out;
  SimRandom random = world.random("test");
  for (int i = 0; i < 8; ++i) bounce({&a, &b, &c}, &out.order, &random, 200);
  while (world.step()) {
  }
  out.hash = world.hash();
  out.prefixes = world.prefixes();
  return out;
}

TEST(SimWorld, SameSeedGivesTheSameRun) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Trip first = run(seed), second = run(seed);
    ASSERT_EQ(first.hash, second.hash) << "seed " << seed;
    ASSERT_EQ(first.order, second.order) << "seed " << seed;
    ASSERT_EQ(first.prefixes, second.prefixes) << "seed " << seed;
    ASSERT_GT(first.prefixes.size(), 3u);
  }
}

TEST(SimWorld, SeedsGiveDifferentRuns) {
  std::set<uint64_t> hashes;
  std::set<std::vector<int>> orders;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Trip r = run(seed);
    hashes.insert(r.hash);
    orders.insert(r.order);
  }
  EXPECT_EQ(hashes.size(), 100u);
  EXPECT_EQ(orders.size(), 100u);
}

TEST(SimWorld, EverySchedulePolicyRunsEverything) {
  for (Schedule s : {Schedule::random, Schedule::fifo, Schedule::lifo, Schedule::starve})
    EXPECT_EQ(run(7, s).order.size(), 8u * 401) << static_cast<int>(s);
}

TEST(SimWorld, WatchNamesTheSteps) {
  SimWorld world(1);
  world.watch(2, 4);
  for (uint64_t i = 0; i < 10; ++i) world.trace("thing", i);
  ASSERT_EQ(world.window().size(), 2u);
  EXPECT_NE(world.window()[0].find("step 2"), std::string::npos);
  EXPECT_NE(world.window()[0].find("thing 2"), std::string::npos);
}

TEST(SimLoop, RunsPostsInOrderAndAlone) {
  SimWorld world(3);
  SimClock clock(world);
  SimLoop loop(world, "loop", clock);
  std::vector<int> seen;
  for (int i = 0; i < 100; ++i)
    loop.post([&, i] {
      EXPECT_TRUE(loop.is_current());
      seen.push_back(i);
    });
  while (world.step()) {
  }
  EXPECT_FALSE(loop.is_current());
  ASSERT_EQ(seen.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(seen[static_cast<size_t>(i)], i);
}

TEST(SimLoop, TurnEndsAfterWhatIsReadyAndOnce) {
  SimWorld world(3);
  SimClock clock(world);
  SimLoop loop(world, "loop", clock);
  std::string seen;
  loop.post([&] {
    loop.at_turn_end([&] { seen += 'E'; });
    seen += '1';
  });
  loop.post([&] {
    seen += '2';
    loop.post([&] { seen += '4'; });  // Becomes ready later than the turn's end was asked for.
  });
  loop.post([&] { seen += '3'; });
  while (world.step()) {
  }
  EXPECT_EQ(seen, "123E4");
}

TEST(SimLoop, CancelledTimerDoesNotRunEvenWhenItIsDue) {
  SimWorld world(5);
  SimClock clock(world);
  SimLoop loop(world, "loop", clock);
  std::string seen;
  loop.post([&] {
    Timer::Id late = loop.timer().after(10, [&] { seen += 'x'; });
    loop.timer().after(5, [&seen, &loop, late] {
      seen += 'a';
      loop.timer().cancel(late);
      loop.timer().cancel(late);
    });
  });
  while (world.step()) {
  }
  EXPECT_EQ(seen, "a");
}

TEST(SimLoop, StoppedLoopRunsNothing) {
  SimWorld world(5);
  SimClock clock(world);
  SimLoop loop(world, "loop", clock);
  int ran = 0;
  loop.post([&] { loop.timer().after(kSecond, [&] { ++ran; }); });
  world.run_for(kMillisecond);
  loop.post([&] { ++ran; });
  loop.stop();
  loop.post([&] { ++ran; });
  world.run_for(10 * kSecond);
  EXPECT_EQ(ran, 0);
}

TEST(SimLoop, TimersFollowTheNodesClock) {
  SimWorld world(5);
  SimClock slow(world, -200, 500);
  SimLoop loop(world, "loop", slow);
  const int64_t before = slow.monotonic_ns();
  int64_t fired = 0;
  loop.post([&] { loop.timer().after(100 * kSecond, [&] { fired = slow.monotonic_ns(); }); });
  while (world.step()) {
  }
  EXPECT_GE(fired - before, 100 * kSecond);
  EXPECT_LT(fired - before, 100 * kSecond + kMillisecond);
  EXPECT_GT(world.now_ns(), 101 * kSecond + 19 * kMillisecond);  // 200 ppm of 100 s later.
  EXPECT_EQ(SimClock(world, 0, 500).wall_ms() - SimClock(world).wall_ms(), 500);
}

TEST(SimRandom, ExponentialHasItsMean) {
  SimRandom random(1);
  int64_t sum = 0;
  for (int i = 0; i < 100000; ++i) sum += random.exponential(kMillisecond);
  EXPECT_NEAR(static_cast<double>(sum) / 100000, 1e6, 6e4);
}

TEST(SimRandom, ForksDoNotDependOnDraws) {
  SimRandom a(9), b(9);
  b.draw();
  EXPECT_EQ(a.fork("x").draw(), b.fork("x").draw());
  EXPECT_NE(a.fork("x").draw(), a.fork("y").draw());
  EXPECT_NE(a.fork("x", 1).draw(), a.fork("x", 2).draw());
}

}  // namespace
}  // namespace kura::sim
