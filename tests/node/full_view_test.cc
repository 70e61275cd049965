// The drive of the view is full: it is waited out in place, or another drive takes the view.

#include <set>

#include "sim/sim_view.h"
#include "tests/node/node_world.h"
#include "tests/node/wrapped_views.h"

namespace kura::node {
namespace {

// Views on drives that are full when the test says so.
class FullViews final : public WrappedViews {
 public:
  using WrappedViews::WrappedViews;
  Result<std::unique_ptr<Kv>> open(size_t drive) override {
    auto kv = WrappedViews::open(drive);
    if (!kv) return kv;
    return std::make_unique<Map>(*this, drive, std::move(*kv));
  }
  uint64_t bytes(size_t) const override { return view_bytes; }
  std::set<size_t> full;
  uint64_t view_bytes = 0;

 private:
  struct Map final : ForwardingKv {
    Map(const FullViews& o, size_t d, std::unique_ptr<Kv> below)
        : ForwardingKv(std::move(below)), owner(o), drive(d) {}
    Result<void> flush() override {
      if (owner.full.contains(drive)) return fail(Errc::no_space, "full");
      return ForwardingKv::flush();
    }
    KvRoom room() const override {
      return owner.full.contains(drive) ? KvRoom::lacking : KvRoom::enough;
    }
    const FullViews& owner;
    const size_t drive;
  };
  std::unique_ptr<Kv> wrap(std::unique_ptr<Kv> kv) override { return kv; }
};

class FullView : public testing::Test {
 protected:
  void start() {
    world_.options.housekeeping_ns = sim::kSecond;
    const Result<void> started = world_.start(views_);
    ASSERT_TRUE(started) << started.error().detail;
  }
  ~FullView() override { world_.crash(); }
  void run_for(int64_t seconds) { world_.world.run_for(seconds * sim::kSecond); }
  std::string place() { return world_.node->view_recovery().drive; }
  // Every drive but the view's could take it, or none.
  void another_has_room(bool yes) { views_.view_bytes = yes ? 0 : UINT64_MAX / 4; }

  NodeWorld world_{3};
  sim::SimViews sim_views_{world_.disks};
  FullViews views_{sim_views_};
};

TEST_F(FullView, IsWaitedOutInPlace) {
  ASSERT_NO_FATAL_FAILURE(start());
  const BucketId bucket = world_.create_bucket("bucket");
  ASSERT_TRUE(world_.put(bucket, "a", "body"));
  ASSERT_TRUE(world_.put(bucket, "b", "body"));
  another_has_room(false);
  views_.full = {0};
  run_for(60);
  const auto refused = world_.put(bucket, "c", "body");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::no_space);
  EXPECT_TRUE(world_.remove(bucket, "a"));
  EXPECT_EQ(world_.objects(bucket), 1u);
  views_.full.clear();
  run_for(3);
  EXPECT_TRUE(world_.put(bucket, "c", "body"));
  EXPECT_EQ(world_.objects(bucket), 2u);
  EXPECT_EQ(world_.ended, "");
}

TEST_F(FullView, StaysOnAMirrorOfTheJournal) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(place(), "drive 1");
  views_.full = {0};
  run_for(60);
  EXPECT_EQ(world_.ended, "") << "the next start could append nothing";
}

TEST_F(FullView, AnotherDriveTakesIt) {
  views_.full = {0, 1};  // The mirrors of the journal.
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_EQ(place(), "drive 3");
  const BucketId bucket = world_.create_bucket("bucket");
  ASSERT_TRUE(world_.put(bucket, "a", "body"));
  world_.may_end = true;
  views_.full = {2};
  run_for(5);
  EXPECT_EQ(world_.ended, "") << "it may have room soon";
  run_for(20);
  EXPECT_NE(world_.ended, "");
  world_.crash();
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(place(), "drive 1");
  EXPECT_FALSE(views_.holds_any(2)) << "a full drive keeps a view that nobody needs";
  EXPECT_EQ(world_.objects(bucket), 1u);
  EXPECT_TRUE(world_.put(bucket, "b", "body"));
}

TEST_F(FullView, AStartGoesOnWithItWhereNoOtherDriveHasRoom) {
  ASSERT_NO_FATAL_FAILURE(start());
  const BucketId bucket = world_.create_bucket("bucket");
  ASSERT_TRUE(world_.put(bucket, "a", "body"));
  world_.crash();
  another_has_room(false);
  views_.full = {0};
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(place(), "drive 1");
  EXPECT_EQ(world_.objects(bucket), 1u);
  EXPECT_FALSE(world_.put(bucket, "b", "body"));
  EXPECT_TRUE(world_.remove(bucket, "a"));
}

}  // namespace
}  // namespace kura::node
