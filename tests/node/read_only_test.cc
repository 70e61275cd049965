// A node that starts with too few drives to append: what it shows, what it leaves alone, and when
// it asks for another start.

#include <algorithm>

#include "sim/sim_view.h"
#include "tests/node/node_world.h"

namespace kura::node {
namespace {

class ReadOnly : public testing::Test {
 protected:
  void start(size_t drives) {
    world_ = std::make_unique<NodeWorld>(drives);
    world_->options.drive_check_ns = 2 * sim::kSecond;
    views_ = std::make_unique<sim::SimViews>(world_->disks);
    ASSERT_NO_FATAL_FAILURE(start_again());
    bucket_ = world_->create_bucket("bucket");
    ASSERT_TRUE(world_->put(bucket_, "kept", "body"));
  }
  void start_again() {
    const Result<void> started = world_->start(*views_);
    ASSERT_TRUE(started) << started.error().detail;
  }
  ~ReadOnly() override {
    if (world_) world_->crash();
  }
  sim::SimDisk& disk(size_t i) { return *world_->disks[i]; }
  bool is_read_only() const { return !world_->node->started_read_only().empty(); }
  bool has(const std::string& key) {
    const auto version = world_->node->store().view.current(bucket_, key);
    EXPECT_TRUE(version) << version.error().detail;
    return version && version->has_value();
  }
  // Of a view that is closed.
  uint64_t end_of_view(size_t drive) {
    auto kv = views_->open(drive);
    return (*ViewFold::open(**kv))->position().end.value;
  }
  // The journal's own recovery may remove what was prepared behind its end.
  std::vector<std::string> sets_of(size_t drive) {
    std::vector<std::string> names = disk(drive).names();
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("sets/"); });
    return names;
  }
  void run_for(int64_t seconds) { world_->world.run_for(seconds * sim::kSecond); }
  // The process dies when drive 0 has the record of a PUT and no other drive does.
  void put_that_only_one_mirror_takes(const std::string& key) {
    const uint64_t synced = disk(0).counts().syncs;
    for (size_t i = 1; i < world_->disks.size(); ++i) disk(i).set_hung(true);
    CommitPut action;
    action.version.set_size_bytes(4);
    action.version.set_stored_bytes(4);
    action.version.set_etag(std::string(16, 'e'));
    action.inline_body = "body";
    Command command{.bucket = bucket_, .key = key, .action = std::move(action)};
    std::optional<Result<Outcome>> outcome;
    world_->begin(world_->node->store().buckets.submit(std::move(command)), &outcome);
    world_->world.run_until([&] { return disk(0).counts().syncs > synced || outcome; },
                            world_->world.now_ns() + sim::kSecond);
    ASSERT_FALSE(outcome) << "it was answered";
    for (size_t i = 1; i < world_->disks.size(); ++i) disk(i).set_dead(true);
    world_->crash();
    for (size_t i = 1; i < world_->disks.size(); ++i) disk(i).set_hung(false);
  }

  std::unique_ptr<NodeWorld> world_;
  std::unique_ptr<sim::SimViews> views_;
  BucketId bucket_;
};

// It is what the log held when the node started; drives that come back without it take it away.
TEST_F(ReadOnly, ARecordThatOneMirrorHasIsShownAndKeptOutOfThePersistedView) {
  ASSERT_NO_FATAL_FAILURE(start(4));
  ASSERT_EQ(world_->node->view_recovery().drive, "drive 1");
  const auto mirrors = world_->node->journal().status().mirrors;
  ASSERT_EQ(mirrors.size(), 3u);
  ASSERT_EQ(mirrors[0].label, "drive 1");
  ASSERT_NO_FATAL_FAILURE(put_that_only_one_mirror_takes("torn-1"));
  const uint64_t persisted = end_of_view(0);

  disk(3).set_dead(false);  // With the first drive it is half of them.
  ASSERT_NO_FATAL_FAILURE(start_again());
  ASSERT_TRUE(is_read_only());
  EXPECT_TRUE(has("kept"));
  EXPECT_TRUE(has("torn-1"));
  EXPECT_GT(world_->node->view_position().end.value, persisted);
  (void)world_->digest();  // Whoever iterates has what is gathered written into the map.
  world_->crash();
  EXPECT_EQ(end_of_view(0), persisted) << "a view that stays is ahead of the log";

  disk(0).set_dead(true);
  disk(1).set_dead(false);
  disk(2).set_dead(false);
  ASSERT_NO_FATAL_FAILURE(start_again());
  ASSERT_FALSE(is_read_only());
  EXPECT_TRUE(has("kept"));
  EXPECT_FALSE(has("torn-1"));
  ASSERT_TRUE(world_->put(bucket_, "since-1", "body"));  // At the same place of the log.
  const std::string digest = world_->digest();
  world_->crash();

  // All are there, and the first drive's view is the only one.
  disk(0).set_dead(false);
  ASSERT_TRUE(views_->remove(1));
  ASSERT_NO_FATAL_FAILURE(start_again());
  ASSERT_FALSE(is_read_only());
  EXPECT_EQ(world_->node->view_recovery().drive, "drive 1");
  EXPECT_TRUE(has("kept") && has("since-1"));
  EXPECT_FALSE(has("torn-1"));
  EXPECT_EQ(world_->objects(bucket_), 2u);
  const std::string resumed = world_->digest();
  world_->crash();
  views_->remove();
  ASSERT_NO_FATAL_FAILURE(start_again());
  EXPECT_EQ(resumed, digest);
  EXPECT_EQ(world_->digest(), digest);
}

TEST_F(ReadOnly, AsksForAnotherStartOnceADriveIsBack) {
  ASSERT_NO_FATAL_FAILURE(start(2));
  world_->crash();
  disk(0).set_dead(true);
  ASSERT_NO_FATAL_FAILURE(start_again());
  ASSERT_TRUE(is_read_only());
  EXPECT_EQ(world_->node->started_read_only(),
            "read-only: 1 drive of 2 is here, 2 are needed to write");
  EXPECT_TRUE(has("kept"));
  run_for(20);
  EXPECT_FALSE(world_->drives_back);
  disk(0).set_dead(false);
  run_for(5);
  EXPECT_TRUE(world_->drives_back);
  world_->crash();
  EXPECT_TRUE(views_->exists_new(1));
  ASSERT_NO_FATAL_FAILURE(start_again());
  EXPECT_FALSE(is_read_only());
  EXPECT_EQ(world_->node->view_recovery().drive, "drive 1");
  EXPECT_FALSE(views_->exists_new(1)) << "it keeps the room of a view that nobody needs";
  EXPECT_TRUE(world_->put(bucket_, "more", "body"));
  EXPECT_TRUE(has("kept"));
}

TEST_F(ReadOnly, ADriveThatIsAddedIsUsedByTheNextStart) {
  ASSERT_NO_FATAL_FAILURE(start(2));
  world_->crash();
  disk(1).set_dead(true);
  ASSERT_NO_FATAL_FAILURE(start_again());
  world_->disks.push_back(std::make_unique<sim::SimDisk>(world_->world, 3, sim::DiskOptions{}));
  auto id = world_->run<Result<DriveId>>(world_->node->add_drive(disk(2).mount()));
  ASSERT_TRUE(id) << id.error().detail;
  run_for(5);
  EXPECT_TRUE(world_->drives_back);
  world_->crash();
  views_ = std::make_unique<sim::SimViews>(world_->disks);
  ASSERT_NO_FATAL_FAILURE(start_again());
  EXPECT_FALSE(is_read_only());
  EXPECT_EQ(world_->node->tenants().state()->drives.size(), 3u);
  EXPECT_TRUE(world_->put(bucket_, "more", "body"));
}

// What is left over is judged by the end of the log, which may not count here.
TEST_F(ReadOnly, RemovesNoSets) {
  ASSERT_NO_FATAL_FAILURE(start(2));
  ASSERT_TRUE(world_->put_large(bucket_, "large", 300 * kKiB));
  world_->crash();
  const std::string leftover = "sets/left.new";
  {
    sim::SimLoop loop(world_->world, "maker", world_->clock);
    auto drive = disk(0).mount();
    auto made = sim::run_task<Result<std::shared_ptr<File>>>(world_->world, loop,
                                                             drive->create(leftover, 0));
    ASSERT_TRUE(made) << made.error().detail;
    loop.stop();
  }
  const std::vector<std::string> before = sets_of(0);
  disk(1).set_dead(true);
  ASSERT_NO_FATAL_FAILURE(start_again());
  ASSERT_TRUE(is_read_only());
  const journal::Bounds log = world_->node->journal().bounds();
  run_for(60);
  EXPECT_EQ(world_->node->journal().bounds().end, log.end);
  EXPECT_EQ(sets_of(0), before);
  world_->crash();
  disk(1).set_dead(false);
  ASSERT_NO_FATAL_FAILURE(start_again());
  EXPECT_FALSE(disk(0).has(leftover));
}

// Archives and a view that is built anew need what the drives that are left hold of the sets, and
// nothing that appends.
TEST_F(ReadOnly, BodiesThatLeftTheLogAreReadThere) {
  ASSERT_NO_FATAL_FAILURE(start(4));
  auto body_of = [](int i) { return std::string(8 * kKiB, static_cast<char>('a' + i % 26)); };
  const int count = 400;
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(world_->put(bucket_, "archived-" + std::to_string(i), body_of(i)));
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(world_->housekeep());
  const auto archived = world_->node->tenants().state()->archived;
  ASSERT_FALSE(archived.empty());
  ASSERT_GT(world_->node->journal().bounds().start, archived.front()->from)
      << "the log was not cut";
  auto expect_all = [&] {
    int in_archives = 0;
    for (int i = 0; i < count; ++i) {
      const Store& store = world_->node->store();
      const auto version = store.view.current(bucket_, "archived-" + std::to_string(i));
      ASSERT_TRUE(version && *version) << i;
      const v1::JournalBody place = (*version)->body().journal();
      auto body = world_->run<Result<std::string>>(store.inline_bodies.read_body(place));
      ASSERT_TRUE(body) << i << ": " << body.error().detail;
      EXPECT_EQ(*body, body_of(i));
      if (Offset{place.offset()} < world_->node->journal().bounds().start) ++in_archives;
    }
    EXPECT_GT(in_archives, count / 2);
  };
  ASSERT_NO_FATAL_FAILURE(expect_all());
  for (bool with_view : {true, false}) {
    world_->crash();
    disk(2).set_dead(true);
    disk(3).set_dead(true);
    if (!with_view) views_->remove();
    ASSERT_NO_FATAL_FAILURE(start_again());
    ASSERT_TRUE(is_read_only());
    ASSERT_NO_FATAL_FAILURE(expect_all());
  }
  world_->crash();
  disk(2).set_dead(false);
  disk(3).set_dead(false);
  ASSERT_NO_FATAL_FAILURE(start_again());
  EXPECT_FALSE(is_read_only());
  ASSERT_NO_FATAL_FAILURE(expect_all());
}

}  // namespace
}  // namespace kura::node
