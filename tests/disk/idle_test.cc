// Room that comes back by itself: of sets that nobody writes to, and of garbage under snapshots.

#include "pool_world.h"

namespace kura::disk {
namespace {

uint64_t used_bytes(PoolWorld& pool) {
  uint64_t bytes = 0;
  for (const auto& disk : pool.disks) bytes += disk->used_bytes();
  return bytes;
}

struct Idle : testing::Test {
  Idle() : pool(6) {
    pool.options.maintenance_interval_ns = sim::kSecond;
    EXPECT_TRUE(pool.start());
  }
  void rest() { pool.settle(pool.options.idle_ns + 3 * sim::kSecond); }
  void add_drive() {
    pool.disks.push_back(std::make_unique<sim::SimDisk>(pool.world, 6, sim::DiskOptions{}));
    ASSERT_TRUE(pool.add_new_drive(6, 60));
  }
  size_t sets() { return pool.ledger.state()->sets.size(); }
  PoolWorld pool;
};

// Goal: what is reserved in a set and not needed comes back, and writing goes on in the same set,
// so that a write now and then makes neither sets nor copies.
TEST_F(Idle, AnIdleSetGivesItsRoomBack) {
  ASSERT_TRUE(pool.put_now("key", 600'000));
  const SetId set = pool.set_of("key").id;
  const uint64_t reserved = used_bytes(pool);
  ASSERT_GE(reserved, 6 * pool.options.member_bytes_max);
  pool.settle(pool.options.idle_ns / 2);
  EXPECT_EQ(used_bytes(pool), reserved) << "it is not idle yet";
  rest();
  EXPECT_LT(used_bytes(pool), 2u * 600'000) << "with parity, headers and identities";
  pool.expect_all();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(pool.put_now("again-" + std::to_string(i), i % 2 == 0 ? 30'000 : 300'000));
    EXPECT_GE(used_bytes(pool), reserved) << "no writer meets a full drive";
    rest();
    EXPECT_EQ(pool.set_of("again-" + std::to_string(i)).id, set);
  }
  EXPECT_EQ(sets(), 1u);
  EXPECT_EQ(pool.status().bodies_moved, 0u);
  EXPECT_LT(used_bytes(pool), 4u * 600'000);
  pool.expect_all();
}

TEST_F(Idle, AWriterKeepsItsRoom) {
  auto writer = pool.run<Result<std::unique_ptr<BlobWriter>>>(
      pool.pool->blobs().write(v1::STANDARD, 8 * kMiB));
  ASSERT_TRUE(writer);
  ASSERT_TRUE(pool.run<Result<void>>((*writer)->append(std::string(5 * kMiB, 'a'))));
  pool.settle(4 * pool.options.idle_ns);
  EXPECT_GE(used_bytes(pool), 6 * pool.options.member_bytes_max);
  ASSERT_TRUE(pool.run<Result<void>>((*writer)->append(std::string(3 * kMiB, 'a'))));
  EXPECT_TRUE(pool.run<Result<v1::Body>>((*writer)->finish()));
}

TEST_F(Idle, ManyWritersWakeASetOnce) {
  ASSERT_TRUE(pool.put_now("first", 600'000));
  const uint64_t reserved = used_bytes(pool);
  auto put = [](PoolWorld* world, int i, std::optional<Result<void>>* out) -> Task<void> {
    co_await sleep_for(i % 4 * sim::kMillisecond);
    out->emplace(co_await world->put("key-" + std::to_string(i), i % 2 == 0 ? 20'000 : 200'000));
  };
  for (bool asleep : {false, true}) {
    // Half cut, or wholly.
    ASSERT_TRUE(pool.world.run_until([&] { return used_bytes(pool) < reserved; },
                                     pool.world.now_ns() + 60 * sim::kSecond));
    if (asleep) pool.settle(5 * sim::kSecond);
    std::vector<std::optional<Result<void>>> done(20);
    for (int i = 0; i < 20; ++i) spawn(*pool.loop, put(&pool, i, &done[static_cast<size_t>(i)]));
    pool.settle();
    for (const auto& one : done) EXPECT_TRUE(one && *one);
    EXPECT_EQ(used_bytes(pool), reserved);
    EXPECT_EQ(sets(), 1u);
    pool.expect_all();
  }
}

TEST_F(Idle, ASnapshotFindsTheRoomOfASleepingSet) {
  pool.keep_snapshot(600'000);
  rest();
  for (auto& disk : pool.disks) disk->options().capacity_bytes = disk->used_bytes() + 4 * kMiB - 1;
  const uint64_t room = pool.run<uint64_t>(pool.pool->snapshot_room(kGiB));
  EXPECT_GT(room, 14 * kMiB) << "of 16, a quarter on each drive";
  pool.keep_snapshot(room);
  EXPECT_EQ(sets(), 1u);
  for (auto& disk : pool.disks) disk->options().capacity_bytes = disk->used_bytes();
  EXPECT_LE(pool.run<uint64_t>(pool.pool->snapshot_room(kGiB)), 256 * kKiB);
}

// A set that nobody fills is not the place where garbage stays for ever.
TEST_F(Idle, ASetFullOfGarbageIsDropped) {
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), 900'000));
  ASSERT_TRUE(pool.put_now("kept", 40'000));
  ASSERT_EQ(sets(), 1u);
  const SetId set = pool.set_of("kept").id;
  rest();
  for (int i = 0; i < 8; ++i) pool.forget("key-" + std::to_string(i));
  rest();
  EXPECT_FALSE(pool.ledger.state()->sets.contains(set));
  EXPECT_LT(used_bytes(pool), 400'000u);
  pool.expect_all();
}

TEST_F(Idle, ASleepingSetWhoseDriveIsFullOrDeadIsLeft) {
  ASSERT_TRUE(pool.put_now("before", 600'000));
  rest();
  const SegmentSet set = pool.set_of("before");
  pool.disks[1]->set_dead(true);
  ASSERT_TRUE(pool.put_now("after", 600'000));
  EXPECT_NE(pool.set_of("after").id, set.id);
  EXPECT_EQ(pool.set_of("after").members.size(), 5u);
  pool.settle();
  EXPECT_TRUE(pool.ledger.state()->sets.at(set.id).sealed_bytes);
  pool.expect_all();
}

// It is cut when it is sealed: after its room was reserved again, which takes one drive longer.
TEST_F(Idle, ASetThatIsReplacedWhileItWakesKeepsNoRoom) {
  ASSERT_TRUE(pool.put_now("before", 600'000));
  rest();
  const SetId set = pool.set_of("before").id;
  pool.disks[0]->set_slow(2'000);
  std::optional<Result<void>> done;
  spawn(*pool.loop, [](PoolWorld* world, std::optional<Result<void>>* out) -> Task<void> {
    std::string key = "after";
    out->emplace(co_await world->put(std::move(key), 300'000));
  }(&pool, &done));
  ASSERT_TRUE(pool.world.run_until(
      [&] { return pool.disks[1]->used_bytes() > pool.options.member_bytes_max; },
      pool.world.now_ns() + sim::kSecond));
  ASSERT_LT(pool.disks[0]->used_bytes(), pool.options.member_bytes_max);
  pool.disks[0]->set_slow(1);
  ASSERT_NO_FATAL_FAILURE(add_drive());
  for (int i = 0; i < 2; ++i) rest();  // The one that takes its place is idle then.
  ASSERT_TRUE(done && *done);
  EXPECT_NE(pool.set_of("after").id, set);
  EXPECT_TRUE(pool.ledger.state()->sets.at(set).sealed_bytes);
  EXPECT_LT(used_bytes(pool), 4u * 600'000);
  pool.expect_all();
}

TEST_F(Idle, ASetThatIsReplacedWhileItIsCutIsSealed) {
  ASSERT_TRUE(pool.put_now("before", 600'000));
  const SetId set = pool.set_of("before").id;
  pool.disks[0]->set_slow(2'000);
  ASSERT_TRUE(pool.world.run_until(
      [&] { return pool.disks[1]->used_bytes() < pool.options.member_bytes_max; },
      pool.world.now_ns() + 2 * pool.options.idle_ns));
  ASSERT_GT(pool.disks[0]->used_bytes(), pool.options.member_bytes_max);
  ASSERT_NO_FATAL_FAILURE(add_drive());
  EXPECT_FALSE(pool.ledger.state()->sets.at(set).sealed_bytes);
  rest();
  EXPECT_TRUE(pool.ledger.state()->sets.at(set).sealed_bytes);
  EXPECT_LT(used_bytes(pool), 2u * 600'000);
  pool.expect_all();
}

TEST_F(Idle, ACrashLosesNothingOfASetAtRestOrJustWoken) {
  for (sim::Unsynced policy : {sim::Unsynced::dropped, sim::Unsynced::torn, sim::Unsynced::kept}) {
    for (int steps : {0, 5, 20, 60, 150}) {
      ASSERT_TRUE(pool.put_now("key-" + std::to_string(steps), 300'000));
      rest();
      spawn(*pool.loop, [](PoolWorld* world) -> Task<void> {
        (void)co_await world->put("late", 700'000);
      }(&pool));
      for (int i = 0; i < steps; ++i) pool.world.step();
      pool.crash(policy);
      ASSERT_TRUE(pool.start());
      pool.settle();
      pool.expect_all();
    }
  }
}

// Goal: a set that is kept by snapshots alone is named while that costs much room, and goes once
// they have left it.
TEST_F(Idle, GarbageUnderASnapshotIsNamed) {
  auto named = [&] {
    return pool.run<Result<std::vector<SetId>>>(pool.pool->garbage_under_snapshots()).value();
  };
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), 900'000));
  pool.keep_snapshot(20'000);
  pool.keep_snapshot(20'000);
  const SetId set = pool.set_of("key-0").id;
  ASSERT_EQ(pool.ledger.state()->snapshots[1].body.extents(0).set(), set.value);
  rest();
  EXPECT_TRUE(named().empty()) << "what lives there is no garbage";
  for (int i = 0; i < 8; ++i) pool.forget("key-" + std::to_string(i));
  EXPECT_TRUE(named().empty()) << "a snapshot would land in the same open set";
  rest();
  EXPECT_EQ(named(), std::vector<SetId>{set});
  pool.keep_snapshot(20'000);
  EXPECT_EQ(named(), std::vector<SetId>{set}) << "the other one is still there";
  pool.keep_snapshot(20'000);
  EXPECT_TRUE(named().empty());
  rest();
  EXPECT_FALSE(pool.ledger.state()->sets.contains(set));
  EXPECT_LT(used_bytes(pool), 300'000u);
}

TEST_F(Idle, ALittleGarbageUnderASnapshotIsKept) {
  ASSERT_TRUE(pool.put_now("key", 20'000));
  pool.keep_snapshot(20'000);
  pool.forget("key");
  rest();
  pool.seal_all();
  rest();
  EXPECT_TRUE(
      pool.run<Result<std::vector<SetId>>>(pool.pool->garbage_under_snapshots()).value().empty());
  EXPECT_EQ(sets(), 1u);
}

// Else snapshots of a large view, each of which begins in the set where the one before ends, would
// be taken one after the other.
TEST_F(Idle, LessGarbageThanTheSnapshotHoldsIsKept) {
  auto named = [&] {
    return pool.run<Result<std::vector<SetId>>>(pool.pool->garbage_under_snapshots()).value();
  };
  for (int i = 0; i < 11; ++i) ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), 900'000));
  const SetId set = pool.set_of("key-0").id;
  pool.keep_snapshot(pool.set_of("key-0").member_bytes * pool.set_of("key-0").data_shards);
  ASSERT_EQ(pool.ledger.state()->snapshots[0].body.extents(0).set(), set.value);
  for (int i = 0; i < 11; ++i) pool.forget("key-" + std::to_string(i));
  rest();
  pool.seal_all();
  rest();
  ASSERT_TRUE(pool.ledger.state()->sets.at(set).sealed_bytes);
  EXPECT_TRUE(named().empty());
}

}  // namespace
}  // namespace kura::disk
