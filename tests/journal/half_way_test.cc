// Changes of the mirror set that get to some drives only, by a crash or a full drive: whoever
// starts afterwards, with or without those, loses nothing that was acknowledged and shuts nobody
// out.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

class HalfWay : public AckedLog {
 protected:
  void start(size_t disks, uint32_t mirrors) {
    AckedLog::start(disks, Machine::small(mirrors));
    options_.mirror_count = 0;
  }
  void pull(std::vector<size_t> which) {
    for (size_t i : which) disk(i).dead = true;
    for (size_t i : which) (void)machine_->loop->get(journal().drive_failed(drive_id(i), "pulled"));
  }
  Result<void> add(size_t i) {
    while (machine_->disks.size() <= i) {
      const std::string label = "drive " + std::to_string(machine_->disks.size());
      machine_->disks.push_back(std::make_unique<MemoryDisk>(label, &machine_->power));
    }
    disk(i).dead = false;
    return machine_->loop->get(journal().add_drive({drive_id(i), disk(i).mount()}));
  }
  Result<void> remove(size_t i) { return machine_->loop->get(journal().remove_drive(drive_id(i))); }
  // As a crash between the writes of two drives: a set gets to these only.
  void write_sets_on(const std::vector<size_t>& which) {
    for (size_t i = 0; i < machine_->disks.size(); ++i) {
      const bool takes = std::find(which.begin(), which.end(), i) != which.end();
      disk(i).full = [takes](const std::string& name) {
        return !takes && name.ends_with("mirrors.new");
      };
    }
  }
  void write_sets_everywhere() {
    for (auto& one : machine_->disks) one->full = nullptr;
  }
  std::optional<Error> restart(std::vector<size_t> which) {
    for (size_t i : which) disk(i).dead = false;
    machine_->boot();
    return machine_->open(options_, which);
  }
  // Of drive 5 of six. It got to drive 3 only, which the start does not see.
  void start_after_a_half_way_removal() {
    start(6, 3);
    append_many(5);
    pull({5});
    write_sets_on({3});
    EXPECT_FALSE(remove(5).has_value());
    write_sets_everywhere();
    expect_restart({0, 1, 2, 4, 5});
  }
  void expect_restart(std::vector<size_t> which) {
    auto failed = restart(std::move(which));
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
  }
};

TEST_F(HalfWay, ARemovalDoesNotMakeTooFewDrivesEnough) {
  start_after_a_half_way_removal();
  pull({0, 1});
  append_many(4);  // Acknowledged by 2, 4 and 5.
  EXPECT_TRUE(restart({0, 1, 3}).has_value());
  expect_restart({0, 1, 3, 4});
  expect_restart({0, 1, 2, 3, 4, 5});
}

TEST_F(HalfWay, MoreMirrorsDoNotMakeTooFewDrivesEnough) {
  start(8, 3);
  append_many(5);
  write_sets_on({3});
  EXPECT_FALSE(machine_->loop->get(journal().set_mirror_count(5)).has_value());
  write_sets_everywhere();
  pull({3});
  pull({4});
  pull({0, 1});
  append_many(4);
  EXPECT_TRUE(restart({0, 1, 3, 4}).has_value());
  expect_restart({0, 1, 2, 3, 4, 5});
}

TEST_F(HalfWay, ARemovalThatNobodyKnowsOfShutsNobodyOut) {
  start_after_a_half_way_removal();
  pull({0, 1});
  append_many(3);
  expect_restart({0, 1, 3, 4, 5});  // 2 is lost for good.
}

TEST_F(HalfWay, AReplacementThatNobodyKnowsOfShutsNobodyOut) {
  for (size_t lost : {2, 4}) {
    start(6, 3);
    append_many(5);
    write_sets_on({3});
    pull({0});
    write_sets_everywhere();
    expect_restart({0, 1, 2, 4, 5});
    pull({0, 5});
    append_many(3);
    std::vector<size_t> rest;
    for (size_t i = 0; i < 6; ++i)
      if (i != lost) rest.push_back(i);
    expect_restart(rest);
    if (HasFatalFailure()) return;
  }
}

// The start that does not see it finds all as it was, and still may not go on as if nothing were.
TEST_F(HalfWay, AReplacementThatNobodyKnowsOfDoesNotWinOverWhatIsAcknowledgedLater) {
  start(3, 2);
  append_many(5);
  // The promise and the set that was in force are written; the next one gets to drive 2 only.
  disk(0).full = [written = 0](const std::string& name) mutable {
    return name.ends_with("mirrors.new") && ++written > 2;
  };
  pull({1});
  write_sets_everywhere();
  expect_restart({0, 1});
  append_many(3);
  expect_restart({1, 2});
}

TEST_F(HalfWay, AnAddThatWasRefusedDoesNotWinOverWhatIsAcknowledgedLater) {
  start(3, 2);
  append_many(5);
  pull({0});
  append_many(2);
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 3", &machine_->power));
  write_sets_on({0, 1, 3});
  EXPECT_FALSE(add(3).has_value());
  write_sets_everywhere();
  expect_restart({0, 2});
  append_many(3);
  expect_restart({0, 1, 3});
  append_many(1);
  expect_restart({0, 1, 2, 3});
}

// It counts for nothing, so nobody needs it.
TEST_F(HalfWay, ANewDriveWithoutRoomForASetKeepsNoStartBack) {
  start(3, 2);
  append_many(3);
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 3", &machine_->power));
  write_sets_on({0, 1, 2});
  EXPECT_EQ(add(3).error().code, Errc::no_space);
  append_many(3);
  machine_->boot();
  auto failed = machine_->open(options_, {0, 1, 2, 3});
  ASSERT_FALSE(failed.has_value()) << failed->detail;
  expect_read();
  append_many(3);
  write_sets_everywhere();
  expect_restart({0, 1});
  expect_restart({0, 1, 2, 3});
}

TEST_F(HalfWay, AnAddThatACrashEndedDoesNotWinOverWhatIsAcknowledgedLater) {
  size_t started = 0;
  for (uint64_t operation = 1; operation < 80; ++operation) {
    start(3, 2);
    append_many(5);
    pull({0});
    append_many(2);
    machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 3", &machine_->power));
    disk(2).hangs = true;  // The slowest: nothing of the set is on it when the power fails.
    machine_->power.dies_at = machine_->power.operations + operation;
    (void)machine_->loop->run(journal().add_drive({drive_id(3), disk(3).mount()}));
    disk(2).hangs = false;
    if (restart({0, 2})) continue;
    append_many(3);
    if (restart({0, 1, 3})) continue;
    ++started;
    expect_read();
    if (HasFailure()) FAIL() << "power lost at operation " << operation;
  }
  EXPECT_GT(started, 20u);
}

// One of three is lost, and the set that counts its successor gets to all but that.
TEST_F(HalfWay, AnAddThatDoesNotReachTheNewDriveLeavesEnoughForAStart) {
  start(3, 2);
  append_many(5);
  pull({0});
  append_many(2);
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 3", &machine_->power));
  write_sets_on({1, 2});
  (void)add(3);
  write_sets_everywhere();
  expect_restart({1, 2, 3});
}

// Else every refused append, and each look at the drives, would read and write the whole log.
TEST_F(HalfWay, NothingIsCopiedWhileTheSetCannotBeWritten) {
  start(3, 2);
  append_many(200);
  write_sets_on({1});
  disk(0).dead = true;
  uint64_t written = 0;
  disk(2).on_write = [&](uint64_t, const std::vector<std::string_view>& pieces) {
    for (std::string_view piece : pieces) written += piece.size();
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(append().has_value());
    EXPECT_FALSE(machine_->loop->get(journal().replace_lost()).has_value());
  }
  EXPECT_EQ(written, 0u);
  write_sets_everywhere();
  append_many(1);
  EXPECT_GT(written, 200u * 200u);
  expect_read();
}

size_t segments_on(const MemoryDisk& disk) {
  return static_cast<size_t>(
      std::count_if(disk.files.begin(), disk.files.end(),
                    [](const auto& file) { return file.first.find(".seg") != std::string::npos; }));
}

TEST_F(HalfWay, NothingIsCopiedWhereTheLogHasNoRoom) {
  start(3, 2);
  append_many(200);
  disk(2).capacity_bytes = disk(2).used_bytes() + 3 * options_.segment_bytes;
  disk(0).dead = true;
  size_t created = 0;
  disk(2).fails = [&created](const char* operation, const std::string& name) {
    const bool segment = name.find(".seg") != std::string::npos;
    if (segment && std::string_view(operation) == "create") ++created;
    return false;
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(append().error().code, Errc::unavailable);
    EXPECT_FALSE(machine_->loop->get(journal().replace_lost()).has_value());
  }
  EXPECT_EQ(created, 0u);
  disk(2).capacity_bytes = UINT64_MAX;
  append_many(1);
  EXPECT_GT(created, 3u);
  expect_read();
}

// Somebody else took the room meanwhile.
TEST_F(HalfWay, WhatWasCopiedInVainIsRemoved) {
  start(3, 2);
  append_many(200);
  disk(0).dead = true;
  size_t asked = 0;
  disk(2).full = [&asked](const std::string& name) {
    return name.find(".seg") != std::string::npos && ++asked > 3;
  };
  EXPECT_EQ(append().error().code, Errc::unavailable);
  EXPECT_EQ(asked, 4u);
  EXPECT_EQ(segments_on(disk(2)), 0u);
  disk(2).full = nullptr;
  append_many(1);
  expect_read();
}

// It may be needed while it is filled: then nothing of it is cleared before.
TEST_F(HalfWay, AMirrorThatReturnsWithASetThatFailedKeepsItsLog) {
  start(3, 2);
  append_many(7);
  pull({2});
  write_sets_on({1});
  EXPECT_FALSE(remove(2).has_value());
  write_sets_on({});
  pull({1});
  write_sets_everywhere();
  disk(0).fails = [](const char* operation, const std::string& name) {
    return std::string_view(operation) == "read" && name.ends_with(".seg");
  };
  (void)add(1);
  disk(0).dead = true;
  expect_restart({1, 2});
}

// Drive 3 was filled in the place of 0, and the set that says so got to drive 1 only. A start that
// sees it may end at any time; one that does not see it needs what 0 holds.
TEST_F(HalfWay, AStartClearsNothingForASetThatIsNotInForce) {
  bool ended = false;
  for (uint64_t operation = 1; !ended; ++operation) {
    start(5, 3);
    append_many(5);
    pull({4});
    for (size_t i : {2, 3})
      disk(i).full = [sets = 2](const std::string& name) mutable {
        return name.ends_with("mirrors.new") && sets-- <= 0;
      };
    pull({0});
    write_sets_everywhere();
    machine_->boot();
    for (size_t i : {0, 4}) disk(i).dead = false;
    machine_->power.dies_at = machine_->power.operations + operation;
    (void)machine_->open(options_, {0, 1, 4});
    ended = !machine_->power.off();
    if (ended) break;
    auto failed = restart({0, 3, 4});
    ASSERT_FALSE(failed.has_value()) << operation << ": " << failed->detail;
    expect_read();
  }
}

// A start whose set no drive has room for reads, appends nothing and changes no set.
TEST_F(HalfWay, AStartWithoutRoomForItsSetOnlyReads) {
  start(3, 2);
  append_many(5);
  write_sets_on({});
  for (auto& disk : machine_->disks) disk->capacity_bytes = disk->used_bytes();
  const auto failed = restart({0, 1, 2});
  ASSERT_FALSE(failed.has_value()) << failed->detail;
  expect_read();
  EXPECT_TRUE(journal().lacks_room());
  EXPECT_TRUE(status().degraded);
  const uint64_t generation = status().generation;
  const Bounds before = journal().bounds();
  const auto appended = append(200, AppendClass::reserve);
  ASSERT_FALSE(appended);
  EXPECT_EQ(appended.error().code, Errc::unavailable) << appended.error().detail;
  for (size_t i = 0; i < 3; ++i) {
    (void)machine_->loop->get(journal().drive_failed(drive_id(i), "lost"));
    EXPECT_FALSE(machine_->loop->get(journal().remove_drive(drive_id(i))));
  }
  EXPECT_EQ(journal().bounds().end, before.end);
  EXPECT_EQ(status().generation, generation);
  EXPECT_FALSE(journal().has_room());
  write_sets_everywhere();
  for (auto& disk : machine_->disks) disk->capacity_bytes = UINT64_MAX;
  EXPECT_TRUE(journal().has_room());
  expect_restart({0, 1, 2});
  EXPECT_FALSE(journal().lacks_room());
  append_many(3);
  expect_restart({0, 1, 2});
}

// A mirror without room for another segment.
class FullMirror : public HalfWay {
 protected:
  void fill(size_t i) { disk(i).capacity_bytes = disk(i).used_bytes(); }
  bool is_mirror(size_t i) {
    for (const auto& mirror : status().mirrors)
      if (mirror.drive == drive_id(i)) return true;
    return false;
  }
  void append_to_the_end() {
    for (size_t n = 0; n < 100 && append(200, AppendClass::reserve); ++n) {
    }
  }
  void append_until_power_loss() {
    std::vector<Record> records{test_record(++sent_, 20, 200)};
    const Record sent = records[0];
    auto out = machine_->loop->run(journal().append(records, AppendClass::normal));
    if (out && *out) acked_.push_back(sent);
  }
  void take_what_was_not_acknowledged() {
    const std::vector<StoredRecord> found = machine_->read_all();
    if (found.size() == acked_.size() + 1) acked_.push_back(found.back().record);
  }
};

TEST_F(FullMirror, GivesItsPlaceToDrivesWithRoom) {
  for (size_t mirrors : {2, 3}) {
    for (const std::vector<size_t>& full : {std::vector<size_t>{0}, {1}, {0, 1}}) {
      start(6, static_cast<uint32_t>(mirrors));
      append_many(5);
      for (size_t i : full) fill(i);
      append_many(60);
      for (size_t i : full) EXPECT_FALSE(is_mirror(i));
      for (size_t i : full) EXPECT_EQ(segments_on(disk(i)), 0u);
      EXPECT_EQ(status().mirrors.size(), mirrors);
      EXPECT_EQ(status().replacements, full.size());
      expect_read();
      expect_restart({0, 1, 2, 3, 4, 5});
      append_many(10);
      for (size_t i : full) {
        std::vector<size_t> rest{0, 1, 2, 3, 4, 5};
        rest.erase(rest.begin() + static_cast<ptrdiff_t>(i));
        expect_restart(rest);
      }
    }
  }
}

TEST_F(FullMirror, MayLosePowerWhenItGivesItsPlaceAway) {
  for (size_t lost = 0; lost < 4; ++lost) {
    std::vector<size_t> rest{0, 1, 2, 3};
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(lost));
    bool ended = false;
    for (uint64_t operation = 1; !ended; ++operation) {
      start(4, 2);
      append_many(5);
      fill(0);
      machine_->power.dies_at = machine_->power.operations + operation;
      for (size_t n = 0; n < 30 && !machine_->power.off(); ++n) append_until_power_loss();
      ended = !machine_->power.off();
      disk(lost).dead = true;
      const auto failed = restart(rest);
      ASSERT_FALSE(failed.has_value()) << operation << ": " << failed->detail;
      take_what_was_not_acknowledged();
      expect_read();
    }
  }
}

TEST_F(FullMirror, KeepsItsPlaceWhereNoDriveHasRoomForTheLog) {
  start(4, 2);
  append_many(40);
  fill(0);
  for (size_t i : {2, 3}) disk(i).capacity_bytes = disk(i).used_bytes() + disk(1).used_bytes();
  append_to_the_end();
  EXPECT_EQ(append().error().code, Errc::no_space);
  EXPECT_TRUE(is_mirror(0));
  for (size_t i : {2, 3}) EXPECT_EQ(segments_on(disk(i)), 0u);
  expect_read();
  disk(3).capacity_bytes = UINT64_MAX;
  append_many(20);
  EXPECT_TRUE(is_mirror(3));
  expect_restart({0, 1, 2, 3});
}

TEST_F(FullMirror, AStartTakesDrivesWithRoomOrOnlyReads) {
  start(4, 2);
  append_many(5);
  fill(0);
  for (size_t i : {2, 3}) fill(i);
  append_to_the_end();
  for (size_t i : {0, 2, 3}) fill(i);
  expect_restart({0, 1, 2, 3});
  EXPECT_TRUE(journal().lacks_room());
  EXPECT_TRUE(status().degraded);
  EXPECT_EQ(append(200, AppendClass::reserve).error().code, Errc::unavailable);
  EXPECT_FALSE(journal().has_room());
  disk(2).capacity_bytes = UINT64_MAX;
  EXPECT_TRUE(journal().has_room());
  expect_restart({0, 1, 2, 3});
  EXPECT_FALSE(journal().lacks_room());
  EXPECT_TRUE(is_mirror(2));
  append_many(20);
  expect_restart({0, 1, 2, 3});
}

// The set with the new mirrors gets to one drive only, and the others have no room for a copy any
// more either. The next start takes that set: what its mirrors lack would be lost.
TEST_F(FullMirror, AMoveThatGotHalfWayIsSettledBeforeAnythingIsAcknowledged) {
  bool was_in_doubt = false;
  for (size_t sets = 0; sets < 6; ++sets) {
    for (bool goes_on : {false, true}) {
      start(6, 3);
      append_many(5);
      for (size_t i : {0, 1, 2}) fill(i);
      for (size_t i : {0, 1, 2, 4, 5}) {
        disk(i).full = [this, i, left = i < 3 ? 0 : sets](const std::string& name) mutable {
          if (!name.ends_with("mirrors.new")) return false;
          if (left > 0) {
            --left;
            return false;
          }
          fill(i);
          return true;
        };
      }
      append_to_the_end();
      for (size_t n = 0; n < 3; ++n) (void)append(10, AppendClass::reserve);
      write_sets_everywhere();
      was_in_doubt = was_in_doubt || journal().is_in_doubt();
      for (size_t i = 0; i < 6 && goes_on; ++i) disk(i).capacity_bytes = UINT64_MAX;
      if (goes_on) {
        EXPECT_TRUE(machine_->loop->get(journal().replace_lost()).has_value());
        EXPECT_FALSE(journal().is_in_doubt());
        append_many(10);
      }
      expect_restart({0, 1, 2, 3, 4, 5});
      for (size_t i = 0; i < 6; ++i) disk(i).capacity_bytes = UINT64_MAX;
      expect_restart({0, 1, 2, 3, 4, 5});
      append_many(10);
      expect_restart({0, 1, 2, 3, 4, 5});
      if (HasFailure()) FAIL() << sets << " sets, " << goes_on;
    }
  }
  EXPECT_TRUE(was_in_doubt);
}

}  // namespace
}  // namespace kura::journal
