// Drives that come, go and come back while the embedded journal runs: who is a mirror, who may be.

#include <gtest/gtest.h>

#include "journal/embedded/segment_format.h"
#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

class Members : public AckedLog {
 protected:
  void start(size_t disks, uint32_t mirrors) { AckedLog::start(disks, Machine::small(mirrors)); }
};

TEST_F(Members, AFailureIsNoticedWithoutAnAppend) {
  start(3, 2);
  append_many(5);
  disk(0).dead = true;
  auto replaced = machine_->loop->get(journal().drive_failed(drive_id(0), "pulled"));
  ASSERT_TRUE(replaced.has_value()) << replaced.error().detail;
  EXPECT_EQ(status().mirrors.size(), 2u);
  EXPECT_EQ(status().replacements, 1u);
  expect_all({1, 2});
}

TEST_F(Members, ADriveIsForgottenOnlyAfterItIsReplaced) {
  start(3, 2);
  append_many(5);
  ASSERT_TRUE(machine_->loop->get(journal().remove_drive(drive_id(1))).has_value());
  append_many(2);
  auto refused = machine_->loop->get(journal().remove_drive(drive_id(0)));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
}

// More drives are away than may be lost, one of them a mirror. A drive that is added would make the
// set full again without any of them knowing: they could go on by themselves, without what it took.
TEST_F(Members, ADriveAddedWhileTooManyAreAwayDoesNotReplaceAMirror) {
  start(6, 3);
  append_many(5);
  for (size_t i : {3, 4, 5, 2}) {
    disk(i).dead = true;
    (void)machine_->loop->get(journal().drive_failed(drive_id(i), "pulled"));
  }
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 6", &machine_->power));
  auto added = machine_->loop->get(journal().add_drive({drive_id(6), disk(6).mount()}));
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, Errc::unavailable);
  EXPECT_EQ(append().error().code, Errc::unavailable);
  EXPECT_TRUE(disk(6).files.empty());  // Nothing was copied for nothing.
  disk(5).dead = false;
  ASSERT_TRUE(machine_->loop->get(journal().add_drive({drive_id(5), disk(5).mount()})).has_value());
  append_many(3);
  for (size_t i : {2, 3, 4}) disk(i).dead = false;
  machine_->boot();
  auto too_few = machine_->open(options_, {2, 3, 4, 5});
  ASSERT_TRUE(too_few.has_value());
  EXPECT_EQ(too_few->detail,
            "the journal needs 5 of its 7 drives to be sure of its newest records, and 4 have a "
            "readable record");
  expect_read_after_restart({1, 2, 3, 4, 5});
}

// Of two drives one is replaced. The one that was lost then starts alone, and only reads: it must
// not take the other back as a copy of what it knows.
TEST_F(Members, ADriveWithALaterStateOfTheJournalIsNotTaken) {
  start(2, 2);
  append_many(3);
  disk(1).dead = true;
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 2", &machine_->power));
  ASSERT_TRUE(machine_->loop->get(journal().add_drive({drive_id(2), disk(2).mount()})).has_value());
  append_many(3);
  disk(1).dead = false;
  machine_->boot();
  ASSERT_FALSE(machine_->open(options_, {1}).has_value());
  EXPECT_TRUE(status().degraded);
  for (uint8_t i : {0, 2}) {
    auto refused = machine_->loop->get(journal().add_drive({drive_id(i), disk(i).mount()}));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Errc::exists);
  }
  expect_read_after_restart({});
}

// A set that failed half-way stays on some drives. What follows is newer, and no second of its
// kind.
TEST_F(Members, NoSetHasTheGenerationOfOneThatFailed) {
  start(4, 2);
  append_many(3);
  const uint64_t before = status().generation;
  for (size_t i : {1, 2, 3}) disk(i).full = [](const std::string&) { return true; };
  auto failed = machine_->loop->get(journal().remove_drive(drive_id(3)));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(status().generation, before);
  for (size_t i : {1, 2, 3}) disk(i).full = nullptr;
  disk(0).dead = true;
  append_many(3);
  EXPECT_GT(status().generation, before + 1);
  disk(0).dead = false;
  expect_all();
}

TEST_F(Members, MoreDrivesAllowMoreMirrorsAndFewerAgain) {
  start(3, 2);
  append_many(5);
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 3", &machine_->power));
  ASSERT_TRUE(machine_->loop->get(journal().add_drive({drive_id(3), disk(3).mount()})).has_value());
  ASSERT_TRUE(machine_->loop->get(journal().set_mirror_count(4)).has_value());
  EXPECT_EQ(status().mirrors.size(), 4u);
  append_many(5);
  options_.mirror_count = 0;
  expect_all({3});  // m = 3 of 4 drives may be lost.
  EXPECT_TRUE(status().degraded);
  expect_all();
  ASSERT_TRUE(machine_->loop->get(journal().set_mirror_count(1)).has_value());
  append_many(5);
  expect_all();
  EXPECT_EQ(status().mirrors.size(), 1u);
  options_.mirror_count = 3;  // Also by the option of the next start.
  expect_all();
  EXPECT_EQ(status().mirrors.size(), 3u);
}

TEST_F(Members, ADriveOfAnotherJournalIsRefused) {
  start(2, 2);
  Machine other(1);
  EmbeddedJournalOptions options = Machine::small(1);
  options.journal = journal_id(9);
  other.create(options);
  auto refused = machine_->loop->get(journal().add_drive({drive_id(7), other.disks[0]->mount()}));
  EXPECT_EQ(refused.error().code, Errc::exists);
  EXPECT_TRUE(other.disks[0]->files.contains(segment_name(0)));
}

TEST_F(Members, AMirrorThatComesBackWhileWritesAreRefusedIsFilledAgain) {
  start(2, 2);
  append_many(5);
  disk(1).fails = [](const char* operation, const std::string&) {
    return std::string_view(operation) == "sync";
  };
  // The write reached the failing mirror; only its sync did not.
  EXPECT_EQ(append().error().code, Errc::unavailable);
  disk(1).fails = nullptr;
  auto added = machine_->loop->get(journal().add_drive({drive_id(1), disk(1).mount()}));
  ASSERT_TRUE(added.has_value()) << added.error().detail;
  EXPECT_FALSE(status().degraded);
  expect_read();
  append_many(3);
  expect_all({0});
}

// All are unmounted and mounted again while nobody appends: the log does not know until then.
TEST_F(Members, MirrorsThatWereMountedAnewBetweenAppendsGoOn) {
  start(3, 3);
  append_many(40);  // More than one segment.
  for (size_t i = 0; i < 3; ++i) {
    machine_->disks.push_back(std::make_unique<MemoryDisk>("again", &machine_->power));
    machine_->disks.back()->files = disk(i).files;
    disk(i).dead = true;
  }
  for (uint8_t i = 0; i < 3; ++i) {
    auto added = machine_->loop->get(journal().add_drive({drive_id(i), disk(3 + i).mount()}));
    ASSERT_TRUE(added.has_value());
  }
  EXPECT_TRUE(status().failed.empty());
  append_many(40);
  expect_read();
}

// What comes back under a mirror's name lacks what was acknowledged meanwhile: it is filled anew.
// A mirror was away while others took charge, and no drive could replace it. The power fails while
// it is taken back, and of the three mirrors it is the only one that is here then.
TEST_F(Members, AMirrorThatComesBackKeepsWhatItHas) {
  for (uint64_t operation = 1;; ++operation) {
    SCOPED_TRACE(operation);
    AckedLog::start(4, Machine::small(3));
    options_.mirror_count = 0;
    append_many(5);
    disk(3).full = [](const std::string& name) { return name.find(".seg") != name.npos; };
    disk(2).dead = true;
    (void)machine_->loop->get(journal().drive_failed(drive_id(2), "pulled"));
    EXPECT_EQ(append().error().code, Errc::unavailable);
    disk(2).dead = false;
    disk(3).full = nullptr;
    machine_->power.dies_at = machine_->power.operations + operation;
    auto out = machine_->loop->run(journal().add_drive({drive_id(2), disk(2).mount()}));
    machine_->boot();
    auto failed = machine_->open(options_, {2, 3});
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
    if (out || HasFailure()) break;
  }
}

TEST_F(Members, AnOldCopyOfAMirrorIsNotTakenForIt) {
  start(2, 2);
  append_many(5);
  machine_->disks.push_back(std::make_unique<MemoryDisk>("copy"));
  for (const auto& [name, file] : disk(1).files)
    disk(2).files[name] = std::make_shared<MemoryFile>(*file);
  append_many(5);
  disk(1).dead = true;
  ASSERT_TRUE(machine_->loop->get(journal().add_drive({drive_id(1), disk(2).mount()})).has_value());
  append_many(3);
  disk(0).dead = true;
  EXPECT_EQ(append().error().code, Errc::unavailable);
  expect_read();
}

// While a returning mirror is filled, the only other one fails: what the former holds is all there
// is.
TEST_F(Members, AReturningMirrorKeepsWhatItHoldsUntilTheSetIsFullAgain) {
  for (uint64_t operation = 0; operation < 60; ++operation) {
    start(2, 2);
    append_many(7);
    ASSERT_FALSE(machine_->loop->get(journal().drive_failed(drive_id(1), "pulled")).has_value());
    disk(0).dies_in = operation;
    (void)machine_->loop->get(journal().add_drive({drive_id(1), disk(1).mount()}));
    disk(0).dead = true;
    machine_->boot();
    auto failed = machine_->open(options_);
    ASSERT_FALSE(failed.has_value()) << operation << ": " << failed->detail;
    expect_read();
    if (HasFatalFailure()) return;
  }
}

// A drive that held this journal long ago, with records where the log has not come to yet.
TEST_F(Members, ASpareWithOldSegmentsBecomesAMirrorWithoutThem) {
  for (bool at_start : {false, true}) {
    Machine old(1);
    old.create(Machine::small(1));
    for (uint64_t n = 0; n < 30; ++n) ASSERT_TRUE(old.append({test_record(n + 500)}).has_value());
    start(3, 2);
    append_many(3);
    for (const auto& [name, file] : old.disks[0]->files) {
      if (name.ends_with(".seg")) disk(2).files[name] = file;
    }
    disk(0).dead = true;
    if (at_start) {
      machine_->boot();
      ASSERT_FALSE(machine_->open(options_).has_value());
    }
    append_many(3);
    disk(1).dead = true;
    disk(0).dead = false;
    machine_->boot();
    auto failed = machine_->open(options_);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
  }
}

// A set that only one drive could take would be lost with that drive.
TEST_F(Members, AMirrorSetOnTooFewDrivesAcknowledgesNothing) {
  start(3, 2);
  append_many(3);
  disk(2).full = [](const std::string& name) { return name.ends_with("mirrors.new"); };
  disk(0).dead = true;
  EXPECT_EQ(append().error().code, Errc::unavailable);
  disk(2).full = nullptr;
  append_many(3);
  disk(1).dead = true;
  disk(0).dead = false;
  machine_->boot();
  ASSERT_FALSE(machine_->open(options_).has_value());
  expect_read();
}

}  // namespace
}  // namespace kura::journal
