// Every byte of a mirrored log, flipped or cut away, on every one and every two of three mirrors:
// nothing is lost and everything is mended. On all three: refused with the offsets, or cut where
// nothing acknowledged can have been.

#include <gtest/gtest.h>

#include <map>

#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

using Files = std::map<std::string, std::string>;

Files contents(const MemoryDisk& disk) {
  Files out;
  for (const auto& [name, file] : disk.files) out[name] = file->bytes;
  return out;
}

// But for the numbers of the start that wrote the mirror set.
Files without_start(Files files) {
  std::string& record = files[kMirrorSetFile];
  auto set = decode_mirror_set(record);
  if (!set) return files;
  set->generation = set->promised = 0;
  set->writer = {};
  set->writers.clear();
  set->lagging.clear();
  set->removed.clear();
  record = encode_mirror_set(*set);
  return files;
}

void restore(MemoryDisk& disk, const Files& files) {
  disk.files.clear();
  for (const auto& [name, bytes] : files) {
    disk.files[name] = std::make_shared<MemoryFile>();
    disk.files[name]->bytes = bytes;
  }
}

// A log over three segments and a spare, on three mirrors of three drives; m = 2. The last append
// spans two segments.
class Damage : public testing::Test {
 protected:
  Damage() : machine_(3) {
    machine_.create(options_);
    uint64_t n = 1;
    for (const std::vector<size_t>& batch :
         {std::vector<size_t>{40, 0}, {300}, {100, 33}, {200, 80}}) {
      std::vector<Record> records;
      for (size_t body_bytes : batch) records.push_back(test_record(n++, 20, body_bytes));
      auto offsets = machine_.append(records);
      EXPECT_TRUE(offsets.has_value());
      offsets_.insert(offsets_.end(), offsets->begin(), offsets->end());
      records_.insert(records_.end(), records.begin(), records.end());
    }
    EXPECT_EQ(machine_.journal->segments().size(), 3u);
    machine_.boot();
    // Once, so that the good state is the one that a recovery leaves.
    EXPECT_FALSE(machine_.open(options_).has_value());
    machine_.halt();
    for (const auto& disk : machine_.disks) good_.push_back(contents(*disk));
    EXPECT_TRUE(good_[0] == good_[1]);
    EXPECT_TRUE(good_[0] == good_[2]);
  }

  // Opens with `bytes` as the content of `name` on the drives of `mask`, and the rest good.
  std::optional<Error> open_with(unsigned mask, const std::string& name, const std::string& bytes) {
    machine_.boot();
    for (size_t i = 0; i < 3; ++i) {
      restore(*machine_.disks[i], good_[i]);
      if (mask >> i & 1) machine_.disks[i]->files[name]->bytes = bytes;
    }
    return machine_.open(options_);
  }

  void expect_whole(const std::string& what) {
    for (size_t i = 0; i < 3; ++i) {
      ASSERT_TRUE(without_start(contents(*machine_.disks[i])) == without_start(good_[i]))
          << what << ": drive " << i << " not mended";
    }
    std::vector<StoredRecord> all = machine_.read_all();
    ASSERT_EQ(all.size(), records_.size()) << what;
    for (size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(all[i].offset, offsets_[i]) << what;
      ASSERT_TRUE(same(all[i].record, records_[i])) << what;
    }
  }

  // Where the log would end if record `i` and all behind it had never been.
  uint64_t end_before(size_t i) const {
    return i == 0 ? kSegmentHeaderBytes : offsets_[i - 1].value + encoded_size(records_[i - 1]);
  }

  EmbeddedJournalOptions options_ = Machine::small(3);
  Machine machine_;
  std::vector<Record> records_;
  std::vector<Offset> offsets_;
  std::vector<Files> good_;
};

constexpr unsigned kOneOrTwo[] = {0b001, 0b010, 0b100, 0b011, 0b101, 0b110};

TEST_F(Damage, OfAnyByteOnAnyTwoMirrorsLosesNothing) {
  for (const auto& [name, bytes] : good_[0]) {
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
      for (unsigned mask : kOneOrTwo) {
        const std::string what =
            name + " byte " + std::to_string(at) + " mask " + std::to_string(mask);
        auto failed = open_with(mask, name, flipped);
        ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
        expect_whole(what);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(Damage, OfAFileCutAtAnyByteOnAnyTwoMirrorsLosesNothing) {
  for (const auto& [name, bytes] : good_[0]) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      for (unsigned mask : kOneOrTwo) {
        const std::string what =
            name + " cut to " + std::to_string(size) + " mask " + std::to_string(mask);
        auto failed = open_with(mask, name, bytes.substr(0, size));
        ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
        expect_whole(what);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The same place on all three mirrors. Only the records of the last append may go, since nothing
// proves that it was acknowledged; every other loss is refused with its offset.
TEST_F(Damage, OfAnyByteOfARecordOnAllMirrorsIsRefusedUnlessItIsTheLastAppend) {
  const size_t last_append = records_.size() - 2;
  for (size_t i = 0; i < records_.size(); ++i) {
    const uint64_t size = encoded_size(records_[i]);
    for (uint64_t k = 0; k < size; ++k) {
      const uint64_t at = offsets_[i].value + k;
      const uint64_t base = at / options_.segment_bytes * options_.segment_bytes;
      std::string bytes = good_[0].at(segment_name(base));
      bytes[at - base] = static_cast<char>(bytes[at - base] ^ 0x10);
      auto failed = open_with(0b111, segment_name(base), bytes);
      const std::string what = "record " + std::to_string(i) + " byte " + std::to_string(k);
      if (i < last_append) {
        ASSERT_TRUE(failed.has_value()) << what;
        EXPECT_EQ(failed->code, Errc::corrupt) << what;
        const std::string from = "offsets " + std::to_string(end_before(i)) + " to ";
        EXPECT_NE(failed->detail.find(from), std::string::npos) << what << ": " << failed->detail;
        continue;
      }
      ASSERT_FALSE(failed.has_value()) << what << ": " << failed->detail;
      EXPECT_EQ(machine_.read_all().size(), i) << what;
      EXPECT_GT(machine_.journal->report().cut_bytes, 0u) << what;
    }
  }
}

TEST_F(Damage, OfASegmentMissingOnTwoMirrorsLosesNothing) {
  for (const auto& [name, bytes] : good_[0]) {
    for (unsigned mask : kOneOrTwo) {
      machine_.boot();
      for (size_t i = 0; i < 3; ++i) {
        restore(*machine_.disks[i], good_[i]);
        if (mask >> i & 1) machine_.disks[i]->files.erase(name);
      }
      auto failed = machine_.open(options_);
      ASSERT_FALSE(failed.has_value()) << name << ": " << failed->detail;
      expect_whole(name + " missing");
    }
  }
}

TEST_F(Damage, OfASegmentMissingEverywhereIsRefused) {
  for (size_t k = 0; k < 2; ++k) {
    machine_.boot();
    for (size_t i = 0; i < 3; ++i) {
      restore(*machine_.disks[i], good_[i]);
      machine_.disks[i]->files.erase(segment_name(k * options_.segment_bytes));
    }
    auto failed = machine_.open(options_);
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(failed->code, Errc::corrupt);
  }
}

// Each mirror keeps another third of the records: together they have everything.
TEST_F(Damage, IsMendedFromWhicheverMirrorHasTheRecord) {
  machine_.boot();
  for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
  for (size_t r = 0; r < records_.size(); ++r) {
    for (size_t i = 0; i < 3; ++i) {
      if (r % 3 == i) continue;
      const uint64_t base = offsets_[r].value / options_.segment_bytes * options_.segment_bytes;
      machine_.disks[i]->files[segment_name(base)]->bytes[offsets_[r].value - base + r] ^= 1;
    }
  }
  auto failed = machine_.open(options_);
  ASSERT_FALSE(failed.has_value()) << failed->detail;
  EXPECT_EQ(machine_.journal->report().damage_count, 2 * records_.size());
  expect_whole("thirds");
}

// Another journal's file, or an old file of this one, under the name of a segment.
TEST_F(Damage, ByAForeignFileNeverPasses) {
  Machine other(3);
  EmbeddedJournalOptions options = options_;
  options.journal = journal_id(2);
  other.create(options);
  for (uint64_t n = 1; n < 9; ++n) ASSERT_TRUE(other.append({test_record(n + 50)}).has_value());
  const std::string name = segment_name(0), next = segment_name(options_.segment_bytes);
  for (const std::string& bytes : {contents(*other.disks[0])[name], good_[0].at(next)}) {
    auto failed = open_with(0b011, name, bytes);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_whole("foreign segment");
    failed = open_with(0b111, name, bytes);
    ASSERT_TRUE(failed.has_value());
    EXPECT_EQ(failed->code, Errc::corrupt);
  }
}

// A valid record of an earlier life of the tail, at the right offset, that does not continue what
// is there now.
TEST(StaleRecord, ThatDoesNotFollowTheOneBeforeItIsNoPartOfTheLog) {
  const auto file_of = [](Machine& machine) -> std::string& {
    return machine.disks[0]->files[segment_name(0)]->bytes;
  };
  Machine one(1), other(1);
  one.create(Machine::small(1));
  other.create(Machine::small(1));
  ASSERT_TRUE(one.append({test_record(1, 20, 236)}).has_value());   // 384 bytes.
  ASSERT_TRUE(other.append({test_record(1, 20, 44)}).has_value());  // 192 bytes.
  ASSERT_TRUE(other.append({test_record(2, 20, 44)}).has_value());
  auto stale = other.append({test_record(3, 20, 44)});
  ASSERT_EQ(stale->front(), one.journal->bounds().end);
  file_of(one).replace(stale->front().value, 192, file_of(other), stale->front().value, 192);
  one.boot();
  ASSERT_FALSE(one.open(Machine::small(1)).has_value());
  EXPECT_EQ(one.read_all().size(), 1u);
  EXPECT_EQ(one.journal->report().cut_bytes, 512u);
}

TEST_F(Damage, IsToldByVerifyAndNothingIsWritten) {
  machine_.boot();
  for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
  auto clean = machine_.loop->get(EmbeddedJournal::verify(machine_.drives()));
  ASSERT_TRUE(clean.has_value());
  EXPECT_TRUE(clean->problems.empty());
  EXPECT_EQ(clean->log.records, records_.size());
  std::string bytes = good_[0].at(segment_name(0));
  bytes[offsets_[1].value] ^= 1;
  machine_.disks[1]->files[segment_name(0)]->bytes = bytes;
  machine_.disks[2]->files["journal/mirrors"]->bytes[3] ^= 1;
  const Files before = contents(*machine_.disks[1]);
  auto found = machine_.loop->get(EmbeddedJournal::verify(machine_.drives()));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->problems.size(), 2u);
  EXPECT_TRUE(contents(*machine_.disks[1]) == before);
  for (size_t i = 0; i < 3; ++i) machine_.disks[i]->files[segment_name(0)]->bytes = bytes;
  found = machine_.loop->get(EmbeddedJournal::verify(machine_.drives()));
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->log.holes.size(), 1u);
  EXPECT_EQ(found->log.holes[0].from, offsets_[1]);
  EXPECT_EQ(found->log.holes[0].to, offsets_[2]);
}

TEST_F(Damage, IsNotWhatAnInterruptedProcessLeftHalfDone) {
  machine_.boot();
  for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
  std::string& set_file = machine_.disks[2]->files["journal/mirrors"]->bytes;
  auto set = decode_mirror_set(set_file);
  ASSERT_TRUE(set.has_value());
  --set->generation;
  set_file = encode_mirror_set(*set);
  auto tear = [this](uint64_t offset) {
    const uint64_t base = offset / options_.segment_bytes * options_.segment_bytes;
    std::string& log = machine_.disks[1]->files[segment_name(base)]->bytes;
    std::fill_n(log.begin() + static_cast<ptrdiff_t>(offset - base), 16, '\0');
  };
  for (size_t i : {5, 6}) tear(offsets_[i].value);
  auto found = machine_.loop->get(EmbeddedJournal::verify(machine_.drives()));
  ASSERT_TRUE(found.has_value()) << found.error().detail;
  EXPECT_TRUE(found->problems.empty()) << found->problems.front();
  EXPECT_EQ(found->unfinished.size(), 3u);
  EXPECT_EQ(found->log.records, records_.size());
  tear(offsets_[4].value);  // Of an append that another one follows: all mirrors had it.
  found = machine_.loop->get(EmbeddedJournal::verify(machine_.drives()));
  ASSERT_TRUE(found.has_value()) << found.error().detail;
  EXPECT_EQ(found->problems.size(), 1u);
  EXPECT_EQ(found->unfinished.size(), 3u);
}

TEST_F(Damage, IsAFileOfAnySize) {
  machine_.boot();
  for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
  constexpr uint64_t kLong = 64 * kMiB;
  machine_.disks[1]->files["journal/mirrors"]->bytes.resize(kLong);
  std::string& log = machine_.disks[2]->files[segment_name(0)]->bytes;
  const uint64_t capacity = log.size();
  log.resize(kLong, 'x');
  machine_.disks[1]->bytes_read = machine_.disks[2]->bytes_read = 0;
  ASSERT_FALSE(machine_.open(options_).has_value());
  EXPECT_EQ(machine_.read_all().size(), records_.size());
  for (size_t i : {1, 2}) EXPECT_LT(machine_.disks[i]->bytes_read, kLong / 4) << i;
  EXPECT_EQ(log.size(), capacity) << "what is not of the log is cut off";
}

TEST_F(Damage, IsNotMendedByAReadOnlyOpen) {
  machine_.boot();
  for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
  machine_.disks[0]->files[segment_name(0)]->bytes[offsets_[1].value] ^= 1;
  const Files before = contents(*machine_.disks[0]);
  auto opened =
      machine_.loop->get(EmbeddedJournal::open_read_only(*machine_.loop, machine_.drives()));
  ASSERT_TRUE(opened.has_value());
  machine_.journal = std::move(*opened);
  EXPECT_EQ(machine_.read_all().size(), records_.size());
  EXPECT_EQ(machine_.append({test_record(99)}).error().code, Errc::unavailable);
  EXPECT_TRUE(contents(*machine_.disks[0]) == before);
}

// Damage that comes while the journal runs is found by the reader and mended behind its back.
TEST_F(Damage, FoundWhileRunningIsMended) {
  for (bool by_body : {false, true}) {
    for (unsigned mask : kOneOrTwo) {
      machine_.boot();
      for (size_t i = 0; i < 3; ++i) restore(*machine_.disks[i], good_[i]);
      ASSERT_FALSE(machine_.open(options_).has_value());
      for (size_t i = 0; i < 3; ++i) {
        if (mask >> i & 1) {
          auto& bytes = machine_.disks[i]->files[segment_name(0)]->bytes;
          bytes[offsets_[2].value + 160] ^= 1;
        }
      }
      if (by_body) {
        const v1::JournalBody body = body_of(offsets_[2], records_[2]);
        for (int i = 0; i < 3; ++i) {
          auto read = machine_.loop->get(machine_.journal->read_body(body));
          ASSERT_TRUE(read.has_value()) << read.error().detail;
          EXPECT_EQ(*read, records_[2].body);
        }
        // Bodies are read from one mirror; the others' copies are the scrubber's.
        continue;
      }
      std::vector<StoredRecord> all = machine_.read_all();
      ASSERT_EQ(all.size(), records_.size());
      machine_.loop->run();
      if (mask & 1) expect_whole("while running");
    }
  }
}

}  // namespace
}  // namespace kura::journal
