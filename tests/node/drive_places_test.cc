// Which drive is used where.

#include "node/drive_places.h"

#include <gtest/gtest.h>

#include "tests/journal/journal_fixture.h"

namespace kura::node {
namespace {

using journal::drive_id;
using journal::MemoryDisk;
using Left = DrivePlace::Left;

class Places : public testing::Test {
 protected:
  std::shared_ptr<Drive> drive(const std::string& label) {
    disks_.push_back(std::make_unique<MemoryDisk>(label));
    return disks_.back()->mount();
  }

  std::vector<std::unique_ptr<MemoryDisk>> disks_;
  DrivePlaces places_{{drive("d1"), drive("d2"), drive("d3")}};
};

TEST_F(Places, ADriveThatIsInAnotherPlaceNowIsInThatAlone) {
  places_[0].id = drive_id(1);
  places_[1].id = drive_id(2);
  const auto moved = drive("d2");
  places_.put(moved, drive_id(1));
  EXPECT_EQ(places_.of(drive_id(1)), &places_[1]);
  EXPECT_EQ(places_[1].drive, moved);
  EXPECT_EQ(places_.of(drive_id(2)), nullptr);
  EXPECT_TRUE(places_[0].id.is_nil());
  EXPECT_EQ(places_.size(), 3u);
}

TEST_F(Places, AnAddedDriveHasAPlaceOfItsOwnBehindTheOthers) {
  places_.put(drive("d4"), drive_id(4));
  EXPECT_EQ(places_.of(drive_id(4)), &places_[3]);
  EXPECT_EQ(places_.at("d4"), &places_[3]);
  EXPECT_EQ(places_.at("d5"), nullptr);
}

TEST_F(Places, NoPlaceHasTheNilDrive) { EXPECT_EQ(places_.of(DriveId{}), nullptr); }

TEST_F(Places, WhatIsLeftOutIsNamedUntilADriveIsUsedThere) {
  places_[0].id = drive_id(1);
  places_.leave(0, Left::other_history, "it is of another one");
  places_.leave(2, Left::unread, "it cannot be read");
  EXPECT_EQ(places_.of(drive_id(1)), nullptr);
  EXPECT_EQ(places_.labels(Left::other_history), std::vector<std::string>{"d1"});
  EXPECT_EQ(places_.labels(Left::no), std::vector<std::string>{"d2"});
  places_.put(drive("d1"), drive_id(1));
  EXPECT_TRUE(places_.labels(Left::other_history).empty());
}

}  // namespace
}  // namespace kura::node
