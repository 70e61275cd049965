// When snapshots lie less safely than they could.

#include "actors/disk/stripe.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

struct Kept : testing::Test {
  explicit Kept(size_t drives = 6) : pool(drives) {
    EXPECT_TRUE(pool.start());
    keep_two();
  }
  void keep_two() {
    for (int i = 0; i < 2; ++i) pool.keep_snapshot(20'000);
  }
  void lose(std::initializer_list<size_t> drives) {
    for (size_t i : drives)
      ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
    pool.settle();
  }
  void add_drive() {
    const size_t place = pool.disks.size();
    const auto number = static_cast<uint32_t>(place);
    pool.disks.push_back(std::make_unique<sim::SimDisk>(pool.world, number, sim::DiskOptions{}));
    ASSERT_TRUE(pool.add_new_drive(place, place));
  }
  KeptSnapshots kept() { return pool.run<KeptSnapshots>(pool.pool->kept_snapshots()); }
  size_t readable() { return kept().readable.size(); }
  bool outdone() { return kept().outdone; }
  PoolWorld pool;
};

TEST_F(Kept, WholeSetsAreAsGoodAsNewOnes) {
  EXPECT_EQ(readable(), 2u);
  EXPECT_FALSE(outdone());
  pool.seal_all();
  EXPECT_FALSE(outdone());
}

TEST_F(Kept, OneThatCannotBeReadIsOutdoneUntilBothAreNew) {
  lose({3, 4, 5});
  EXPECT_EQ(readable(), 0u);
  EXPECT_TRUE(outdone()) << "three drives take a set";
  for (int i = 0; i < 3; ++i) add_drive();
  pool.maintain(3);
  EXPECT_EQ(readable(), 0u);
  pool.keep_snapshot(20'000);
  EXPECT_EQ(readable(), 1u);
  EXPECT_TRUE(outdone());
  pool.keep_snapshot(20'000);
  EXPECT_EQ(readable(), 2u);
  EXPECT_FALSE(outdone());
  pool.maintain(3);
  EXPECT_EQ(pool.ledger.state()->sets.size(), 1u) << "nobody names the lost set";
  EXPECT_EQ(pool.status().bytes_below_full_parity, 0u);
}

TEST_F(Kept, NoneIsOutdoneWhileNoneCanBeTaken) {
  lose({2, 3, 4, 5});
  EXPECT_EQ(readable(), 0u);
  EXPECT_FALSE(outdone());
}

// A rebuild is cheaper than two snapshots of a large view.
TEST_F(Kept, WhatIsRebuiltIsNotOutdone) {
  lose({1});
  EXPECT_TRUE(outdone()) << "no drive takes its member";
  add_drive();
  EXPECT_FALSE(outdone());
  EXPECT_EQ(readable(), 2u);
  pool.maintain(2);
  EXPECT_EQ(pool.status().members_missing, 0u);
  EXPECT_FALSE(outdone());
}

TEST_F(Kept, OnFewerDrivesFullParityIsAsGoodAsItGets) {
  lose({1});
  EXPECT_TRUE(outdone());
  keep_two();
  EXPECT_FALSE(outdone());
}

TEST_F(Kept, ADriveThatMayReturnIsWaitedFor) {
  pool.restart({1});
  pool.settle();
  EXPECT_EQ(readable(), 2u);
  EXPECT_FALSE(outdone());
  pool.world.run_for(pool.options.lost_after_ns);
  EXPECT_TRUE(outdone());
}

// Files vanish on drives that stay: their members are made anew, without what nobody can give.
TEST_F(Kept, OneInASetThatWasRebuiltWithHolesCannotBeRead) {
  ASSERT_TRUE(pool.put_now("lost", 900'000));
  pool.seal_all();
  const std::string name = set_file_name(SetId(1));
  for (size_t place : {0, 1, 2}) pool.take_file(place, name);
  pool.restart();
  pool.maintain();
  ASSERT_EQ(pool.status().members_missing, 0u);
  EXPECT_EQ(readable(), 0u);
  keep_two();
  EXPECT_FALSE(outdone());
}

struct KeptOnOneDrive : Kept {
  KeptOnOneDrive() : Kept(1) {}
};

TEST_F(KeptOnOneDrive, AGrownStoreHasMoreParity) {
  EXPECT_FALSE(outdone());
  size_t renewals = 0;
  for (int added = 1; added < 6; ++added) {
    add_drive();
    EXPECT_EQ(readable(), 2u);
    for (; outdone(); ++renewals) pool.keep_snapshot(20'000);
  }
  EXPECT_EQ(renewals, 4u) << "two at two drives, two at four";
}

}  // namespace
}  // namespace kura::disk
