// Processes whose sets got to some drives only: what a drive shows of them is known to be of ours
// whenever it is back.

#include <gtest/gtest.h>

#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

class KnownWriters : public AckedLog {
 protected:
  void start(size_t disks, uint32_t mirrors) {
    AckedLog::start(disks, Machine::small(mirrors));
    options_.mirror_count = 0;
    append_many(5);
  }
  // Of the sets that drive `i` is given: '+' it has room for that one. Behind the last: as that.
  void takes(size_t i, std::string sets) {
    disk(i).full = [sets, next = size_t{0}](const std::string& name) mutable {
      if (!name.ends_with("mirrors.new")) return false;
      return sets[std::min(next++, sets.size() - 1)] == '-';
    };
  }
  void take_all() {
    for (auto& one : machine_->disks) one->full = nullptr;
  }
  void restart(const std::vector<size_t>& which) {
    machine_->boot();
    auto failed = machine_->open(options_, which);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
    EXPECT_TRUE(journal().report().other_history.empty());
  }
  // The removal of drive 1 got to drive 3 only. The next start takes it up, shows drive 1 its first
  // set, the others what they take, and gets no further.
  void start_takes_up_a_removal(const std::string& others_take) {
    start(6, 2);
    disk(1).dead = true;
    (void)machine_->loop->get(journal().drive_failed(drive_id(1), "pulled"));
    for (size_t i : {0, 2, 4, 5}) takes(i, "-");
    EXPECT_FALSE(machine_->loop->get(journal().remove_drive(drive_id(1))).has_value());
    take_all();
    disk(1).dead = false;
    takes(1, "++-");
    for (size_t i : {2, 3, 4, 5}) takes(i, others_take);
    restart({1, 2, 3, 4, 5});
    EXPECT_TRUE(journal().lacks_room());
    take_all();
  }
  void expect_drive_1_is_known() {
    for (size_t starts = 0; starts < 3; ++starts) restart({0, 2, 3, 4, 5});
    restart({0, 1, 2, 3, 4, 5});
  }
};

// The start tries twice to take charge; its last word on drive 5 is the promise.
TEST_F(KnownWriters, OfTwoAttemptsAtAStart) {
  start(6, 3);
  for (size_t i : {0, 1, 2, 3}) takes(i, "+-+");
  takes(5, "+++-");
  restart({0, 1, 2, 3, 5});
  EXPECT_FALSE(journal().lacks_room());
  take_all();
  restart({0, 1, 2, 3, 4, 5});
}

TEST_F(KnownWriters, OfARemovalThatAStartTookUp) {
  start_takes_up_a_removal("++-");
  expect_drive_1_is_known();
}

TEST_F(KnownWriters, OfARemovalThatAStartTookUpOnTheRemovedDriveOnly) {
  start_takes_up_a_removal("+-");
  expect_drive_1_is_known();
}

}  // namespace
}  // namespace kura::journal
