#include "node/membership.h"

#include <gtest/gtest.h>

namespace kura::node {
namespace {

ClusterId cluster(uint8_t n) {
  ClusterId id;
  id.bytes[0] = n;
  return id;
}

DriveSighting member(uint8_t in_cluster, uint8_t drive) {
  DriveSighting s;
  s.label = "d" + std::to_string(drive);
  disk::DriveIdentity identity;
  identity.cluster = cluster(in_cluster);
  identity.drive.bytes[0] = drive;
  s.identity = identity;
  return s;
}

DriveSighting empty(const std::string& label) {
  DriveSighting s;
  s.label = label;
  s.empty = true;
  return s;
}

TEST(Membership, EmptyDrivesMakeANewCluster) {
  auto found = decide_membership({empty("a"), empty("b")}, cluster(9));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->create);
  EXPECT_EQ(found->cluster, cluster(9));
  EXPECT_EQ(found->fresh, (std::vector<size_t>{0, 1}));
}

TEST(Membership, EmptyDrivesJoinAKnownCluster) {
  auto found = decide_membership({member(1, 1), empty("b"), member(1, 3)}, cluster(9));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->create);
  EXPECT_EQ(found->cluster, cluster(1));
  EXPECT_EQ(found->online, (std::vector<size_t>{0, 2}));
  EXPECT_EQ(found->fresh, (std::vector<size_t>{1}));
}

TEST(Membership, RefusesMistakes) {
  auto foreign = decide_membership({member(1, 1), member(2, 2)}, cluster(9));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::invalid_argument);
  auto several = decide_membership(
      {member(1, 1), member(2, 2), empty("b"), member(1, 3), member(2, 4)}, cluster(9));
  ASSERT_FALSE(several);
  EXPECT_EQ(several.error().detail,
            "these are drives of 2 clusters: start each cluster with its own drives, and empty "
            "what is to join it (of cluster " +
                to_hex(cluster(1)) + ": d1, d3; of cluster " + to_hex(cluster(2)) + ": d2, d4)");
  EXPECT_FALSE(decide_membership({member(1, 1), member(1, 1)}, cluster(9)));
  DriveSighting full = empty("full");
  full.empty = false;
  DriveSighting other = full;
  other.label = "other";
  EXPECT_EQ(decide_membership({full, empty("e"), other}, cluster(9)).error().detail,
            "files, and not the identity of a drive, are in full, other: give empty folders or "
            "remove the files");
  DriveSighting newer;
  newer.problem = Error{Errc::unsupported, "install kura 2"};
  EXPECT_EQ(decide_membership({member(1, 1), newer}, cluster(9)).error().code, Errc::unsupported);
}

TEST(Membership, AnUnreadableDriveNeverLetsANewClusterBegin) {
  DriveSighting broken;
  broken.label = "broken";
  broken.problem = Error{Errc::io_error, "input/output error"};
  DriveSighting away = broken;
  away.label = "away";
  EXPECT_EQ(decide_membership({broken, empty("b")}, cluster(9)).error().code, Errc::unavailable);
  EXPECT_EQ(decide_membership({broken, empty("b"), away}, cluster(9)).error().detail,
            "drives that cannot be read may be those of a cluster (broken: input/output error, "
            "away: input/output error): bring them back, or do not name them");
  // Where the drives of a process that starts over were mounted there are empty folders now.
  EXPECT_EQ(decide_membership({empty("a"), empty("b")}, std::nullopt).error().code,
            Errc::unavailable);
  auto found = decide_membership({broken, member(1, 2)}, cluster(9));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->online, (std::vector<size_t>{1}));
}

std::vector<size_t> online_after(std::vector<DriveSighting> sightings, const KnownDrives& before) {
  leave_out_wrong_drives(sightings, before);
  auto found = decide_membership(sightings, std::nullopt);
  EXPECT_TRUE(found) << found.error().detail;
  return found ? found->online : std::vector<size_t>{};
}

class AProcessThatStartsOver : public testing::Test {
 protected:
  AProcessThatStartsOver() {
    before_.cluster = cluster(1);
    for (uint8_t n = 1; n <= 3; ++n) before_.put("d" + std::to_string(n), id(n));
  }
  static DriveId id(uint8_t n) { return member(1, n).identity->drive; }
  static DriveSighting at(const std::string& label, DriveSighting drive) {
    drive.label = label;
    return drive;
  }
  KnownDrives before_;
};

TEST_F(AProcessThatStartsOver, LeavesOutADriveOfAnotherCluster) {
  // Also where those of the other one are more.
  std::vector<DriveSighting> seen{at("d1", member(2, 4)), at("d2", member(2, 5)), member(1, 3)};
  EXPECT_EQ(online_after(seen, before_), std::vector<size_t>{2});
  leave_out_wrong_drives(seen, before_);
  EXPECT_EQ(seen[0].problem->detail, "it belongs to another cluster");
}

TEST_F(AProcessThatStartsOver, TakesOfCopiesTheOneThatIsWhereItWas) {
  std::vector<DriveSighting> seen{at("d1", member(1, 2)), member(1, 2), member(1, 3)};
  EXPECT_EQ(online_after(seen, before_), (std::vector<size_t>{1, 2}));
  leave_out_wrong_drives(seen, before_);
  EXPECT_EQ(seen[0].problem->detail, "it holds a copy of the drive in d2");
  seen = {at("d1", member(1, 2)), member(1, 3), at("d4", member(1, 2))};
  EXPECT_EQ(online_after(seen, before_), std::vector<size_t>{1}) << "nobody knows which is right";
  seen = {at("d1", member(1, 2)), member(1, 3)};
  EXPECT_EQ(online_after(seen, before_), (std::vector<size_t>{0, 1})) << "it is no copy";
}

TEST_F(AProcessThatStartsOver, LeavesOutADriveOfANewerFormat) {
  DriveSighting newer;
  newer.problem = Error{Errc::unsupported, "install kura 2"};
  EXPECT_EQ(online_after({newer, member(1, 2)}, before_), std::vector<size_t>{1});
}

TEST_F(AProcessThatStartsOver, WaitsWhereItsOnlyDriveWasAndFilesAreNow) {
  DriveSighting files;
  auto found = decide_membership({files}, std::nullopt);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, Errc::unavailable);
}

TEST(KnownDrives, ADriveIsWhereItWasUsedLast) {
  const DriveId id = member(1, 1).identity->drive;
  KnownDrives known;
  known.put("a", id);
  known.put("b", id);
  EXPECT_FALSE(known.has("a", id));
  EXPECT_TRUE(known.has("b", id));
}

}  // namespace
}  // namespace kura::node
