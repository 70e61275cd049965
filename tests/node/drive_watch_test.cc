#include "node/drive_watch.h"

#include <gtest/gtest.h>

#include "sim/sim_loop.h"

namespace kura::node {
namespace {

DriveId drive(uint8_t n) {
  DriveId id;
  id.bytes[0] = n;
  return id;
}

// A watch over three drives, the view on the first.
class Watched : public testing::Test {
 protected:
  Watched() { spawn(loop_, watch_.run()); }
  ~Watched() override {
    watch_.stop();
    world_.run_for(2 * sim::kSecond);
    EXPECT_FALSE(watch_.running());
    loop_.stop();
    destroy_spawned_tasks(loop_);
  }
  static Task<void> look(int* looks) {
    ++*looks;
    co_return;
  }
  DriveWatchPorts ports() {
    DriveWatchPorts out;
    out.offline = [this] { return offline_; };
    out.parity = [] { return 1u; };
    out.take_back = [this] { return look(&looks_); };
    out.tell_journal = [this] { return look(&told_); };
    out.view_left_behind = [this] { return left_behind_; };
    out.on_view_lost = [this](Error) { ++lost_; };
    return out;
  }

  sim::SimWorld world_{1};
  sim::SimClock clock_{world_};
  sim::SimLoop loop_{world_, "journal", clock_};
  std::vector<DriveId> offline_;
  bool left_behind_ = false;
  int looks_ = 0, told_ = 0, lost_ = 0;
  DriveWatch watch_{ports(), drive(1), sim::kSecond};
};

TEST_F(Watched, LooksForDrivesInEachInterval) {
  world_.run_for(10 * sim::kSecond + sim::kSecond / 2);
  EXPECT_EQ(looks_, 10);
  EXPECT_EQ(told_, 10);
  EXPECT_EQ(lost_, 0);
}

TEST_F(Watched, AViewWhoseDriveStaysAwayIsLostOnce) {
  offline_ = {drive(1)};
  world_.run_for(3 * sim::kSecond / 2);
  EXPECT_EQ(lost_, 0);  // It may only have been slow.
  world_.run_for(sim::kSecond);
  EXPECT_EQ(lost_, 1);
}

TEST_F(Watched, ADriveThatIsSlowNowAndThenIsNotLost) {
  for (int i = 0; i < 10; ++i) {
    offline_ = i % 2 == 0 ? std::vector<DriveId>{drive(1)} : std::vector<DriveId>{};
    world_.run_for(sim::kSecond);
  }
  EXPECT_EQ(lost_, 0);
}

TEST_F(Watched, AnotherDriveIsNoneOfTheViewsBusiness) {
  offline_ = {drive(2)};
  world_.run_for(10 * sim::kSecond);
  EXPECT_EQ(lost_, 0);
}

// Back, or replaced, before a second look sees it away: its files are of the old mount.
TEST_F(Watched, AViewWhoseDriveWasMountedAnewIsLost) {
  offline_ = {drive(1)};
  world_.run_for(3 * sim::kSecond / 2);
  offline_ = {};
  left_behind_ = true;
  world_.run_for(sim::kSecond);
  EXPECT_EQ(lost_, 1);
}

// A start needs more drives than are left; what is read from the view still works meanwhile.
TEST_F(Watched, WithTooFewDrivesForAStartTheViewIsKept) {
  offline_ = {drive(1), drive(2)};
  world_.run_for(10 * sim::kSecond);
  EXPECT_EQ(lost_, 0);
  offline_ = {};
  world_.run_for(sim::kSecond);
  EXPECT_EQ(lost_, 1);  // Its drive is back, but its files are of the old mount.
}

}  // namespace
}  // namespace kura::node
