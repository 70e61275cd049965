// Drives that hang: their operations neither end nor fail. Writes go on within the deadline, and
// what ends late does no harm.

#include <gtest/gtest.h>

#include "journal/embedded/segment_format.h"
#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTimeoutNs = 10 * kSecond;

class Hanging : public AckedLog {
 protected:
  void start(size_t disks, uint32_t mirrors) {
    EmbeddedJournalOptions options = Machine::small(mirrors);
    options.drive_timeout_ns = kTimeoutNs;
    AckedLog::start(disks, options);
    for (auto& disk : machine_->disks) disk->posts = true;
  }
  // Every byte of every mirror is right.
  void expect_whole() {
    auto report = machine_->loop->get(EmbeddedJournal::verify(machine_->drives()));
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
    EXPECT_TRUE(report->unfinished.empty()) << report->unfinished.front();
  }
  bool is_mirror(size_t n) {
    for (const auto& mirror : journal().status().mirrors) {
      if (mirror.drive == drive_id(n)) return true;
    }
    return false;
  }
  int64_t now_ns() const { return machine_->loop->now_ns(); }
};

// The mirror hangs from each operation on of appends that roll.
TEST_F(Hanging, AMirrorThatHangsAtAnyOperationIsReplacedInTime) {
  for (int operation = 0; operation < 25; ++operation) {
    for (size_t victim : {size_t{0}, size_t{1}}) {
      start(4, 2);
      append_many(5);
      const uint64_t generation = journal().status().generation;
      int left = operation;
      disk(victim).fails = [&, victim](const char*, const std::string&) {
        if (left-- == 0) disk(victim).hangs = true;
        return false;
      };
      const int64_t before_ns = now_ns();
      append_many(8);
      machine_->loop->run();
      ASSERT_TRUE(disk(victim).hangs);
      EXPECT_LE(now_ns() - before_ns, kTimeoutNs + kSecond);
      EXPECT_FALSE(is_mirror(victim));
      EXPECT_EQ(journal().status().mirrors.size(), 2u);
      EXPECT_GT(journal().status().generation, generation);
      expect_read();
      // What hung happens now. It is no part of the log any more.
      disk(victim).release();
      machine_->loop->run();
      append_many(2);
      expect_read();
      disk(victim).fails = nullptr;
      expect_read_without_any_one();
      if (HasFailure()) return;
    }
  }
}

// The bytes of a write that hangs are kept for it, although its append was answered long ago.
TEST_F(Hanging, ALateWriteWritesWhatItWasTold) {
  start(3, 2);
  append_many(1);
  auto stale = disk(1).files.at(segment_name(0));
  const uint64_t at = journal().bounds().end.value;
  disk(1).hangs = true;
  ASSERT_TRUE(append(300).has_value());
  append_many(3);
  disk(1).release();
  machine_->loop->run();
  auto mirror = disk(0).files.at(segment_name(0));
  EXPECT_EQ(stale->bytes.substr(at, 400), mirror->bytes.substr(at, 400));
}

TEST_F(Hanging, TheVerdictOfTheOwnerOfTheDrivesEndsTheWaitEarly) {
  start(3, 2);
  append_many(3);
  disk(0).hangs = true;
  std::vector<Record> records{test_record(++sent_)};
  std::optional<Result<std::vector<Offset>>> answer;
  std::optional<Result<void>> told;
  const int64_t before_ns = now_ns();
  spawn(*machine_->loop, keep_result(journal().append(records, AppendClass::normal), &answer));
  spawn(*machine_->loop, keep_result(journal().drive_failed(drive_id(0), "offline"), &told));
  machine_->loop->run();
  ASSERT_TRUE(answer && *answer);
  ASSERT_TRUE(told && *told);
  EXPECT_LE(now_ns() - before_ns, kTimeoutNs / 4);
  acked_.push_back(records[0]);
  expect_read();
  EXPECT_FALSE(is_mirror(0));
}

TEST_F(Hanging, ReadsAndTheScrubGoOnFromAnotherMirror) {
  start(3, 2);
  append_many(12);
  disk(0).hangs = true;
  expect_read();
  auto scrubbed = machine_->loop->get(journal().scrub());
  EXPECT_TRUE(scrubbed.has_value()) << scrubbed.error().detail;
  EXPECT_FALSE(is_mirror(0));
  EXPECT_EQ(journal().status().mirrors.size(), 2u);
}

TEST_F(Hanging, ADriveThatHangsIsNoMirrorAndNoSpare) {
  start(4, 2);
  append_many(3);
  disk(2).hangs = true;  // No mirror, and the first to be taken.
  disk(0).dead = true;
  append_many(3);
  expect_read();
  EXPECT_TRUE(is_mirror(1) && is_mirror(3));
  EXPECT_TRUE(journal().status().other_drives.empty());
}

// Both mirrors are needed and one of them hangs: what is refused is never there, and the drive is
// not taken back before its late write is over, which would land on records of after that.
TEST_F(Hanging, WithoutASpareTheDriveComesBackOnlyWhenNothingIsUnderWayThere) {
  start(2, 2);
  append_many(3);
  disk(1).hangs = true;
  EXPECT_EQ(append().error().code, Errc::unavailable);
  EXPECT_EQ(append().error().code, Errc::unavailable);
  expect_read();
  disk(1).hangs = false;  // It answers again, but for what is stuck.
  auto early = machine_->loop->get(journal().add_drive({drive_id(1), disk(1).mount()}));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, Errc::unavailable);
  disk(1).release();
  machine_->loop->run();
  auto back = machine_->loop->get(journal().add_drive({drive_id(1), disk(1).mount()}));
  ASSERT_TRUE(back.has_value()) << back.error().detail;
  append_many(4);
  expect_read();
  machine_->loop->run();
  expect_whole();
  expect_read_without_any_one();
}

// Closing, starting and looking at drives that hang ends, too.
TEST_F(Hanging, AStartGoesOnWithoutADriveThatHangs) {
  start(4, 2);
  append_many(12);
  disk(1).hangs = true;
  expect_read_after_restart();
  append_many(2);
  expect_read();
  EXPECT_FALSE(is_mirror(1));
}

// Nothing is appended: a read met the drive that hangs.
TEST_F(Hanging, AMirrorWhoseReadHungIsReplacedWithoutAnAppend) {
  start(3, 2);
  append_many(4);
  EXPECT_FALSE(journal().lacks_mirrors());
  for (size_t n : {0, 1}) disk(n).hangs = n == 0;
  for (size_t i = 0; i < acked_.size(); ++i) {
    auto read = machine_->loop->get(journal().read(journal().bounds().start, 1));
    ASSERT_TRUE(read.has_value()) << read.error().detail;
  }
  auto done = machine_->loop->get(journal().replace_lost());
  EXPECT_TRUE(done.has_value());
  EXPECT_FALSE(journal().lacks_mirrors());
  EXPECT_FALSE(is_mirror(0));
}

}  // namespace
}  // namespace kura::journal
