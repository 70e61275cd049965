// A node one of whose drives hangs, or is lost while nobody writes; and drives that are added when
// the journal has too few mirrors, killed between any two steps.

#include <algorithm>

#include "actors/disk/disk_pool.h"
#include "base/fail_point.h"
#include "node_world.h"
#include "sim/sim_view.h"

namespace kura::node {
namespace {

class HungDrive : public testing::Test {
 protected:
  void prepare(size_t drives) {
    world_ = std::make_unique<NodeWorld>(drives);
    world_->options.drive_check_ns = 2 * sim::kSecond;
    views_ = std::make_unique<sim::SimViews>(world_->disks);
  }
  void start(size_t drives) {
    prepare(drives);
    start();
  }
  void start() {
    Result<void> started = world_->start(*views_);
    ASSERT_TRUE(started) << started.error().detail;
    bucket_ = world_->create_bucket("bucket");
    ASSERT_TRUE(put(100));
  }
  ~HungDrive() override {
    disarm_fail_points();
    if (world_) world_->crash();
  }
  bool put(uint64_t bytes) {
    const std::string key = "key " + std::to_string(++keys_);
    const auto done = bytes > 16 * kKiB ? world_->put_large(bucket_, key, bytes)
                                        : world_->put(bucket_, key, std::string(bytes, 'b'));
    return done.has_value();
  }
  journal::JournalStatus journal() { return world_->node->journal().status(); }
  sim::SimDisk& disk_of(const journal::JournalStatus::MirrorStatus& mirror) {
    for (auto& disk : world_->disks)
      if ("drive " + std::to_string(number(*disk)) == mirror.label) return *disk;
    std::abort();
  }
  // Not the view's, whose loss ends the process.
  sim::SimDisk& some_mirror() {
    for (const auto& mirror : journal().mirrors)
      if (mirror.label != world_->node->view_recovery().drive) return disk_of(mirror);
    std::abort();
  }
  bool has_mirror(const sim::SimDisk& disk) { return holds(journal().mirrors, disk); }
  bool has_other(const sim::SimDisk& disk) { return holds(journal().other_drives, disk); }
  bool holds(const std::vector<journal::JournalStatus::MirrorStatus>& among,
             const sim::SimDisk& disk) {
    return std::any_of(among.begin(), among.end(),
                       [&](const auto& mirror) { return &disk_of(mirror) == &disk; });
  }
  size_t number(const sim::SimDisk& disk) {
    for (size_t i = 0; i < world_->disks.size(); ++i)
      if (world_->disks[i].get() == &disk) return i + 1;
    std::abort();
  }
  int64_t now_ns() { return world_->world.now_ns(); }
  void run_for(int64_t seconds) { world_->world.run_for(seconds * sim::kSecond); }

  std::unique_ptr<NodeWorld> world_;
  std::unique_ptr<sim::SimViews> views_;
  BucketId bucket_;
  int keys_ = 0;
};

TEST_F(HungDrive, WritesGoOnWithinTheDeadlineAndWithoutDelayAfterwards) {
  start(4);
  sim::SimDisk& victim = some_mirror();
  victim.set_hung(true);
  int64_t before_ns = now_ns();
  EXPECT_TRUE(put(100));
  EXPECT_LE(now_ns() - before_ns, 13 * sim::kSecond);
  EXPECT_FALSE(has_mirror(victim));
  EXPECT_EQ(journal().mirrors.size(), journal().mirrors_wanted);
  run_for(5);
  before_ns = now_ns();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(put(i % 2 == 0 ? 100 : 300 * kKiB));
  EXPECT_LE(now_ns() - before_ns, 2 * sim::kSecond);
  // It answers again: what it was told long ago happens, and it may be a mirror again some day.
  victim.set_hung(false);
  run_for(30);
  EXPECT_TRUE(put(100));
  const uint64_t objects = world_->objects(bucket_);
  const std::string digest = world_->digest();
  world_->crash();
  Result<void> again = world_->start(*views_);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(world_->objects(bucket_), objects);
  EXPECT_EQ(world_->digest(), digest);
}

TEST_F(HungDrive, AnIdleNodeReplacesAMirrorThatHangs) {
  start(4);
  sim::SimDisk& victim = some_mirror();
  const uint64_t appends = journal().appends;
  victim.set_hung(true);
  run_for(16);  // A look of 2 s, 10 s of silence, another look.
  EXPECT_FALSE(has_mirror(victim));
  EXPECT_EQ(journal().mirrors.size(), 3u);
  EXPECT_EQ(journal().appends, appends);
  victim.set_hung(false);
  run_for(10);
  EXPECT_TRUE(has_other(victim));
}

// Whether another one is mounted in its place by now nobody can tell: the others go on, and there
// is one such question, however long that lasts.
TEST_F(HungDrive, APlaceThatDoesNotSayWhatIsMountedThereHoldsNobodyUp) {
  using Mounted = Result<std::shared_ptr<Drive>>;
  std::vector<Resolver<Mounted>> asked;
  prepare(5);
  world_->mounted_anew = [&asked](std::shared_ptr<Drive>) -> Task<Mounted> {
    auto keep = [&asked](Resolver<Mounted> resolve) { asked.push_back(resolve); };
    co_return co_await suspend<Mounted>(keep);
  };
  start();
  std::vector<journal::JournalStatus::MirrorStatus> lost;
  for (const auto& mirror : journal().mirrors)
    if (mirror.label != world_->node->view_recovery().drive) lost.push_back(mirror);
  ASSERT_EQ(lost.size(), 2u);
  disk_of(lost[0]).set_hung(true);
  run_for(40);
  EXPECT_EQ(asked.size(), 1u);
  disk_of(lost[1]).set_dead(true);
  run_for(20);  // Nobody writes: the node tells the journal.
  EXPECT_EQ(journal().mirrors.size(), 3u);
  EXPECT_FALSE(holds(journal().mirrors, disk_of(lost[1])));
  Result<void> removed = world_->run<Result<void>>(world_->node->remove_drive(lost[1].drive));
  EXPECT_TRUE(removed) << removed.error().detail;
}

TEST_F(HungDrive, AnIdleNodeReplacesAMirrorThatIsGone) {
  start(4);
  sim::SimDisk& victim = some_mirror();
  const uint64_t appends = journal().appends;
  victim.set_dead(true);
  run_for(6);
  EXPECT_FALSE(has_mirror(victim));
  EXPECT_EQ(journal().mirrors.size(), 3u);
  EXPECT_EQ(journal().appends, appends);
  // Back as it was, it is of use again.
  victim.set_dead(false);
  run_for(6);
  EXPECT_TRUE(has_other(victim));
}

// Two drives can do with one mirror lost neither append nor replace it.
TEST_F(HungDrive, AnIdleNodeTakesAMirrorBackThatNothingCouldReplace) {
  start(2);
  sim::SimDisk& victim = some_mirror();
  victim.set_dead(true);
  run_for(6);
  EXPECT_TRUE(journal().degraded);
  EXPECT_FALSE(put(100));
  victim.set_dead(false);
  run_for(6);
  EXPECT_FALSE(journal().degraded);
  EXPECT_TRUE(put(100));
}

// The drive of the view is replaced before the node has looked twice: nothing of the view can be
// read any more, though no drive is missing.
TEST_F(HungDrive, AViewWhoseDriveIsReplacedAtOnceIsBuiltAnew) {
  start(4);
  sim::SimDisk* with_view = nullptr;
  for (auto& disk : world_->disks)
    if (world_->node->view_recovery().drive == "drive " + std::to_string(number(*disk)))
      with_view = disk.get();
  ASSERT_TRUE(with_view);
  run_for(3);
  with_view->replace_empty();
  run_for(2);  // It is seen to be away, once.
  ASSERT_EQ(world_->node->disks().offline().size(), 1u);
  world_->may_end = true;
  auto added = world_->run<Result<DriveId>>(world_->node->add_drive(with_view->mount()));
  ASSERT_TRUE(added) << added.error().detail;
  run_for(3);
  EXPECT_FALSE(world_->ended.empty());
  world_->crash();
  ASSERT_TRUE(world_->start(*views_));
  EXPECT_EQ(world_->objects(bucket_), 1u);
}

// A node of two drives that lost one for good, and a third.
class AddDrive : public HungDrive {
 protected:
  void lose_one_of_two() {
    start(2);
    lost_ = number(some_mirror()) - 1;
    world_->disks[lost_]->set_dead(true);
    EXPECT_FALSE(put(100));
    world_->disks.push_back(std::make_unique<sim::SimDisk>(world_->world, 3, sim::DiskOptions{}));
  }
  Result<DriveId> add() {
    return world_->run<Result<DriveId>>(world_->node->add_drive(world_->disks[2]->mount()));
  }
  // The new drive is one of the cluster, of the pool and of the journal.
  void expect_joined() {
    EXPECT_EQ(world_->node->tenants().state()->drives.size(), 3u);
    EXPECT_TRUE(has_mirror(*world_->disks[2]));
    EXPECT_FALSE(journal().degraded);
    const auto offline = world_->node->disks().offline();
    EXPECT_EQ(offline.size(), 1u);
    EXPECT_TRUE(put(100));
    EXPECT_TRUE(put(300 * kKiB));
  }
  // Killed at `point` of adding it. False: it did not come by.
  bool killed_at(const char* point) {
    bool reached = false;
    arm_fail_point(*parse_fail_point(point), 1, [&reached] { reached = true; });
    const bool killed = world_->run_and_kill<Result<DriveId>>(
        world_->node->add_drive(world_->disks[2]->mount()), [&reached] { return reached; });
    disarm_fail_points();
    return killed && reached;
  }
  size_t lost_ = 0;
};

// After identity; before and after the journal has it; after the record; what comes before the
// pool.
constexpr const char* kSteps[] = {"drive.identity:after", "journal.refill:before",
                                  "journal.refill:after", "journal.mirror_set.commit:after",
                                  "drive.record:before",  "drive.record:after"};

TEST_F(AddDrive, ADriveIsAddedWhenTheJournalLacksMirrors) {
  lose_one_of_two();
  auto added = add();
  ASSERT_TRUE(added) << added.error().detail;
  run_for(5);
  expect_joined();
}

TEST_F(AddDrive, TheNextStartCompletesWhatAKilledProcessBegan) {
  for (const char* step : kSteps) {
    SCOPED_TRACE(step);
    lose_one_of_two();
    ASSERT_TRUE(killed_at(step));
    views_ = std::make_unique<sim::SimViews>(world_->disks);
    Result<void> started = world_->start(*views_);  // With all three named.
    ASSERT_TRUE(started) << started.error().detail;
    run_for(5);
    expect_joined();
    world_->crash();
  }
}

// One that was added half way and never comes back is none of those that a start has to see.
TEST_F(AddDrive, WhatAKilledProcessBeganDoesNotCountWithoutTheDrive) {
  start(4);
  world_->disks.push_back(std::make_unique<sim::SimDisk>(world_->world, 5, sim::DiskOptions{}));
  bool reached = false;
  arm_fail_point(*parse_fail_point("drive.record:before"), 1, [&reached] { reached = true; });
  ASSERT_TRUE(world_->run_and_kill<Result<DriveId>>(
      world_->node->add_drive(world_->disks[4]->mount()), [&reached] { return reached; }));
  disarm_fail_points();
  world_->disks.pop_back();
  ASSERT_TRUE(world_->start(*views_));
  world_->crash();
  // As many as may be lost.
  world_->disks[0]->set_dead(true);
  world_->disks[1]->set_dead(true);
  Result<void> started = world_->start(*views_);
  ASSERT_TRUE(started) << started.error().detail;
}

// Started without the new drive, which the lost one is back for.
TEST_F(AddDrive, AddingItOnceMoreCompletesWhatAKilledProcessBegan) {
  for (const char* step : kSteps) {
    SCOPED_TRACE(step);
    lose_one_of_two();
    ASSERT_TRUE(killed_at(step));
    auto added_disk = std::move(world_->disks.back());
    world_->disks.pop_back();
    world_->disks[lost_]->set_dead(false);
    Result<void> started = world_->start(*views_);
    ASSERT_TRUE(started) << started.error().detail;
    world_->disks[lost_]->set_dead(true);
    run_for(5);
    world_->disks.push_back(std::move(added_disk));
    auto added = add();
    ASSERT_TRUE(added) << added.error().detail;
    run_for(5);
    expect_joined();
    world_->crash();
  }
}

}  // namespace
}  // namespace kura::node
