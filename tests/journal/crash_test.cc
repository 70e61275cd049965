// Power lost at every single operation of a scripted run, with unsynced writes kept, dropped or
// torn: after the restart every acknowledged record is there, whole, in order, on every mirror.

#include <gtest/gtest.h>

#include "journal/embedded/segment_format.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

struct Acknowledged {
  std::vector<Record> records;
  std::vector<Offset> offsets;
  Offset truncated;   // Asked for; the records below may be gone.
  uint64_t sent = 0;  // Records handed to the journal, acknowledged or not.
};

// Appends, rolls, replaces mirrors and truncates, until the power goes.
Task<void> work(Machine& machine, Acknowledged& out, bool lose_a_drive) {
  for (uint64_t round = 0; round < 6; ++round) {
    std::vector<Record> records;
    for (uint64_t i = 0; i < 1 + round % 3; ++i) {
      records.push_back(test_record(out.sent++, 30, 100 + 200 * (round % 3)));
    }
    auto offsets = co_await machine.journal->append(records, AppendClass::normal);
    if (offsets) {
      for (size_t i = 0; i < records.size(); ++i) {
        out.records.push_back(records[i]);
        out.offsets.push_back((*offsets)[i]);
      }
    }
    if (round == 2 && lose_a_drive) machine.disks[0]->dead = true;
    if (round == 4) {
      out.truncated = out.offsets[out.offsets.size() / 2];
      Result<void> truncated = co_await machine.journal->truncate(out.truncated);
      (void)truncated;
    }
  }
}

// True if the power went before the work was done.
bool crash_at(Machine& machine, uint64_t operation, bool applies, bool lose_a_drive,
              Acknowledged& out) {
  for (auto& disk : machine.disks) disk->posts = true;
  EXPECT_FALSE(machine.open(Machine::small(2)).has_value());
  machine.power.operations = 0;
  machine.power.dies_at = operation;
  machine.power.last_applies = applies;
  spawn(*machine.loop, work(machine, out, lose_a_drive));
  machine.loop->run();
  return machine.power.off();
}

void expect_nothing_lost(Machine& machine, const Acknowledged& acked, const std::string& what) {
  std::vector<StoredRecord> found = machine.read_all();
  size_t at = 0;
  while (at < found.size() && !acked.offsets.empty() && found[at].offset < acked.offsets[0]) ++at;
  for (size_t i = 0; i < acked.records.size(); ++i) {
    if (acked.offsets[i] < machine.journal->bounds().start) {
      ASSERT_LT(acked.offsets[i], acked.truncated) << what;
      continue;
    }
    while (at < found.size() && found[at].offset < acked.offsets[i]) ++at;
    ASSERT_LT(at, found.size()) << what << ": record " << i << " is lost";
    ASSERT_EQ(found[at].offset, acked.offsets[i]) << what;
    ASSERT_TRUE(same(found[at].record, acked.records[i])) << what;
  }
  for (size_t i = 1; i < found.size(); ++i) {
    ASSERT_EQ(found[i - 1].end, found[i].offset) << what;
    ASSERT_GT(found[i].record.seq, found[i - 1].record.seq) << what;
  }
}

void expect_equal_mirrors(Machine& machine, const std::string& what) {
  std::vector<const MemoryDisk*> mirrors;
  for (const auto& mirror : machine.journal->status().mirrors) {
    mirrors.push_back(machine.disks[mirror.drive.bytes[15]].get());
  }
  ASSERT_EQ(mirrors.size(), 2u) << what;
  for (const auto& [name, file] : mirrors[0]->files) {
    ASSERT_TRUE(mirrors[1]->files.contains(name)) << what << " " << name;
    ASSERT_TRUE(file->bytes == mirrors[1]->files.at(name)->bytes) << what << " " << name;
  }
}

class Crash : public testing::TestWithParam<bool> {};

TEST_P(Crash, AtAnyOperationLosesNothing) {
  const bool lose_a_drive = GetParam();
  bool finished = false;
  for (uint64_t operation = 1; !finished; ++operation) {
    ASSERT_LT(operation, 5000u);
    finished = true;
    for (Unsynced policy : {Unsynced::kept, Unsynced::dropped, Unsynced::torn}) {
      for (uint64_t seed = 0; seed < (policy == Unsynced::torn ? 6u : 1u); ++seed) {
        for (bool applies : {false, true}) {
          const std::string what = "operation " + std::to_string(operation) + " policy " +
                                   std::to_string(static_cast<int>(policy)) + " seed " +
                                   std::to_string(seed);
          Machine machine(3);
          machine.create(Machine::small(2));
          machine.boot();
          Acknowledged acked;
          if (crash_at(machine, operation, applies, lose_a_drive, acked)) finished = false;
          machine.crash(policy, seed);
          auto failed = machine.open(Machine::small(2));
          ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
          expect_nothing_lost(machine, acked, what);
          expect_equal_mirrors(machine, what);
          if (HasFatalFailure()) return;
          // And it goes on, over another restart.
          const std::vector<Record> more{test_record(acked.sent, 30, 400)};
          auto offsets = machine.append(more);
          ASSERT_TRUE(offsets.has_value()) << what << ": " << offsets.error().detail;
          acked.records.push_back(more[0]);
          acked.offsets.push_back((*offsets)[0]);
          machine.crash(Unsynced::dropped, seed);
          failed = machine.open(Machine::small(2));
          ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
          expect_nothing_lost(machine, acked, what);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(WithAndWithoutALostDrive, Crash, testing::Bool());

// Recovery itself is interrupted, as often as it takes.
TEST(CrashDuringRecovery, AtAnyOperationLosesNothing) {
  for (Unsynced policy : {Unsynced::kept, Unsynced::dropped, Unsynced::torn}) {
    bool finished = false;
    for (uint64_t operation = 1; !finished; ++operation) {
      Machine machine(3);
      machine.create(Machine::small(2));
      Acknowledged acked;
      for (uint64_t n = 0; n < 6; ++n) {
        const std::vector<Record> one{test_record(n, 30, 250)};
        auto offsets = machine.append(one);
        ASSERT_TRUE(offsets.has_value());
        acked.records.push_back(one[0]);
        acked.offsets.push_back((*offsets)[0]);
      }
      machine.boot();
      machine.disks[0]->files.clear();  // A mirror was replaced by an empty drive.
      machine.power.dies_at = operation;
      machine.power.last_applies = operation % 2 == 0;
      finished = !machine.open(Machine::small(2)).has_value();
      machine.crash(policy, operation);
      const std::string what = "operation " + std::to_string(operation);
      auto failed = machine.open(Machine::small(2));
      ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
      expect_nothing_lost(machine, acked, what);
      expect_equal_mirrors(machine, what);
      if (HasFatalFailure()) return;
    }
  }
}

// A record that one mirror alone has after a crash may be read by anybody once the journal is open,
// so it must be on every mirror by then, synced.
TEST(CrashAfterRecovery, WhatWasReadOnceNeverVanishes) {
  size_t unacknowledged = 0;
  for (uint64_t operation = 1; operation < 150; ++operation) {
    for (size_t lost : {size_t{0}, size_t{1}}) {
      Machine machine(3);
      machine.create(Machine::small(2));
      machine.boot();
      Acknowledged acked;
      crash_at(machine, operation, true, false, acked);
      machine.halt();
      machine.disks[0]->crash(Unsynced::kept, 1);
      machine.disks[1]->crash(Unsynced::dropped, 1);
      machine.boot();
      ASSERT_FALSE(machine.open(Machine::small(2)).has_value());
      const std::vector<StoredRecord> before = machine.read_all();
      unacknowledged +=
          !before.empty() && (acked.offsets.empty() || before.back().offset > acked.offsets.back());
      machine.crash(Unsynced::dropped);
      machine.disks[lost]->dead = true;
      ASSERT_FALSE(machine.open(Machine::small(2)).has_value());
      const std::vector<StoredRecord> after = machine.read_all();
      ASSERT_EQ(after.size(), before.size()) << "operation " << operation;
      for (size_t i = 0; i < after.size(); ++i) {
        ASSERT_EQ(after[i].offset, before[i].offset);
        ASSERT_TRUE(same(after[i].record, before[i].record));
      }
    }
  }
  EXPECT_GT(unacknowledged, 0u);  // Else this tested nothing.
}

// A creation that was interrupted is told as one, and the next creation completes it.
TEST(CrashDuringCreation, AtAnyOperationLeavesNothingInTheWay) {
  bool finished = false;
  for (uint64_t operation = 1; !finished; ++operation) {
    for (bool applies : {false, true}) {
      Machine machine(3);
      machine.power.dies_at = operation;
      machine.power.last_applies = applies;
      auto created = machine.loop->run(
          EmbeddedJournal::create(*machine.loop, machine.drives(), Machine::small(2)));
      finished = created.has_value();
      if (created) {
        ASSERT_TRUE(created->has_value());
        machine.journal = std::move(**created);
      }
      machine.crash(Unsynced::torn, operation);
      auto failed = machine.open(Machine::small(2));
      if (failed && failed->code == Errc::not_found) {
        EmbeddedJournalOptions again = Machine::small(2);
        again.journal = journal_id(2);
        machine.create(again);
        if (HasFatalFailure()) return;
      } else {
        ASSERT_FALSE(failed.has_value()) << operation << ": " << failed->detail;
      }
      ASSERT_TRUE(machine.append({test_record(1)}).has_value());
      machine.boot();
      ASSERT_FALSE(machine.open(Machine::small(2)).has_value());
      EXPECT_EQ(machine.read_all().size(), 1u);
    }
  }
}

// The planted fault: this is what the tests above must be able to see.
TEST(CrashWithAckBeforeSync, LosesAcknowledgedRecords) {
  bool lost = false;
  for (uint64_t operation = 1; operation < 60 && !lost; ++operation) {
    EmbeddedJournalOptions options = Machine::small(2);
    options.ack_before_sync = true;
    Machine machine(3);
    machine.create(options);
    machine.boot();
    for (auto& disk : machine.disks) disk->posts = true;
    ASSERT_FALSE(machine.open(options).has_value());
    machine.power.operations = 0;
    machine.power.dies_at = operation;
    Acknowledged acked;
    spawn(*machine.loop, work(machine, acked, false));
    machine.loop->run();
    machine.crash(Unsynced::dropped);
    ASSERT_FALSE(machine.open(Machine::small(2)).has_value());
    lost = !acked.offsets.empty() && machine.journal->bounds().end <= acked.offsets.back();
  }
  EXPECT_TRUE(lost);
}

}  // namespace
}  // namespace kura::journal
