// The embedded journal on healthy and on failing drives, while it runs.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/chance.h"
#include "journal/embedded/segment_format.h"
#include "tests/journal/acked_log.h"
#include "tests/journal/journal_contract.h"

namespace kura::journal {
namespace {

class MemoryRig final : public JournalRig {
 public:
  explicit MemoryRig(uint64_t cache_bytes) : machine_(4) {
    options_ = Machine::small(2);
    options_.segment_bytes = 300 * kKiB;
    options_.body_cache_bytes = cache_bytes;
    machine_.create(options_);
  }
  Journal& journal() override { return *machine_.journal; }
  void restart() override {
    machine_.boot();
    auto failed = machine_.open(options_);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
  }
  void run(Task<void> task) override {
    spawn(*machine_.loop, std::move(task));
    machine_.loop->run();
  }

 private:
  Machine machine_;
  EmbeddedJournalOptions options_;
};

INSTANTIATE_TEST_SUITE_P(Embedded, JournalContract,
                         testing::Values([] { return std::make_unique<MemoryRig>(0); },
                                         [] { return std::make_unique<MemoryRig>(kMiB); }));

class Running : public AckedLog {
 protected:
  void start(size_t disks, uint32_t mirrors) { AckedLog::start(disks, Machine::small(mirrors)); }
  static Task<bool> close_whole(EmbeddedJournal& journal) {
    co_await journal.close();
    co_return true;
  }
  // One that may not write leaves the drives as they are, whatever it is asked for.
  void expect_refused(EmbeddedJournal& journal) {
    std::map<std::string, std::string> before[3];
    for (size_t i = 0; i < 3; ++i)
      for (const auto& [name, file] : disk(i).files) before[i][name] = file->bytes;
    TestLoop& loop = *machine_->loop;
    for (const Result<void>& refused :
         {loop.get(journal.truncate(journal.bounds().end)), loop.get(journal.set_mirror_count(3)),
          loop.get(journal.set_mirror_count(1)), loop.get(journal.remove_drive(drive_id(2))),
          loop.get(journal.ensure_room(4096)), loop.get(journal.scrub())}) {
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().code, Errc::unavailable);
    }
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(disk(i).files.size(), before[i].size());
      for (const auto& [name, file] : disk(i).files) EXPECT_TRUE(before[i][name] == file->bytes);
    }
  }
};

// Every operation of an append that rolls, failing on one mirror in turn.
TEST_F(Running, AMirrorThatFailsAtAnyOperationIsReplacedBeforeTheAppendIsAcknowledged) {
  for (uint64_t operation = 0; operation < 25; ++operation) {
    for (size_t victim : {size_t{0}, size_t{1}}) {
      start(4, 2);
      for (auto& d : machine_->disks) d->posts = true;
      append_many(5);
      const uint64_t generation = status().generation;
      disk(victim).dies_in = operation;
      append_many(8);
      ASSERT_TRUE(disk(victim).dead);
      machine_->loop->run();
      EXPECT_EQ(status().mirrors.size(), 2u);
      EXPECT_GT(status().generation, generation);
      EXPECT_FALSE(status().degraded);
      EXPECT_EQ(status().failed.size(), 1u);
      // Any drive may be gone now; the stale mirror, back with its old records, harms nothing.
      expect_all();
      disk(victim).dead = false;
      expect_read_without_any_one();
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(Running, AMirrorThatFailsWithoutASpareRefusesWritesAndGoesOnReading) {
  start(2, 2);
  append_many(5);
  disk(1).dead = true;
  auto refused = append();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  EXPECT_TRUE(status().degraded);
  EXPECT_FALSE(status().fatal);
  expect_read();
  EXPECT_EQ(append().error().code, Errc::unavailable);
  expect_read();
  // Another drive comes: everything goes on, and what was refused never turns up.
  machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 2", &machine_->power));
  auto added = machine_->loop->get(journal().add_drive({drive_id(2), disk(2).mount()}));
  ASSERT_TRUE(added.has_value()) << added.error().detail;
  EXPECT_FALSE(status().degraded);
  append_many(5);
  disk(1).dead = false;  // The old mirror is back at the restart, with what it once had.
  expect_all();
}

TEST_F(Running, ARefusedAppendIsTakenBackFromTheMirrorsThatHaveIt) {
  start(2, 2);
  append_many(5);
  disk(1).dead = true;
  EXPECT_EQ(append().error().code, Errc::unavailable);
  machine_->boot();
  ASSERT_FALSE(machine_->open(options_, {0}).has_value());
  EXPECT_TRUE(machine_->journal->report().degraded);
  expect_read();
}

// It is killed between write and sync, starts again and acknowledges more; then the power fails.
TEST_F(Running, WhatAKilledProcessWroteIsSyncedBeforeItIsShown) {
  size_t shown = 0;
  for (uint64_t operation = 1; operation < 30; ++operation) {
    SCOPED_TRACE(operation);
    start(2, 2);
    for (auto& one : machine_->disks) one->posts = true;
    machine_->power.dies_at = machine_->power.operations + operation;
    std::vector<Record> records;
    for (size_t i = 0; i < 3; ++i) records.push_back(test_record(1000 + i, 20, 100));
    (void)machine_->loop->run(journal().append(records, AppendClass::normal));
    machine_->boot();
    ASSERT_FALSE(machine_->open(options_).has_value());
    for (const StoredRecord& stored : machine_->read_all()) acked_.push_back(stored.record);
    shown += acked_.size();
    ASSERT_TRUE(append(600).has_value());  // In the next segment.
    machine_->crash(Unsynced::dropped);
    auto failed = machine_->open(options_);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
  }
  EXPECT_GT(shown, 0u);
}

TEST_F(Running, NoMirrorLeftIsUnknownAndTheRestartResolvesIt) {
  start(2, 2);
  append_many(3);
  for (size_t i = 0; i < 2; ++i) {
    disk(i).fails = [](const char* operation, const std::string&) {
      return std::string_view(operation) == "sync";
    };
  }
  EXPECT_EQ(append().error().code, Errc::unknown);
  EXPECT_TRUE(status().fatal);
  EXPECT_EQ(append().error().code, Errc::unknown);
  for (size_t i = 0; i < 2; ++i) disk(i).fails = nullptr;
  machine_->boot();
  ASSERT_FALSE(machine_->open(options_).has_value());
  const std::vector<StoredRecord> found = machine_->read_all();
  ASSERT_GE(found.size(), acked_.size());
  for (size_t i = 0; i < acked_.size(); ++i) EXPECT_TRUE(same(found[i].record, acked_[i]));
}

// One of two mirrors of a single-parity set dies, then the other: never both at once.
TEST_F(Running, MirrorsMayFailOneAfterTheOther) {
  start(5, 2);
  for (size_t victim = 0; victim < 4; ++victim) {
    append_many(4);
    disk(victim).dead = true;
    if (victim < 3) append_many(4);
  }
  EXPECT_EQ(append().error().code, Errc::unavailable);
  EXPECT_EQ(status().mirrors.size(), 1u);
  expect_read();
}

TEST_F(Running, AFullDriveRefusesAppendsBeforeAnythingIsWrittenButLetsDeletesGoOn) {
  start(2, 2);
  append_many(3);
  for (size_t i = 0; i < 2; ++i) disk(i).capacity_bytes = disk(i).used_bytes() + 100;
  Result<std::vector<Offset>> result;
  for (int i = 0; i < 10 && result; ++i) result = append();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, Errc::no_space);
  // The reserve: the whole segment that normal appends may no longer begin to fill.
  size_t small = 0;
  while (append(0, AppendClass::reserve)) ++small;
  EXPECT_GE(small, 4u);
  expect_read();
  // Truncation needs no space that is not there, and gives some back.
  const Offset end = journal().bounds().end;
  auto truncated = machine_->loop->get(journal().truncate(end));
  ASSERT_TRUE(truncated.has_value()) << truncated.error().detail;
  acked_.clear();
  for (const StoredRecord& record : machine_->read_all()) acked_.push_back(record.record);
  machine_->loop->run();
  ASSERT_TRUE(append().has_value());
  expect_all();
}

TEST_F(Running, AFullDriveIsPassedOverAsANewMirror) {
  start(4, 2);
  append_many(5);
  disk(2).capacity_bytes = disk(2).used_bytes() + 1000;
  disk(0).dead = true;
  append_many(2);
  EXPECT_EQ(status().mirrors.size(), 2u);
  disk(3).dead = true;
  EXPECT_EQ(append().error().code, Errc::unavailable);
  expect_read();
  disk(2).capacity_bytes = UINT64_MAX;  // Space was made; nobody has to tell the journal.
  append_many(2);
  expect_read();
  machine_->boot();
  disk(2).capacity_bytes = 0;  // And full at a start with a lost mirror: reads go on.
  disk(1).dead = true;
  disk(0).dead = disk(3).dead = false;
  for (const auto& [name, file] : disk(0).files) disk(2).capacity_bytes += file->bytes.size() / 2;
  ASSERT_FALSE(machine_->open(options_).has_value());
  expect_read();
}

TEST_F(Running, DiskUsageReturnsToTheStartWhenAllIsDead) {
  start(3, 2);
  const uint64_t used = disk(0).used_bytes();
  append_many(200);
  EXPECT_GT(disk(0).used_bytes(), 10 * used);
  ASSERT_TRUE(machine_->loop->get(journal().truncate(journal().bounds().end)).has_value());
  EXPECT_EQ(disk(0).used_bytes(), used);
  EXPECT_EQ(disk(1).used_bytes(), used);
  EXPECT_EQ(status().segments, 1u);
}

struct RunningBesideALoop : Running {
  // What a reader on another loop gets.
  std::string read_elsewhere(const v1::JournalBody& body) {
    TestLoop other;
    std::optional<Result<std::string>> out;
    struct Read {
      static Task<void> go(EmbeddedJournal& journal, v1::JournalBody want,
                           std::optional<Result<std::string>>* to) {
        Result<std::string> got = co_await journal.read_body(want);
        to->emplace(std::move(got));
      }
    };
    spawn(other, Read::go(journal(), body, &out));
    for (int i = 0; i < 10 && !out; ++i) {
      other.run();
      machine_->loop->run();
    }
    return out && *out ? **out : "no answer";
  }
};

TEST_F(RunningBesideALoop, ReadsABodyAndMendsItsMirrorOnce) {
  EmbeddedJournalOptions options = Machine::small(2);
  options.segment_bytes = 64 * kKiB;
  AckedLog::start(2, options);
  std::set<size_t> damaged;
  for (uint64_t i = 0; damaged.size() < 2; ++i) {
    ASSERT_LT(i, 50u);
    auto offsets = append(300);
    ASSERT_TRUE(offsets.has_value());
    const v1::JournalBody body = body_of(offsets->front(), acked_[i]);
    // Of the mirror that this body is read from.
    const size_t first = offsets->front().value / 4096 % 2;
    if (!damaged.insert(first).second) continue;
    disk(first).files[segment_name(0)]->bytes[offsets->front().value + 200] ^= 1;
    EXPECT_EQ(read_elsewhere(body), acked_[i].body);
    machine_->loop->run();
    EXPECT_TRUE(disk(0).files[segment_name(0)]->bytes == disk(1).files[segment_name(0)]->bytes);
    EXPECT_EQ(status().damages, damaged.size());
    EXPECT_EQ(status().repairs, damaged.size());
  }
}

TEST_F(Running, RecentBodiesComeFromMemory) {
  EmbeddedJournalOptions options = Machine::small(2);
  options.body_cache_bytes =
      3 * kKiB;  // An append is written as one block, here the rest of the segment.
  AckedLog::start(2, options);
  std::vector<Offset> offsets;
  for (int i = 0; i < 6; ++i) {
    auto offset = append(300);
    ASSERT_TRUE(offset.has_value());
    offsets.push_back(offset->front());
  }
  EXPECT_LE(status().cached_body_bytes, 3 * kKiB);
  for (size_t i = 0; i < 2; ++i) disk(i).dead = true;
  std::string out;
  for (size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(journal().try_read_body(body_of(offsets[i], acked_[i]), &out), i >= 3);
    if (i >= 3) {
      EXPECT_EQ(out, acked_[i].body);
    }
  }
}

// A record with the bytes of other records in its body: nothing looks inside bodies.
TEST_F(Running, BodiesThatLookLikeRecordsAreBodies) {
  start(2, 2);
  append_many(2);
  const std::string log = disk(0).files[segment_name(0)]->bytes;
  std::vector<Record> records{test_record(++sent_)};
  records[0].body = log.substr(kSegmentHeaderBytes, 300);
  ASSERT_TRUE(machine_->append(records).has_value());
  acked_.push_back(records[0]);
  append_many(2);
  expect_all();
}

// What the simulator may do to it: segments end early, reads are short.
TEST_F(Running, SegmentsMayEndEarlyAndReadsBeShort) {
  start(2, 2);
  uint64_t calls = 0;
  chance_decider = [&](std::string_view) { return ++calls % 3 == 0; };
  append_many(20);
  expect_all();
  append_many(5);
  expect_all({0, 1});
  chance_decider = nullptr;
  EXPECT_GT(status().segments, 12u);
}

TEST_F(Running, CloseWaitsForWorkInTheBackground) {
  start(2, 2);
  for (auto& d : machine_->disks) d->posts = true;
  append_many(9);
  EXPECT_TRUE(machine_->loop->get(close_whole(journal())));
  EXPECT_EQ(append().error().code, Errc::unavailable);
  EXPECT_EQ(spawned_tasks(*machine_->loop), 0u);
}

TEST_F(Running, NothingIsChangedByOneThatWasOpenedToRead) {
  start(3, 2);
  append_many(40);
  auto opened =
      machine_->loop->get(EmbeddedJournal::open_read_only(*machine_->loop, machine_->drives()));
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  expect_refused(**opened);
}

TEST_F(Running, NothingIsChangedAfterItWasClosed) {
  start(3, 2);
  append_many(40);
  EXPECT_TRUE(machine_->loop->get(close_whole(journal())));
  expect_refused(journal());
}

TEST_F(Running, WhatWaitsForItsTurnWhenItClosesChangesNothing) {
  start(4, 2);
  append_many(40);
  const size_t segments = status().segments;
  const Offset end = journal().bounds().end;
  for (auto& d : machine_->disks) d->posts = true;
  std::optional<Result<void>> roomy, cut, more, removed, scrubbed;
  TestLoop& loop = *machine_->loop;
  // The first one has its turn when the journal closes.
  spawn(loop, keep_result(journal().scrub(), &scrubbed));
  spawn(loop, keep_result(journal().truncate(end), &cut));
  spawn(loop, keep_result(journal().set_mirror_count(3), &more));
  spawn(loop, keep_result(journal().remove_drive(drive_id(3)), &removed));
  spawn(loop, keep_result(journal().ensure_room(4096), &roomy));
  EXPECT_TRUE(loop.get(close_whole(journal())));
  for (const auto* outcome : {&roomy, &cut, &more, &removed, &scrubbed}) {
    ASSERT_TRUE(outcome->has_value());
    ASSERT_FALSE((*outcome)->has_value());
    EXPECT_EQ((*outcome)->error().code, Errc::unavailable);
  }
  EXPECT_EQ(status().segments, segments);
  EXPECT_EQ(status().mirrors.size(), 2u);
  EXPECT_EQ(status().scrubs, 0u);
}

}  // namespace
}  // namespace kura::journal
