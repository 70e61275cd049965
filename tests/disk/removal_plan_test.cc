// What the pool says before a drive is forgotten, against what then happens.

#include "pool_world.h"

namespace kura::disk {
namespace {

void fill(PoolWorld& pool) {
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(pool.put_now("k" + std::to_string(i), 900'000));
  pool.seal_all();
}

void lose(PoolWorld& pool, size_t drive) {
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(drive), "test")));
}

RemovalPlan plan(PoolWorld& pool, size_t drive) {
  auto made = pool.run<Result<RemovalPlan>>(pool.pool->plan_removal(drive_id(drive)));
  EXPECT_TRUE(made);
  return made ? *made : RemovalPlan{};
}

uint64_t used_bytes(PoolWorld& pool) {
  uint64_t used = 0;
  for (const DriveStatus& drive : pool.status().drives)
    if (drive.online) used += drive.space.total_bytes - drive.space.free_bytes;
  return used;
}

TEST(RemovalPlan, WhatADriveHeldGoesToOneThatHasNoneOfIt) {
  PoolWorld pool(7);
  ASSERT_TRUE(pool.start({6}));  // Sets of six.
  fill(pool);                    // The seventh is here when it ends.
  const uint64_t member_bytes = *pool.set_of("k0").sealed_bytes;
  lose(pool, 2);
  const RemovalPlan planned = plan(pool, 2);
  EXPECT_EQ(planned.moved_bytes, member_bytes);
  EXPECT_GT(planned.room_bytes, planned.moved_bytes);
  EXPECT_EQ(planned.unreadable_bytes, 0u);
  EXPECT_EQ(planned.standard_parity, 2u);
  EXPECT_EQ(planned.reduced_parity, 1u);
  EXPECT_TRUE(planned.takes_writes);
  const uint64_t before = used_bytes(pool);
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->forget_drive(drive_id(2))));
  pool.maintain(4);
  EXPECT_EQ(pool.status().members_missing, 0u);
  EXPECT_GE(used_bytes(pool) - before, planned.moved_bytes);
  pool.expect_all();
}

// No drive is left that could take the member: what is live is written into sets of fewer.
TEST(RemovalPlan, WhatNoDriveCanTakeIsWrittenAnew) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  fill(pool);
  lose(pool, 1);
  const RemovalPlan planned = plan(pool, 1);
  EXPECT_EQ(planned.standard_parity, 1u);  // Of three drives.
  EXPECT_EQ(planned.moved_bytes, 8u * 900'000 * 3 / 2);
  EXPECT_EQ(planned.unreadable_bytes, 0u);
  EXPECT_TRUE(planned.takes_writes);
}

TEST(RemovalPlan, WhatOnlyThatDriveWouldBringBackIsUnreadable) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  fill(pool);
  for (size_t i : {0, 1}) lose(pool, i);
  EXPECT_EQ(plan(pool, 0).unreadable_bytes, 0u);
  lose(pool, 2);
  const RemovalPlan planned = plan(pool, 0);
  EXPECT_EQ(planned.unreadable_bytes, 8u * 900'000);
  EXPECT_EQ(planned.moved_bytes, 0u);
  EXPECT_FALSE(planned.takes_writes);
}

}  // namespace
}  // namespace kura::disk
