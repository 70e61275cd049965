// Scrub of a running journal: what is damaged on any two of three mirrors is found and mended while
// the third one still has it.

#include <gtest/gtest.h>

#include <map>

#include "journal/embedded/mirror_set.h"
#include "journal/embedded/segment_format.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

using Files = std::map<std::string, std::string>;

class Scrub : public testing::Test {
 protected:
  Scrub() : machine_(3) {
    machine_.create(Machine::small(3));
    for (uint64_t n = 1; n < 12; ++n)
      EXPECT_TRUE(machine_.append({test_record(n, 20, n * 20)}).has_value());
    EXPECT_GE(machine_.journal->segments().size(), 3u);
    EXPECT_TRUE(scrub().has_value());
    EXPECT_EQ(machine_.journal->status().damages, 0u) << "of a whole log";
    for (size_t i = 0; i < 3; ++i) good_.push_back(contents(i));
    EXPECT_TRUE(good_[0] == good_[1] && good_[0] == good_[2]);
  }

  Files contents(size_t disk) const {
    Files out;
    for (const auto& [name, file] : machine_.disks[disk]->files) out[name] = file->bytes;
    return out;
  }
  Result<void> scrub() { return machine_.loop->get(machine_.journal->scrub()); }
  std::string& bytes(size_t disk, const std::string& name) {
    return machine_.disks[disk]->files[name]->bytes;
  }
  void expect_mended(const std::string& what) {
    const JournalStatus before = machine_.journal->status();
    auto done = scrub();
    ASSERT_TRUE(done.has_value()) << what << ": " << done.error().detail;
    const JournalStatus after = machine_.journal->status();
    EXPECT_GT(after.damages, before.damages) << what << " was not noticed";
    EXPECT_EQ(after.repairs - before.repairs, after.damages - before.damages) << what;
    for (size_t i = 0; i < 3; ++i) ASSERT_TRUE(contents(i) == good_[i]) << what << ", drive " << i;
  }

  Machine machine_;
  std::vector<Files> good_;
};

// Behind the last byte that is not zero nothing counts.
size_t used_bytes(const std::string& bytes) { return bytes.find_last_not_of('\0') + 1; }

TEST_F(Scrub, MendsAFlipAnywhereOnTwoMirrors) {
  for (const auto& [name, bytes_of] : good_[0]) {
    for (size_t at = 0; at < used_bytes(bytes_of); at += 61) {
      for (size_t whole = 0; whole < 3; ++whole) {
        for (size_t i = 0; i < 3; ++i)
          if (i != whole) bytes(i, name)[at] ^= 4;
        expect_mended(name + " byte " + std::to_string(at));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(Scrub, MendsWhatWasCutOrRemoved) {
  for (const auto& [name, bytes_of] : good_[0]) {
    for (size_t length : {size_t{0}, size_t{100}, bytes_of.size() / 2, bytes_of.size() - 1}) {
      if (length >= bytes_of.size()) continue;
      for (size_t i : {0, 2}) bytes(i, name).resize(length);
      expect_mended(name + " cut to " + std::to_string(length));
      if (HasFatalFailure()) return;
    }
    if (name == kMirrorSetFile) continue;
    machine_.disks[1]->files.erase(name);
    expect_mended(name + " removed");
    if (HasFatalFailure()) return;
  }
  // Files that were made anew are those that appends and reads use.
  ASSERT_TRUE(machine_.append({test_record(50, 20, 300)}).has_value());
  EXPECT_EQ(machine_.read_all().size(), 12u);
  EXPECT_TRUE(contents(0) == contents(1) && contents(0) == contents(2));
}

TEST_F(Scrub, NamesWhatNoMirrorHasAndChangesNothingThere) {
  const std::string name =
      segment_name(machine_.journal->segments().front().start.value - kSegmentHeaderBytes);
  for (size_t i = 0; i < 3; ++i) bytes(i, name)[kSegmentHeaderBytes + 5] ^= 1;
  const Files damaged = contents(0);
  auto done = scrub();
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_NE(done.error().detail.find(std::to_string(kSegmentHeaderBytes)), std::string::npos)
      << done.error().detail;
  EXPECT_TRUE(contents(0) == damaged);
}

// Nothing behind it proves that it was there; only the journal that runs knows.
TEST(ScrubOfTheEnd, NamesTheLastRecordThatNoMirrorHasAndChangesNothingThere) {
  Machine machine(3);
  EmbeddedJournalOptions options = Machine::small(3);
  options.segment_bytes = 32 * kKiB;
  machine.create(options);
  Record record = test_record(1, 20, 6000);
  record.body.replace(2000, 2000, 2000, '\0');  // Two runs of what a torn append would leave.
  ASSERT_TRUE(machine.append({test_record(0)}).has_value());
  auto last = machine.append({record});
  ASSERT_TRUE(last.has_value());
  const uint64_t at = last->front().value;
  const auto bytes = [&](size_t disk) -> std::string& {
    return machine.disks[disk]->files[segment_name(0)]->bytes;
  };
  for (size_t i = 0; i < 3; ++i) bytes(i)[at + 500] ^= 1;
  const std::string damaged = bytes(0);
  auto done = machine.loop->get(machine.journal->scrub());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_NE(done.error().detail.find("offsets " + std::to_string(at)), std::string::npos)
      << done.error().detail;
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(bytes(i) == damaged) << "drive " << i;
}

}  // namespace
}  // namespace kura::journal
