// What the pool's own work does when a drive or the ledger refuses a step of it.

#include <algorithm>

#include "actors/disk/drive_identity.h"
#include "actors/disk/stripe.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

void fill(PoolWorld& pool) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(pool.put_now("large-" + std::to_string(i), 900'000 + i));
}

size_t members_on(const PoolWorld& pool, size_t place) {
  const std::vector<std::string> names = pool.disks[place]->names();
  return static_cast<size_t>(
      std::ranges::count_if(names, [](const auto& name) { return name.starts_with("sets/"); }));
}

struct AFailedDrive : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(pool.start({6}));
    fill(pool);
    pool.disks[1]->set_dead(true);
    ASSERT_TRUE(pool.put_now("during", 900'000));
    pool.settle();
  }
  PoolWorld pool{7};
};

TEST_F(AFailedDrive, IsReplacedByAnother) {
  EXPECT_GT(pool.status().bytes_below_full_parity, 0u);
  // No drive is left that could take its members.
  pool.maintain();
  EXPECT_GT(pool.status().members_missing, 0u);
  ASSERT_TRUE(pool.add_new_drive(6, 60));
  pool.maintain();
  EXPECT_EQ(pool.status().members_missing, 0u);
  EXPECT_EQ(pool.status().bytes_below_full_parity, 0u);
  pool.expect_all();
}

// The file was renamed to its place, and no event says that it is a member.
TEST_F(AFailedDrive, LeavesNoFileOfAMemberWhoseRecordIsRefused) {
  ASSERT_TRUE(pool.add_new_drive(6, 60));
  pool.ledger.refuse_next = 1000;
  pool.maintain(3);
  EXPECT_GT(pool.status().members_missing, 0u);
  EXPECT_EQ(members_on(pool, 6), 0u);
  pool.ledger.refuse_next = 0;
  pool.maintain(3);
  EXPECT_EQ(pool.status().members_missing, 0u);
  EXPECT_GT(members_on(pool, 6), 0u);
  pool.expect_all();
}

// One drive takes no writes; the shard of the other one is written anew all the same.
TEST(UpkeepErrors, DamageThatCannotBeWrittenIsCountedAndTheRestMended) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 100'000));
  pool.seal_all();
  const SegmentSet set = pool.set_of("large");
  const uint64_t at = pool.bodies.bodies.at("large").extents(0).offset() + 100;
  for (size_t member : {0, 1}) {
    const auto place = std::ranges::find(pool.ids, set.members[member]) - pool.ids.begin();
    pool.flip(static_cast<size_t>(place), set_file_name(set.id), at);
    if (member == 0)
      pool.disks[static_cast<size_t>(place)]->options().faults.write_error = 1'000'000;
  }
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
  EXPECT_EQ(pool.status().scrub.damaged_shards, 1u) << "one at least";
  EXPECT_EQ(pool.status().scrub.repaired_shards, 1u);
  pool.expect_all();
}

// What wakes the rest of the upkeep does not make it read identities without a pause.
TEST(UpkeepErrors, LooksAtDrivesKeepTheirTime) {
  PoolWorld pool(6);
  pool.options.check_interval_ns = sim::kSecond;
  ASSERT_TRUE(pool.start({5}));
  ASSERT_TRUE(pool.add_new_drive(5, 70));
  const uint64_t before = pool.world.steps();
  pool.settle(20 * sim::kSecond);
  EXPECT_GT(pool.world.steps() - before, 20u * 6) << "every second each of them";
  EXPECT_LT(pool.world.steps() - before, 20u * 200);
}

// The drive hangs where it was, and is mounted in another place: the old mount's answer is not
// waited for, and says nothing of the new one when its time is over.
TEST(UpkeepErrors, ADriveThatIsMountedAnewIsLookedAtThere) {
  PoolWorld pool(7);
  pool.options.check_interval_ns = sim::kSecond;
  pool.options.drive_timeout_ns = 3 * sim::kSecond;
  ASSERT_TRUE(pool.start({6}));
  const std::string identity = pool.take_file(1, std::string(kDriveIdentityFile));
  pool.settle(2 * sim::kSecond);
  ASSERT_FALSE(pool.pool->serves(drive_id(1)));
  pool.disks[1]->set_hung(true);
  pool.settle(sim::kSecond + sim::kSecond / 2);  // It is asked.
  pool.mounts[6] = pool.disks[6]->mount();
  pool.write_file(6, std::string(kDriveIdentityFile), identity);
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->add_drive({drive_id(1), pool.mounts[6]})));
  for (int i = 0; i < 20; ++i) {
    pool.settle(sim::kSecond / 2);
    EXPECT_TRUE(pool.pool->serves(drive_id(1)));
  }
  (void)pool.take_file(6, std::string(kDriveIdentityFile));
  pool.settle(10 * sim::kSecond);
  EXPECT_FALSE(pool.pool->serves(drive_id(1)));
}

TEST(UpkeepErrors, TwoScrubsRunOneAfterTheOther) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
  const uint64_t bytes = pool.status().scrub.run_bytes;
  auto begin = [](DiskPool* target) -> Task<void> { (void)co_await target->scrub(); };
  spawn(*pool.loop, begin(pool.pool.get()));
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
  pool.settle();
  EXPECT_EQ(pool.status().scrub.runs, 3u);
  EXPECT_EQ(pool.status().scrub.run_bytes, bytes) << "each counts its own";
}

}  // namespace
}  // namespace kura::disk
