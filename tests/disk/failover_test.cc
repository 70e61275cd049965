// Drives that fail, hang or run full while bodies are written.

#include "actors/disk/stripe.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

// Goal: a drive that dies at any moment of a write costs no acknowledged byte, and the write goes
// on with full parity on the other drives.
TEST(Failover, ADriveThatDiesMidwayCostsNothing) {
  for (int64_t after_us = 0; after_us <= 30'000; after_us += 1'500) {
    PoolWorld pool(6, static_cast<uint64_t>(after_us) + 3);
    ASSERT_TRUE(pool.start());
    ASSERT_TRUE(pool.put_now("before", 700'000));
    const size_t dying = static_cast<size_t>(after_us / 1'500 % 6);
    pool.world.after(after_us * sim::kMicrosecond, [&] { pool.disks[dying]->set_dead(true); });
    ASSERT_TRUE(pool.put_now("during", 9'000'000)) << after_us;
    pool.settle();
    ASSERT_TRUE(pool.put_now("after", 700'000));
    ASSERT_TRUE(pool.put_now("after small", 30'000));
    pool.expect_all();
    const SegmentSet set = pool.set_of("after");
    EXPECT_EQ(set.parity_shards, 2u);
    for (DriveId member : set.members) EXPECT_NE(member, drive_id(dying));
    // Nothing stays open on the dead drive: what it held can be rebuilt.
    for (const auto& [id, open] : pool.ledger.state()->sets) {
      if (open.sealed_bytes) continue;
      for (DriveId member : open.members) EXPECT_NE(member, drive_id(dying));
    }
  }
}

TEST(Failover, AHangingDriveIsLeftBehindAfterTheTimeout) {
  PoolWorld pool(6);
  pool.options.drive_timeout_ns = 500 * sim::kMillisecond;
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("before", 700'000));
  pool.disks[3]->set_slow(100'000);
  const int64_t began = pool.world.now_ns();
  ASSERT_TRUE(pool.put_now("striped", 700'000));
  ASSERT_TRUE(pool.put_now("small", 50'000));
  EXPECT_LT(pool.world.now_ns() - began, 3 * sim::kSecond);
  pool.expect_all();
  EXPECT_FALSE(pool.status().drives[3].online);
}

TEST(Failover, FewerThanParityPlusOneDrivesIsUnavailable) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("before", 700'000));
  for (size_t i : {0, 1, 2})
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
  ASSERT_TRUE(pool.put_now("three are enough", 700'000));
  EXPECT_EQ(pool.set_of("three are enough").data_shards, 1u);
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(3), "test")));
  auto refused = pool.put_now("two are not", 700'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST(Failover, DrivesThatDieOneAfterTheOtherEndInUnavailable) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  for (size_t i = 0; i < 4; ++i)
    pool.world.after(static_cast<int64_t>(1 + 4 * i) * sim::kMillisecond,
                     [&, i] { pool.disks[i]->set_dead(true); });
  auto refused = pool.put_now("large", 50'000'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST(Failover, FullDrivesRefuseAndRecoverWithoutARestart) {
  sim::DiskOptions disk;
  disk.capacity_bytes = 48 * kMiB;
  PoolWorld pool(6, 9, disk);
  ASSERT_TRUE(pool.start());
  int stored = 0;
  Result<void> last;
  for (; stored < 500; ++stored) {
    last = pool.put_now("fill-" + std::to_string(stored), 1'000'000);
    if (!last) break;
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Errc::no_space);
  // 4 + 2 on drives of 48 MiB, less two member files of reserve: 40 MiB x 4 of bodies.
  EXPECT_GE(stored, 120);
  auto small = pool.put_now("small", 20'000);
  EXPECT_TRUE(small || small.error().code == Errc::no_space);
  pool.expect_all();
  for (const auto& disk_of : pool.disks) EXPECT_LE(disk_of->used_bytes(), 48 * kMiB);

  // Every second body goes: compaction makes room out of the reserve.
  for (int i = 0; i < stored; ++i)
    if (i % 4 != 0) pool.forget("fill-" + std::to_string(i));
  pool.maintain(8);
  pool.expect_all();
  EXPECT_GT(pool.status().sets_dropped, 0u);
  for (int i = 0; i < stored / 2; ++i)
    ASSERT_TRUE(pool.put_now("again-" + std::to_string(i), 1'000'000)) << i;
  pool.expect_all();
}

TEST(Failover, ADriveThatIsFullAloneIsLeftOut) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  pool.disks[4]->options().capacity_bytes = 5 * kMiB;
  ASSERT_TRUE(pool.put_now("key", 700'000));
  const SegmentSet set = pool.set_of("key");
  for (DriveId member : set.members) EXPECT_NE(member, drive_id(4));
  EXPECT_TRUE(pool.status().drives[4].online);
}

// A set is sealed while one of its members is away, whose file keeps its full size until then.
TEST(Failover, ADriveThatComesBackGivesBackTheRoomOfSetsThatWereSealed) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("key", 700'000));
  pool.disks[1]->set_dead(true);
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(1), "test")));
  ASSERT_TRUE(pool.put_now("later", 700'000));  // In another set.
  pool.settle();
  const SegmentSet set = pool.set_of("key");
  ASSERT_TRUE(set.sealed_bytes);
  auto size_on = [&pool, &set](size_t place) -> uint64_t {
    auto files = pool.run<Result<std::vector<FileInfo>>>(pool.mounts[place]->list("sets"));
    if (!files) return 0;
    for (const FileInfo& file : *files)
      if (set_of_file_name(file.name) == set.id) return file.size_bytes;
    return 0;
  };
  EXPECT_EQ(size_on(0), *set.sealed_bytes);
  pool.disks[1]->set_dead(false);
  EXPECT_GT(size_on(1), *set.sealed_bytes);
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->add_drive({drive_id(1), pool.mounts[1]})));
  EXPECT_EQ(size_on(1), *set.sealed_bytes);
  pool.expect_all();
}

// A drive dies between the opening of a set and its files, and the ledger is away for a moment.
TEST(Failover, ASetThatGotNoFilesIsDropped) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  pool.ledger.after_open = [&pool] {
    pool.disks[3]->set_dead(true);
    pool.ledger.refuse_next = 2;
  };
  EXPECT_FALSE(pool.put_now("key", 700'000));
  ASSERT_TRUE(pool.put_now("key", 700'000));
  pool.settle(5 * sim::kSecond);
  pool.maintain(4);
  EXPECT_EQ(pool.ledger.state()->sets.size(), 1u);
  EXPECT_EQ(pool.ledger.state()->sets.begin()->first, pool.set_of("key").id);
  pool.expect_all();
}

TEST(Failover, ALedgerThatIsAwayIsUnavailableAndNothingLeaks) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  pool.ledger.refuse_next = 1;
  auto refused = pool.put_now("key", 700'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  ASSERT_TRUE(pool.put_now("key", 700'000));
  pool.settle();
  EXPECT_EQ(pool.status().reservations, 0u);
}

}  // namespace
}  // namespace kura::disk
