// Housekeeping of a whole node: what happens to log, snapshots and room as requests come.

#include "node/scrubber.h"
#include "sim/sim_view.h"
#include "tests/node/node_world.h"
#include "tests/node/wrapped_views.h"

namespace kura::node {
namespace {

constexpr size_t kBody = 16'000;

// Its map cannot be read through when told so, as on a drive with read errors.
class FailingViews final : public WrappedViews {
 public:
  using WrappedViews::WrappedViews;
  bool failing = false;

 private:
  struct Broken final : KvIterator {
    void seek(std::string_view) override {}
    void next() override {}
    bool valid() const override { return false; }
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    Result<void> status() const override { return fail(Errc::io_error, "cannot be read"); }
  };
  struct Breakable final : ForwardingKv {
    Breakable(const FailingViews& o, std::unique_ptr<Kv> below)
        : ForwardingKv(std::move(below)), owner(o) {}
    std::unique_ptr<KvIterator> iterate() override {
      if (owner.failing) return std::make_unique<Broken>();
      return ForwardingKv::iterate();
    }
    const FailingViews& owner;
  };
  std::unique_ptr<Kv> wrap(std::unique_ptr<Kv> kv) override {
    return std::make_unique<Breakable>(*this, std::move(kv));
  }
};

struct Housekept : testing::Test {
  explicit Housekept(sim::DiskOptions disk = {}, size_t drives = 4)
      : world(drives, disk), views(world.disks) {}
  ~Housekept() override { world.crash(); }

  void put_small(int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(world.put(bucket, std::to_string(i % 8), std::string(kBody, 'b')));
  }
  size_t segments() { return world.node->journal().segments().size(); }
  std::vector<Snapshot> snapshots() { return world.node->tenants().state()->snapshots; }

  NodeWorld world;
  sim::SimViews views;
  BucketId bucket;
};

TEST_F(Housekept, APassTakesOneSnapshotAndTheNextOneCutsUpToIt) {
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  put_small(200);
  const size_t before = segments();
  ASSERT_GE(before, 3u);
  ASSERT_TRUE(world.housekeep());
  EXPECT_EQ(snapshots().size(), 1u);
  EXPECT_GE(segments(), before);
  ASSERT_TRUE(world.housekeep());
  EXPECT_EQ(snapshots().size(), 2u);
  EXPECT_EQ(segments(), 1u);
}

TEST_F(Housekept, UnderLoadTheLogStaysShortForAFewSnapshots) {
  world.options.housekeeping_ns = world.options.maintenance_ns = 50 * sim::kMillisecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  size_t taken = 0, most = 0;
  Offset newest;
  for (int i = 0; i < 2000; ++i) {  // About 32 segments.
    put_small(1);
    most = std::max(most, segments());
    if (snapshots().empty() || snapshots().back().offset == newest) continue;
    newest = snapshots().back().offset;
    ++taken;
  }
  // On such drives 16 are the maximum, and a snapshot comes with each 8.
  EXPECT_LE(most, 20u);
  EXPECT_GE(taken, 3u);
  EXPECT_LE(taken, 5u);
}

// Also in a store that never fills a segment.
TEST_F(Housekept, AfterACrashAtRestNothingIsReplayed) {
  world.options.housekeeping_ns = sim::kSecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  put_small(5);
  world.world.run_for(15 * sim::kSecond);
  world.crash();
  sim::SimRandom random{1};
  views.crash(sim::Unsynced::dropped, random);
  ASSERT_TRUE(world.start(views));
  EXPECT_LE(world.node->view_recovery().replayed, 16u) << "claims and what maintenance appends";
  EXPECT_FALSE(world.node->view_recovery().built_anew);
  EXPECT_EQ(world.objects(bucket), 5u);
  for (int i = 0; i < 4; ++i) {  // Nobody writes.
    world.world.run_for(60 * sim::kSecond);
    world.crash();
    views.crash(sim::Unsynced::dropped, random);
    ASSERT_TRUE(world.start(views));
    EXPECT_LE(world.node->view_recovery().replayed, 32u);
  }
  world.crash();
}

// The log rests while a pass fails; what it would have freed is freed once it can be.
TEST_F(Housekept, APassThatFailedAtRestIsMadeAgain) {
  FailingViews failing(views);
  world.options.housekeeping_ns = 50 * sim::kMillisecond;
  ASSERT_TRUE(world.start(failing));
  bucket = world.create_bucket("b");
  put_small(200);
  ASSERT_GE(segments(), 3u);
  failing.failing = true;
  world.world.run_for(20 * sim::kSecond);
  ASSERT_GE(segments(), 3u);
  EXPECT_FALSE(world.log.empty());
  EXPECT_LT(world.log.size(), 50u) << "tried too often";
  failing.failing = false;
  world.world.run_for(20 * sim::kSecond);
  EXPECT_EQ(segments(), 1u);
  world.crash();
}

// Goal: after everything was deleted the drives hold what an empty store holds, though bodies that
// left the log and snapshots stood in one set.
TEST_F(Housekept, EverythingDeletedGivesAllRoomBack) {
  world.options.housekeeping_ns = world.options.maintenance_ns = 50 * sim::kMillisecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  auto used = [&] {
    uint64_t bytes = 0;
    for (const auto& disk : world.disks) bytes += disk->used_bytes();
    return bytes;
  };
  world.world.run_for(sim::kSecond);
  const uint64_t start = used();
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(world.put(bucket, std::to_string(i), std::string(kBody, 'b')));
  world.world.run_for(10 * sim::kSecond);
  ASSERT_EQ(segments(), 1u);
  ASSERT_EQ(snapshots().size(), 2u);
  const Offset newest = snapshots().back().offset;
  EXPECT_GT(used(), start + 200 * kBody);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(world.remove(bucket, std::to_string(i)));
  world.world.run_for(60 * sim::kSecond);
  EXPECT_LE(used() * 100, start * 105) << start;
  EXPECT_GT(snapshots().front().offset, newest) << "both were taken anew";
  const Offset last = snapshots().back().offset;
  world.world.run_for(600 * sim::kSecond);
  EXPECT_EQ(snapshots().back().offset, last) << "and no more";
}

// Goal: snapshots do not keep the size of a view that was emptied. Method: long keys, few bytes of
// bodies, so that no set has garbage; deletes that fit into the active segment, so that the log
// asks for no snapshot.
TEST_F(Housekept, SnapshotsOfAViewThatShrankAreRenewed) {
  world.options.journal_segment_bytes = 16 * kMiB;
  world.options.housekeeping_ns = world.options.maintenance_ns = 50 * sim::kMillisecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  auto key = [](int i) { return std::string(1000, 'k') + std::to_string(i); };
  for (int i = 0; i < 1200; ++i) ASSERT_TRUE(world.put(bucket, key(i), "b"));
  put_small(1100);  // Fills a segment.
  world.world.run_for(10 * sim::kSecond);
  ASSERT_EQ(segments(), 1u);
  ASSERT_EQ(snapshots().size(), 2u);
  EXPECT_GT(snapshots().front().size_bytes, kMiB);
  for (int i = 0; i < 1200; ++i) ASSERT_TRUE(world.remove(bucket, key(i)));
  put_small(100);  // Makes the log longer, not the view larger.
  ASSERT_EQ(segments(), 1u);
  world.world.run_for(60 * sim::kSecond);
  for (const Snapshot& snapshot : snapshots()) EXPECT_LT(snapshot.size_bytes, 100'000u);
}

// Four drives, three mirrors of the log; what is written to the fourth one goes to sets.
struct OnFullDrives : Housekept {
  static std::string key(int i) { return std::string(1000, 'k') + std::to_string(i); }
  static bool is_mirror(const sim::SimDisk& disk) {
    for (const std::string& name : disk.names())
      if (name.starts_with("journal/") && name.ends_with(".seg")) return true;
    return false;
  }
  void put_keys(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(world.put(bucket, key(i), "b"));
  }
  void leave_room(uint64_t bytes) {
    for (auto& disk : world.disks) disk->options().capacity_bytes = disk->used_bytes() + bytes;
  }
  uint64_t writes_to_sets() {
    for (auto& disk : world.disks)
      if (!is_mirror(*disk)) return disk->counts().writes;
    ADD_FAILURE() << "every drive is a mirror";
    return 0;
  }
  // But for bodies that leave the log before a pass takes a snapshot.
  void expect_refused_unwritten(uint64_t bodies_writes) {
    const uint64_t before = writes_to_sets();
    const Result<void> refused = world.housekeep();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::no_space) << refused.error().detail;
    EXPECT_LE(writes_to_sets(), before + bodies_writes);
  }
};

TEST_F(OnFullDrives, NoSnapshotIsBegunThatDoesNotFit) {
  world.options.member_bytes = kMiB;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  ASSERT_NO_FATAL_FAILURE(put_keys(3000));
  ASSERT_TRUE(world.housekeep());
  ASSERT_EQ(snapshots().size(), 1u);
  ASSERT_GT(snapshots().back().size_bytes, 3 * kMiB);
  leave_room(kMiB + kMiB / 4);
  ASSERT_NO_FATAL_FAILURE(expect_refused_unwritten(1));
  leave_room(3 * kMiB);  // Once and a half what it takes.
  ASSERT_TRUE(world.housekeep());
  EXPECT_EQ(snapshots().size(), 2u);
  EXPECT_EQ(segments(), 1u);
}

// The log has no room but what is prepared, and deletes have used that.
TEST_F(OnFullDrives, NoSnapshotIsBegunWhoseRecordFindsNoRoom) {
  constexpr int kKeys = 3000;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  ASSERT_NO_FATAL_FAILURE(put_keys(kKeys));
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(world.housekeep());
  ASSERT_EQ(segments(), 1u);
  const Offset newest = snapshots().back().offset;
  for (auto& disk : world.disks)
    if (is_mirror(*disk)) disk->options().capacity_bytes = disk->used_bytes();
  int deleted = 0;
  while (deleted < kKeys && world.remove(bucket, key(deleted))) ++deleted;
  ASSERT_LT(deleted, kKeys);
  ASSERT_GE(segments(), 2u);
  ASSERT_NO_FATAL_FAILURE(expect_refused_unwritten(0));
  for (auto& disk : world.disks) disk->options().capacity_bytes = kTiB;
  for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(world.housekeep());
  EXPECT_GT(snapshots().front().offset, newest);
}

// Half of six drives are lost, with the snapshots and what is in sets beside them.
struct BeyondRepair : Housekept {
  static constexpr int kKeys = 500;
  BeyondRepair() : Housekept({}, 6) {}

  // With a log that was cut, and two snapshots that lie on all data shards of a set.
  void start_and_fill() {
    ASSERT_TRUE(world.start(views));
    bucket = world.create_bucket("b");
    for (int i = 0; i < kKeys; ++i)
      ASSERT_TRUE(world.put(bucket, std::string(1000, 'k') + std::to_string(i), "b"));
    put_small(200);
    for (int pass = 0; pass < 2; ++pass) ASSERT_TRUE(world.housekeep());
    ASSERT_EQ(snapshots().size(), 2u);
    ASSERT_EQ(segments(), 1u);
  }
  void lose_three() {
    for (size_t i : {3, 4, 5}) world.disks[i]->set_dead(true);
    world.world.run_for(30 * sim::kSecond);
  }
  void add_three() {
    for (size_t i : {3, 4, 5}) {
      world.disks[i]->set_dead(false);
      world.disks[i]->replace_empty();
      auto added = world.run<Result<DriveId>>(world.node->add_drive(world.disks[i]->mount()));
      ASSERT_TRUE(added) << added.error().detail;
    }
  }
  // No drive holds a view any more.
  Result<void> start_without_view() {
    world.crash();
    no_views.emplace(world.disks);
    return world.start(*no_views);
  }
  std::optional<sim::SimViews> no_views;
};

TEST_F(BeyondRepair, SnapshotsThatCannotBeReadAreTakenAnew) {
  world.options.housekeeping_ns = world.options.maintenance_ns = 50 * sim::kMillisecond;
  world.options.drive_check_ns = sim::kSecond;
  ASSERT_NO_FATAL_FAILURE(start_and_fill());
  const Offset newest = snapshots().back().offset;
  lose_three();
  ASSERT_NO_FATAL_FAILURE(add_three());
  world.world.run_for(5 * sim::kSecond);
  EXPECT_GT(snapshots().front().offset, newest) << "both were taken anew";
  const Offset last = snapshots().back().offset;
  world.world.run_for(60 * sim::kSecond);
  EXPECT_EQ(snapshots().back().offset, last) << "and no more";
  Result<void> started = start_without_view();
  ASSERT_TRUE(started) << started.error().detail;
  EXPECT_EQ(world.objects(bucket), kKeys + 8u);
  world.crash();
}

// Under load, too, no pass relies on them.
TEST_F(BeyondRepair, NothingIsCutThatOnlyALostSnapshotCovers) {
  world.options.drive_check_ns = sim::kSecond;
  ASSERT_NO_FATAL_FAILURE(start_and_fill());
  put_small(200);
  ASSERT_TRUE(world.housekeep());
  ASSERT_GE(segments(), 3u) << "of which the next pass would cut some";
  lose_three();
  ASSERT_NO_FATAL_FAILURE(add_three());
  const Offset start = world.node->journal().bounds().start;
  put_small(200);
  ASSERT_TRUE(world.housekeep());
  EXPECT_EQ(world.node->journal().bounds().start, start) << "one snapshot can be read";
  ASSERT_TRUE(world.housekeep());
  EXPECT_GT(world.node->journal().bounds().start, start);
  Result<void> started = start_without_view();
  ASSERT_TRUE(started) << started.error().detail;
  world.crash();
}

TEST_F(BeyondRepair, ARefusalSaysOnceWhatIsMissing) {
  world.options.drive_check_ns = sim::kSecond;
  ASSERT_NO_FATAL_FAILURE(start_and_fill());
  lose_three();
  ASSERT_NO_FATAL_FAILURE(add_three());
  world.log.clear();
  Result<void> started = start_without_view();
  ASSERT_FALSE(started);
  const std::string& why = started.error().detail;
  EXPECT_NE(why.find("of 4 shards"), why.npos) << why;
  EXPECT_NE(why.find("bring back the drive that holds the view, or drives that hold"), why.npos)
      << why;
  for (const std::string& line : world.log) EXPECT_EQ(line.find("shards"), line.npos) << line;
}

TEST_F(BeyondRepair, ALogThatWasNeverCutNeedsNoSnapshot) {
  world.options.drive_check_ns = sim::kSecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  put_small(200);
  ASSERT_TRUE(world.housekeep());
  ASSERT_EQ(snapshots().size(), 1u);
  lose_three();
  ASSERT_NO_FATAL_FAILURE(add_three());
  Result<void> started = start_without_view();
  ASSERT_TRUE(started) << started.error().detail;
  EXPECT_FALSE(world.node->view_recovery().from_snapshot);
  EXPECT_EQ(world.objects(bucket), 8u);
  world.crash();
}

struct OnSmallDrives : Housekept {
  OnSmallDrives() : Housekept({.capacity_bytes = 64 * kMiB}) {}
};

// Goal: room of clients never becomes room of the log: what is acknowledged can be deleted, and the
// log cut. Method: fill the drives with large bodies, then write and delete small ones, many times
// what is left.
TEST_F(OnSmallDrives, ALogOnFullDrivesIsCut) {
  world.options.housekeeping_ns = world.options.maintenance_ns = 50 * sim::kMillisecond;
  ASSERT_TRUE(world.start(views));
  bucket = world.create_bucket("b");
  int large = 0;
  Result<Outcome> put;
  while ((put = world.put_large(bucket, "large-" + std::to_string(large), kMiB))) ++large;
  ASSERT_EQ(put.error().code, Errc::no_space) << put.error().detail;
  EXPECT_GE(large, 40) << "of 128 MiB beside parity";
  for (int round = 0; round < 200; ++round) {
    for (int i = 0; i < 8; ++i) {
      auto small = world.put(bucket, std::to_string(i), std::string(kBody, 'b'));
      ASSERT_TRUE(small) << round << ": " << small.error().detail;
    }
    ASSERT_TRUE(world.remove(bucket, std::to_string(round % 8)));
  }
  EXPECT_LE(segments(), 10u);
  for (int i = 0; i < large; ++i) ASSERT_TRUE(world.remove(bucket, "large-" + std::to_string(i)));
  world.world.run_for(20 * sim::kSecond);
  EXPECT_TRUE(world.put_large(bucket, "again", kMiB));
}

// Its map takes for ever to be looked through.
class LargeViews final : public WrappedViews {
 public:
  using WrappedViews::WrappedViews;
  int verifying = 0;

 private:
  struct Large final : ForwardingKv {
    Large(LargeViews& o, std::unique_ptr<Kv> below) : ForwardingKv(std::move(below)), owner(o) {}
    Task<Result<void>> verify() override {
      ++owner.verifying;
      co_await suspend<Done>([](Resolver<Done>) {});
      co_return Result<void>();
    }
    LargeViews& owner;
  };
  std::unique_ptr<Kv> wrap(std::unique_ptr<Kv> kv) override {
    return std::make_unique<Large>(*this, std::move(kv));
  }
};

TEST_F(Housekept, AStopDoesNotWaitForAScrubOfTheView) {
  LargeViews large(views);
  ASSERT_TRUE(world.start(large));
  world.node->scrubber().request();
  world.world.run_for(10 * sim::kSecond);
  ASSERT_EQ(large.verifying, 1);
  const int64_t before_ns = world.world.now_ns();
  auto stop = [](Node* node) -> Task<Done> {
    co_await node->stop(sim::kSecond);
    co_return Done{};
  };
  world.run<Done>(stop(world.node.get()));
  EXPECT_LT(world.world.now_ns() - before_ns, 4 * sim::kSecond);
  world.crash();
}

}  // namespace
}  // namespace kura::node
