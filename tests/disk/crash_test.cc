// Crashes between any two operations of drives: what was acknowledged reads back right, whatever
// the drives kept of what was not synced.

#include "pool_world.h"

namespace kura::disk {
namespace {

Task<void> put_one(PoolWorld* pool, std::string key, uint64_t bytes) {
  (void)co_await pool->put(key, bytes);
}

// Writers of all layouts side by side, some of them across sets.
void begin_writers(PoolWorld& pool, int round) {
  const std::string suffix = "-" + std::to_string(round);
  for (int i = 0; i < 6; ++i)
    spawn(*pool.loop, put_one(&pool, "small-" + std::to_string(i) + suffix, 18'000 + 7'000 * i));
  for (int i = 0; i < 3; ++i)
    spawn(*pool.loop, put_one(&pool, "large-" + std::to_string(i) + suffix, 400'000 + 900'000 * i));
}

// Goal: no acknowledged body is lost by crashes at any point.
// Method: three crashes in each run, each after a drawn number of steps of the world; members are
// small, so that sets roll over, are sealed, compacted and dropped in between.
TEST(Crash, NoAcknowledgedBodyIsLost) {
  size_t acknowledged = 0;
  for (uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto policy = static_cast<sim::Unsynced>(seed % 4);
    PoolWorld pool(seed % 3 == 0 ? 3 : 6, seed, {}, static_cast<sim::Schedule>(seed % 4));
    pool.options.member_bytes_max = kMiB;
    pool.options.maintenance_interval_ns = seed % 2 ? 20 * sim::kMillisecond : 0;
    sim::SimRandom random(seed);
    ASSERT_TRUE(pool.start());
    for (int round = 0; round < 3; ++round) {
      begin_writers(pool, round);
      const uint64_t steps = random.pick(5000);
      for (uint64_t i = 0; i < steps; ++i) pool.world.step();
      if (round > 0 && pool.bodies.bodies.size() > 4)
        pool.forget(pool.bodies.bodies.begin()->first);
      pool.crash(policy);
      ASSERT_TRUE(pool.start());
      pool.expect_all();
    }
    acknowledged += pool.bodies.bodies.size();
    pool.settle(5 * sim::kSecond);
    // Compaction may have opened one by itself.
    EXPECT_LE(pool.status().sets_open, seed % 2) << "a set was left open";
    pool.expect_all();
    // The room of what is gone comes back, and nothing that lives is dropped with it.
    pool.maintain(4);
    pool.expect_all();
    if (HasFailure()) return;
  }
  EXPECT_GT(acknowledged, 1000u);
}

// Goal: a set that the ledger opened right before a crash, and that has no member file, goes away.
TEST(Crash, ASetWithoutAnyFileIsSealedAndDropped) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("kept", 500'000));
  SegmentSet draft = pool.set_of("kept");
  ASSERT_TRUE(pool.run<Result<SegmentSet>>(pool.ledger.open_set(std::move(draft))));
  pool.crash(sim::Unsynced::dropped);
  ASSERT_TRUE(pool.start());
  pool.settle(5 * sim::kSecond);
  EXPECT_EQ(pool.status().sets_open, 0u);
  pool.maintain(3);
  EXPECT_EQ(pool.ledger.state()->sets.size(), 1u);
  EXPECT_EQ(pool.status().members_missing, 0u);
  pool.expect_all();
}

// Goal: full parity is not only on paper: after a crash any m drives may go.
TEST(Crash, WhatIsAcknowledgedHasFullParity) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PoolWorld pool(6, seed);
    pool.options.member_bytes_max = kMiB;
    sim::SimRandom random(seed);
    ASSERT_TRUE(pool.start());
    begin_writers(pool, 0);
    const uint64_t steps = 300 + random.pick(4000);
    for (uint64_t i = 0; i < steps; ++i) pool.world.step();
    pool.crash(sim::Unsynced::dropped);
    const size_t first = random.pick(6);
    ASSERT_TRUE(pool.start({first, (first + 1 + random.pick(5)) % 6}));
    pool.expect_all();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace kura::disk
