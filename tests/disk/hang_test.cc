// Drives that hang while the pool works by itself: whatever waits for one ends with the deadline,
// and what is done late does no harm. (Uploads on such drives: failover_test.cc.)

#include <algorithm>

#include "actors/disk/drive_identity.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

constexpr int64_t kTimeoutNs = sim::kSecond / 2;

// A pool of six with bodies in sets that are sealed.
std::unique_ptr<PoolWorld> filled(uint64_t seed = 1) {
  auto pool = std::make_unique<PoolWorld>(6, seed);
  pool->options.drive_timeout_ns = kTimeoutNs;
  EXPECT_TRUE(pool->start());
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(pool->put_now("large-" + std::to_string(i), 900'000 + i));
    EXPECT_TRUE(pool->put_now("small-" + std::to_string(i), 40'000 + i));
  }
  pool->seal_all();
  return pool;
}

// The same between two processes.
std::unique_ptr<PoolWorld> filled_and_stopped(sim::Unsynced policy, uint64_t seed = 1) {
  auto pool = filled(seed);
  EXPECT_TRUE(pool->run<Result<void>>(pool->pool->stop()));
  pool->crash(policy);
  return pool;
}

// One of its drives lost all its member files.
std::unique_ptr<PoolWorld> with_lost_members(uint64_t seed) {
  auto pool = filled_and_stopped(sim::Unsynced::dropped, seed);
  pool->disks[5]->replace_empty();
  EXPECT_TRUE(pool->start());
  EXPECT_GT(pool->status().members_missing, 0u);
  return pool;
}

// At any moment, on the drive that is written to and on one that is read from.
TEST(Hang, ARebuildEnds) {
  int under_way = 0;
  for (int64_t after_ms = 0; after_ms < 30; ++after_ms) {
    for (size_t hanging : {size_t{5}, size_t{1}}) {
      auto pool = with_lost_members(static_cast<uint64_t>(after_ms) + 7);
      pool->world.after(after_ms * sim::kMillisecond,
                        [&] { pool->disks[hanging]->set_hung(true); });
      const int64_t began_ns = pool->world.now_ns();
      (void)pool->run<Result<void>>(pool->pool->maintain_now());
      const int64_t took_ns = pool->world.now_ns() - began_ns;
      EXPECT_LT(took_ns, 20 * kTimeoutNs) << after_ms;
      if (took_ns >= kTimeoutNs) {
        ++under_way;
        EXPECT_FALSE(pool->status().drives[hanging].online) << after_ms << " " << hanging;
      }
      pool->expect_all();
      pool->disks[hanging]->set_hung(false);
      pool->settle();
      pool->maintain(2);
      pool->expect_all();
      if (testing::Test::HasFailure()) return;
    }
  }
  EXPECT_GT(under_way, 10);
}

TEST(Hang, AScrubEnds) {
  int under_way = 0;
  for (int64_t after_ms = 0; after_ms < 12; ++after_ms) {
    const auto world = filled(static_cast<uint64_t>(after_ms) + 3);
    PoolWorld& pool = *world;
    // Also what the scrub writes: headers of files.
    for (const auto& name : pool.disks[2]->names())
      if (name.starts_with("sets/")) pool.flip(2, name, 100);
    pool.world.after(after_ms * sim::kMillisecond, [&] { pool.disks[2]->set_hung(true); });
    const int64_t began_ns = pool.world.now_ns();
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
    under_way += pool.world.now_ns() - began_ns >= kTimeoutNs;
    EXPECT_LT(pool.world.now_ns() - began_ns, 40 * kTimeoutNs);
    pool.expect_all();
  }
  EXPECT_GT(under_way, 5);
}

TEST(Hang, AStartAndADriveThatJoinsEnd) {
  const auto world = filled_and_stopped(sim::Unsynced::dropped);
  PoolWorld& pool = *world;
  // It hangs once its identity was read.
  pool.world.after(2 * sim::kMillisecond, [&] { pool.disks[1]->set_hung(true); });
  ASSERT_TRUE(pool.start({1}));
  pool.settle();
  pool.mounts[1] = pool.disks[1]->mount();
  Result<void> joined = pool.run<Result<void>>(pool.pool->add_drive({pool.ids[1], pool.mounts[1]}));
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Errc::timed_out);
  pool.expect_all();
  pool.disks[1]->set_hung(false);
  pool.settle();
  EXPECT_TRUE(pool.run<Result<void>>(pool.pool->add_drive({pool.ids[1], pool.mounts[1]})));
  pool.expect_all();
}

// Files that are not open yet.
TEST(Hang, ReadsOfFilesThatMustBeOpenedEnd) {
  const auto world = filled_and_stopped(sim::Unsynced::kept);
  PoolWorld& pool = *world;
  ASSERT_TRUE(pool.start());
  const DriveId first = pool.set_of("large-0").members[0];  // It holds data, not parity.
  const auto place = std::find(pool.ids.begin(), pool.ids.end(), first) - pool.ids.begin();
  pool.disks[place]->set_hung(true);
  const int64_t began_ns = pool.world.now_ns();
  pool.expect_all();
  EXPECT_LT(pool.world.now_ns() - began_ns, 4 * kTimeoutNs);
  EXPECT_FALSE(pool.status().drives[place].online);
}

}  // namespace
}  // namespace kura::disk
