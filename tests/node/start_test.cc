// A start with drives in its places that are of no use.

#include <algorithm>

#include "sim/sim_view.h"
#include "tests/node/node_world.h"

namespace kura::node {
namespace {

constexpr uint64_t kIdentityAndNoCopy = 60;

class Start : public testing::Test {
 protected:
  void first_start() {
    const Result<void> started = start();
    ASSERT_TRUE(started) << started.error().detail;
    bucket_ = world_.create_bucket("bucket");
    ASSERT_TRUE(world_.put(bucket_, "kept", "body"));
    world_.crash();
  }
  Result<void> start() { return world_.start(views_); }
  sim::SimDisk& disk(size_t i) { return *world_.disks[i]; }
  size_t online() {
    const auto status = world_.run<Result<disk::PoolStatus>>(world_.node->disks().status());
    return static_cast<size_t>(std::count_if(status->drives.begin(), status->drives.end(),
                                             [](const auto& drive) { return drive.online; }));
  }
  std::string reason_of_the_one_offline() {
    const auto status = world_.run<Result<disk::PoolStatus>>(world_.node->disks().status());
    for (const disk::DriveStatus& drive : status->drives)
      if (!drive.online) return drive.reason;
    return {};
  }
  auto logged(const std::string& part) {
    return std::count_if(world_.log.begin(), world_.log.end(),
                         [&part](const std::string& line) { return line.find(part) != line.npos; });
  }

  NodeWorld world_{4};
  sim::SimViews views_{world_.disks};
  BucketId bucket_;
};

TEST_F(Start, GoesOnWithoutAnEmptyDriveThatTakesNoIdentity) {
  ASSERT_NO_FATAL_FAILURE(first_start());
  disk(0).replace_empty();
  disk(0).options().capacity_bytes = kIdentityAndNoCopy;
  ASSERT_TRUE(start());
  EXPECT_EQ(online(), 3u);
  EXPECT_EQ(logged("drive 1 is offline: "), 1);
  EXPECT_NE(reason_of_the_one_offline().find("full"), std::string::npos)
      << reason_of_the_one_offline();
  EXPECT_TRUE(world_.put(bucket_, "more", "body"));
  EXPECT_FALSE(disk(0).has("drive")) << "half an identity";
  auto added = world_.run<Result<DriveId>>(world_.node->add_drive(disk(0).mount_again()));
  EXPECT_FALSE(added);
  EXPECT_FALSE(disk(0).has("drive")) << "half an identity";
  disk(0).options().capacity_bytes = sim::DiskOptions{}.capacity_bytes;
  added = world_.run<Result<DriveId>>(world_.node->add_drive(disk(0).mount_again()));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(online(), 4u);
  EXPECT_EQ(world_.node->tenants().state()->drives.size(), 4u);
}

TEST_F(Start, OfANewClusterIsRefusedWithADriveThatTakesNoIdentity) {
  disk(3).options().capacity_bytes = 0;
  for (int i = 0; i < 2; ++i) {  // The other drives have their identities after the first time.
    const Result<void> refused = start();
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("drive 4: ")) << refused.error().detail;
  }
  disk(3).options().capacity_bytes = sim::DiskOptions{}.capacity_bytes;
  ASSERT_TRUE(start());
  EXPECT_EQ(online(), 4u);
}

}  // namespace
}  // namespace kura::node
