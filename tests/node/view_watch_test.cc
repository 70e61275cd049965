#include "node/view_watch.h"

#include <gtest/gtest.h>

#include "sim/sim_drive.h"
#include "sim/sim_loop.h"

namespace kura::node {
namespace {

constexpr ViewWatch::Times kTimes{.interval_ns = 2 * sim::kSecond, .timeout_ns = sim::kSecond};

class WatchedView : public testing::Test {
 protected:
  WatchedView() { spawn(loop_, watch_.run()); }
  ~WatchedView() override {
    watch_.stop();
    world_.run_for(4 * sim::kSecond);
    loop_.stop();
    destroy_spawned_tasks(loop_);
  }

  sim::SimWorld world_{1};
  sim::SimClock clock_{world_};
  sim::SimLoop loop_{world_, "watch", clock_};
  sim::SimDisk disk_{world_, 1, sim::DiskOptions{}};
  std::vector<Error> lost_;
  ViewWatch watch_{disk_.mount(), kTimes, [this](Error error) { lost_.push_back(error); }};
};

TEST_F(WatchedView, IsLostOnceWhenItsDriveHangs) {
  world_.run_for(9 * sim::kSecond);
  EXPECT_TRUE(watch_.running());
  disk_.set_hung(true);
  world_.run_for(kTimes.interval_ns + kTimes.timeout_ns + sim::kSecond / 2);
  ASSERT_EQ(lost_.size(), 1u);
  EXPECT_EQ(lost_[0].code, Errc::timed_out);
  EXPECT_FALSE(watch_.running());
  world_.run_for(9 * sim::kSecond);
  EXPECT_EQ(lost_.size(), 1u);
}

TEST_F(WatchedView, ADriveThatRefusesDoesNotHang) {
  disk_.set_dead(true);
  world_.run_for(9 * sim::kSecond);
  EXPECT_TRUE(lost_.empty());
}

// A stop of the node waits for it.
TEST_F(WatchedView, StopsBeforeItsIntervalIsOver) {
  world_.run_for(kTimes.interval_ns / 4);
  watch_.stop();
  world_.run_for(kTimes.interval_ns / 8);
  EXPECT_FALSE(watch_.running());
}

}  // namespace
}  // namespace kura::node
