// The contract of the Journal port, to be run against every implementation: instantiate
// JournalContract with a way to make journals.
//
//   struct MyRig : kura::journal::JournalRig { ... };
//   INSTANTIATE_TEST_SUITE_P(Mine, kura::journal::JournalContract,
//                            ::testing::Values([] { return std::make_unique<MyRig>(); }));

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "base/limits.h"
#include "journal/journal.h"
#include "journal/record_codec.h"
#include "tests/base/kept_result.h"

namespace kura::journal {

// One empty journal, whose segments are small against kContractBytes, and the loop it lives on.
class JournalRig {
 public:
  virtual ~JournalRig() = default;
  virtual Journal& journal() = 0;
  // The process ends and starts again on the same storage.
  virtual void restart() = 0;
  // Runs a task on the journal's loop to its end.
  virtual void run(Task<void> task) = 0;
};

using MakeJournalRig = std::function<std::unique_ptr<JournalRig>()>;

class JournalContract : public ::testing::TestWithParam<MakeJournalRig> {
 protected:
  // Appends of about this much must span several segments.
  static constexpr uint64_t kContractBytes = 2 * kMiB;

  void SetUp() override { rig_ = GetParam()(); }

  template <class T>
  T get(Task<T> task) {
    std::optional<T> out;
    rig_->run(keep_result(std::move(task), &out));
    EXPECT_TRUE(out.has_value());
    return std::move(*out);
  }
  Journal& journal() { return rig_->journal(); }

  static Record event(uint64_t n, size_t body_bytes) {
    Record record;
    record.partition = PartitionId{static_cast<uint16_t>(n % 16)};
    record.epoch = Epoch{1};
    record.writer.bytes[0] = 9;
    record.seq = n;
    record.payload = "payload " + std::to_string(n);
    record.body.assign(body_bytes, static_cast<char>('A' + n % 26));
    return record;
  }

  // Appends `count` records of `body_bytes`, `batch` at a time; they continue `records_`.
  void append(size_t count, size_t body_bytes, size_t batch = 3) {
    while (count > 0) {
      std::vector<Record> records;
      for (; count > 0 && records.size() < batch; --count) {
        records.push_back(event(records_.size() + records.size() + 1, body_bytes));
      }
      auto offsets = get(journal().append(records, AppendClass::normal));
      ASSERT_TRUE(offsets.has_value()) << offsets.error().detail;
      ASSERT_EQ(offsets->size(), records.size());
      for (size_t i = 0; i < records.size(); ++i) {
        if (!records_.empty()) {
          EXPECT_GT((*offsets)[i], offsets_.back());
        }
        records_.push_back(records[i]);
        offsets_.push_back((*offsets)[i]);
      }
    }
  }

  // Everything from record `first` on reads back as it was appended, in whatever portions.
  void expect_reads_back(size_t first, uint64_t bytes_max) {
    Offset at = first < offsets_.size() ? offsets_[first] : journal().bounds().end;
    size_t n = first;
    for (;;) {
      auto some = get(journal().read(at, bytes_max));
      ASSERT_TRUE(some.has_value()) << some.error().detail;
      if (some->empty()) break;
      for (const StoredRecord& stored : *some) {
        ASSERT_LT(n, records_.size());
        EXPECT_EQ(stored.offset, offsets_[n]);
        EXPECT_EQ(stored.record.seq, records_[n].seq);
        EXPECT_EQ(stored.record.partition, records_[n].partition);
        EXPECT_EQ(stored.record.payload, records_[n].payload);
        EXPECT_EQ(stored.record.body, records_[n].body);
        if (n + 1 < records_.size()) {
          EXPECT_EQ(stored.end, offsets_[n + 1]);
        }
        ++n;
      }
      at = some->back().end;
    }
    EXPECT_EQ(n, records_.size());
  }

  static v1::JournalBody body_at(Offset offset, const Record& record) {
    v1::JournalBody body;
    body.set_offset(offset.value);
    body.set_length(static_cast<uint32_t>(record.body.size()));
    body.set_crc32c(crc32c(record.body));
    return body;
  }

  std::unique_ptr<JournalRig> rig_;
  std::vector<Record> records_;
  std::vector<Offset> offsets_;
};

TEST_P(JournalContract, StartsEmpty) {
  EXPECT_EQ(journal().bounds().start, journal().bounds().end);
  auto some = get(journal().read(journal().bounds().start, 1000));
  ASSERT_TRUE(some.has_value());
  EXPECT_TRUE(some->empty());
}

TEST_P(JournalContract, ReadsBackWhatWasAppendedInOrder) {
  append(10, 100);
  expect_reads_back(0, 1);
  expect_reads_back(0, kMiB);
  expect_reads_back(4, 300);
}

TEST_P(JournalContract, KeepsRecordsOfEverySizeOverManySegments) {
  append(1, 0);
  append(1, 16 * kKiB);
  append(1, kRecordMax - 1024);
  append(40, 12 * kKiB);
  append(7, 1);
  expect_reads_back(0, 1);
  expect_reads_back(0, 100 * kKiB);
  expect_reads_back(0, 4 * kMiB);
}

TEST_P(JournalContract, TakesABatchOfTheGreatestSize) {
  append(kJournalBatchMax / (200 * kKiB), 199 * kKiB, 1000);
  append(3, 10);
  expect_reads_back(0, kMiB);
}

TEST_P(JournalContract, RefusesARecordThatIsTooLarge) {
  append(1, 10);
  std::vector<Record> records{event(2, 10), event(3, kRecordMax)};
  auto refused = get(journal().append(records, AppendClass::normal));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::too_large);
  append(1, 10);
  expect_reads_back(0, 1000);
}

TEST_P(JournalContract, KeepsEverythingOverARestart) {
  append(30, 5 * kKiB);
  const JournalId id = journal().id();
  rig_->restart();
  EXPECT_EQ(journal().id(), id);
  EXPECT_EQ(journal().bounds().start, offsets_.front());
  expect_reads_back(0, 50 * kKiB);
  append(20, 9 * kKiB);
  rig_->restart();
  rig_->restart();
  expect_reads_back(0, 50 * kKiB);
}

TEST_P(JournalContract, GivesInlineBodiesByTheirPlace) {
  append(60, 8 * kKiB);
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < records_.size(); ++i) {
      const v1::JournalBody body = body_at(offsets_[i], records_[i]);
      auto read = get(journal().read_body(body));
      ASSERT_TRUE(read.has_value()) << read.error().detail;
      EXPECT_EQ(*read, records_[i].body);
      std::string tried;
      if (journal().try_read_body(body, &tried)) {
        EXPECT_EQ(tried, records_[i].body);
      }
    }
    rig_->restart();
  }
}

TEST_P(JournalContract, GivesRecordsAsTheyLie) {
  append(kContractBytes / (8 * kKiB), 8 * kKiB);
  const size_t first = 3, behind = offsets_.size() - 2;
  const Offset below = offsets_[behind];
  size_t n = first;
  for (Offset at = offsets_[first]; at < below;) {
    auto raw = get(journal().read_raw(at, below, 40 * kKiB));
    ASSERT_TRUE(raw.has_value()) << raw.error().detail;
    ASSERT_FALSE(raw->bytes.empty());
    std::string_view rest = raw->bytes;
    for (Offset place = raw->from; !rest.empty(); ++n) {
      auto record = parse_record(rest, journal().id(), place);
      ASSERT_TRUE(record.has_value()) << describe(record.error());
      ASSERT_LT(n, behind);
      EXPECT_EQ(place, offsets_[n]);
      EXPECT_EQ(record->body, records_[n].body);
      rest.remove_prefix(record->bytes.size());
      place = Offset{place.value + record->bytes.size()};
    }
    at = raw->end;
  }
  EXPECT_EQ(n, behind);
  auto none = get(journal().read_raw(below, below, 1000));
  ASSERT_TRUE(none.has_value());
  EXPECT_TRUE(none->bytes.empty());
  EXPECT_EQ(none->end, below);
}

TEST_P(JournalContract, NeverGivesABodyThatTheEventDoesNotName) {
  append(3, 100);
  v1::JournalBody wrong = body_at(offsets_[1], records_[1]);
  wrong.set_crc32c(wrong.crc32c() + 1);
  rig_->restart();
  std::string out;
  EXPECT_FALSE(journal().try_read_body(wrong, &out));
  EXPECT_EQ(get(journal().read_body(wrong)).error().code, Errc::corrupt);
  wrong = body_at(offsets_[1], records_[1]);
  wrong.set_offset(offsets_[1].value + 16);
  EXPECT_FALSE(journal().try_read_body(wrong, &out));
  EXPECT_FALSE(get(journal().read_body(wrong)).has_value());
}

TEST_P(JournalContract, TruncatesOnlyWhatLiesBelow) {
  append(kContractBytes / (8 * kKiB), 8 * kKiB);
  const size_t middle = offsets_.size() / 2;
  ASSERT_TRUE(get(journal().truncate(offsets_[middle])).has_value());
  EXPECT_GT(journal().bounds().start, offsets_.front());
  EXPECT_LE(journal().bounds().start, offsets_[middle]);
  expect_reads_back(middle, 100 * kKiB);
  EXPECT_EQ(get(journal().read(offsets_.front(), 1000)).error().code, Errc::not_found);
  const v1::JournalBody gone = body_at(offsets_[0], records_[0]);
  if (gone.offset() < journal().bounds().start.value) {
    rig_->restart();
    EXPECT_EQ(get(journal().read_body(gone)).error().code, Errc::not_found);
  }
  const Offset start = journal().bounds().start;
  rig_->restart();
  EXPECT_EQ(journal().bounds().start, start);
  expect_reads_back(middle, 100 * kKiB);
}

TEST_P(JournalContract, GoesOnBehindATruncationOfEverything) {
  append(kContractBytes / (8 * kKiB), 8 * kKiB);
  const Offset end = journal().bounds().end;
  ASSERT_TRUE(get(journal().truncate(end)).has_value());
  append(5, 100);
  EXPECT_GE(offsets_.back(), end);
  rig_->restart();
  expect_reads_back(records_.size() - 5, 1000);
}

TEST_P(JournalContract, CopyOfARecordMayBeAppendedAgain) {
  append(1, 10);
  std::vector<Record> again{records_[0]};
  auto offsets = get(journal().append(again, AppendClass::reserve));
  ASSERT_TRUE(offsets.has_value());
  EXPECT_GT(offsets->front(), offsets_.front());
}

}  // namespace kura::journal
