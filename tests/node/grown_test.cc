// A node that gets one more drive while too few have room for the mirrors of more drives.

#include <algorithm>

#include "node_world.h"
#include "sim/sim_view.h"

namespace kura::node {
namespace {

constexpr uint64_t kPlenty = 1ULL << 40;

class Grown : public testing::Test {
 protected:
  void start(size_t drives) {
    world_ = std::make_unique<NodeWorld>(drives);
    world_->options.drive_check_ns = 2 * sim::kSecond;
    views_ = std::make_unique<sim::SimViews>(world_->disks);
    Result<void> started = world_->start(*views_);
    ASSERT_TRUE(started) << started.error().detail;
    bucket_ = world_->create_bucket("bucket");
    ASSERT_TRUE(world_->put(bucket_, "key", "body"));
  }
  ~Grown() override {
    if (world_) world_->crash();
  }
  // With room for mirror sets, and for no segment.
  static void fill(sim::SimDisk& disk) {
    disk.options().capacity_bytes = disk.used_bytes() + kMiB / 2;
  }
  void add_full_drive() {
    const auto number = static_cast<uint32_t>(world_->disks.size() + 1);
    world_->disks.push_back(
        std::make_unique<sim::SimDisk>(world_->world, number, sim::DiskOptions{}));
    fill(*world_->disks.back());
    auto added =
        world_->run<Result<DriveId>>(world_->node->add_drive(world_->disks.back()->mount()));
    ASSERT_TRUE(added) << added.error().detail;
  }
  sim::SimDisk& disk_of(const journal::JournalStatus::MirrorStatus& drive) {
    for (auto& disk : world_->disks)
      if ("drive " + std::to_string(disk->number()) == drive.label) return *disk;
    std::abort();
  }
  size_t told(const std::string& line) {
    return static_cast<size_t>(std::count(world_->log.begin(), world_->log.end(), line));
  }
  journal::JournalStatus journal() { return world_->node->journal().status(); }
  void run_for(int64_t seconds) { world_->world.run_for(seconds * sim::kSecond); }

  std::unique_ptr<NodeWorld> world_;
  std::unique_ptr<sim::SimViews> views_;
  BucketId bucket_;
};

// The pool sees that a drive is gone, and the journal is told only in a while.
TEST_F(Grown, OneInThePlaceOfADriveThatIsGoneIsNotWrittenToAsBoth) {
  start(4);
  const auto gone = journal().other_drives.front();
  sim::SimDisk& disk = disk_of(gone);
  disk.replace_empty();
  (void)world_->run<Result<void>>(world_->node->disks().take_offline(gone.drive, "gone"));
  auto added = world_->run<Result<DriveId>>(world_->node->add_drive(disk.mount_again()));
  ASSERT_TRUE(added) << added.error().detail;
  const journal::JournalStatus now = journal();
  for (const auto* drives : {&now.mirrors, &now.other_drives})
    for (const auto& drive : *drives) EXPECT_NE(drive.drive, gone.drive);
  EXPECT_EQ(now.mirrors.size() + now.other_drives.size(), 4u);
  ASSERT_EQ(now.failed.size(), 1u);
  EXPECT_EQ(now.failed.front(), gone.label + ": the drive is offline");
  EXPECT_EQ(world_->node->journal_degraded_reason(), "");
  (void)world_->run<Result<void>>(world_->node->journal().drive_failed(*added, "it fails"));
  EXPECT_EQ(world_->node->journal_degraded_reason(),
            "the journal does not use " + gone.label + ": it fails");
}

TEST_F(Grown, TheJournalGetsItsMirrorsOnceThereIsRoom) {
  start(3);
  ASSERT_EQ(journal().mirrors.size(), 2u);
  EXPECT_EQ(world_->node->journal_degraded_reason(), "");
  for (const auto& other : journal().other_drives) fill(disk_of(other));
  add_full_drive();
  const std::string why =
      "the journal cannot have 3 mirrors: too few other drives have room for a copy of it";
  EXPECT_EQ(world_->node->journal_degraded_reason(), why);
  EXPECT_EQ(world_->node->mirrors_wanted(), 3u);
  EXPECT_EQ(world_->node->why_read_only(), "");
  // It asks again and again, which writes nothing and is told once.
  const uint64_t generation = journal().generation;
  run_for(60);
  EXPECT_EQ(journal().mirrors.size(), 2u);
  EXPECT_EQ(journal().generation, generation);
  EXPECT_EQ(told(why), 1u);
  EXPECT_TRUE(world_->put(bucket_, "key", "another body"));
  world_->disks.back()->options().capacity_bytes = kPlenty;
  run_for(5);
  EXPECT_EQ(journal().mirrors.size(), 3u);
  EXPECT_EQ(world_->node->journal_degraded_reason(), "");
  EXPECT_EQ(told("the journal has 3 mirrors now"), 1u);
}

TEST_F(Grown, AStartThatFindsNoRoomAsksAgainToo) {
  start(3);
  for (const auto& other : journal().other_drives) fill(disk_of(other));
  add_full_drive();
  world_->crash();
  views_ = std::make_unique<sim::SimViews>(world_->disks);  // One more place for a view.
  Result<void> again = world_->start(*views_);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_NE(world_->node->journal_degraded_reason(), "");
  world_->disks.back()->options().capacity_bytes = kPlenty;
  run_for(5);
  EXPECT_EQ(journal().mirrors.size(), 3u);
}

// Eight drives want five mirrors, seven three. Of the five others two have room, and no two that
// follow one another.
TEST_F(Grown, WhichOfTheOtherDrivesHaveRoomDoesNotMatter) {
  start(7);
  ASSERT_EQ(journal().mirrors.size(), 3u);
  const auto others = journal().other_drives;
  ASSERT_EQ(others.size(), 4u);
  fill(disk_of(others[0]));
  fill(disk_of(others[2]));
  add_full_drive();
  EXPECT_EQ(journal().mirrors.size(), 5u) << world_->node->journal_degraded_reason();
  EXPECT_EQ(world_->node->journal_degraded_reason(), "");
}

}  // namespace
}  // namespace kura::node
