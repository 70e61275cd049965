// AckedLog: a running journal to which one record at a time is appended; every acknowledged one is
// kept in order.

#pragma once

#include "tests/journal/journal_fixture.h"

namespace kura::journal {

class AckedLog : public testing::Test {
 protected:
  // A new log on new disks.
  void start(size_t disks, EmbeddedJournalOptions options) {
    acked_.clear();
    options_ = std::move(options);
    machine_ = std::make_unique<Machine>(disks);
    machine_->create(options_);
  }
  Result<std::vector<Offset>> append(size_t body_bytes = 200,
                                     AppendClass append_class = AppendClass::normal) {
    std::vector<Record> records{test_record(++sent_, 20, body_bytes)};
    auto offsets = machine_->append(records, append_class);
    if (offsets) acked_.push_back(records[0]);
    return offsets;
  }
  void append_many(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      auto offsets = append();
      ASSERT_TRUE(offsets.has_value()) << offsets.error().detail;
    }
  }
  // What the log holds is what was acknowledged.
  void expect_read() {
    std::vector<StoredRecord> found = machine_->read_all();
    std::erase_if(found, [](const StoredRecord& stored) { return withdraws(stored.record); });
    ASSERT_EQ(found.size(), acked_.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(same(found[i].record, acked_[i]));
  }
  // And after a restart with drives `which`.
  void expect_read_after_restart(std::vector<size_t> which = {}) {
    machine_->boot();
    auto failed = machine_->open(options_, which);
    ASSERT_FALSE(failed.has_value()) << failed->detail;
    expect_read();
  }
  // Both.
  void expect_all(std::vector<size_t> which = {}) {
    expect_read();
    expect_read_after_restart(which);
  }
  // Every drive but one is enough, whichever is gone.
  void expect_read_without_any_one() {
    for (size_t gone = 0; gone < machine_->disks.size(); ++gone) {
      std::vector<size_t> which;
      for (size_t i = 0; i < machine_->disks.size(); ++i) {
        if (i != gone) which.push_back(i);
      }
      SCOPED_TRACE("without " + std::to_string(gone));
      expect_read_after_restart(which);
      if (HasFatalFailure()) return;
    }
  }
  MemoryDisk& disk(size_t n) { return *machine_->disks[n]; }
  EmbeddedJournal& journal() { return *machine_->journal; }
  JournalStatus status() { return journal().status(); }

  std::unique_ptr<Machine> machine_;
  EmbeddedJournalOptions options_;
  std::vector<Record> acked_;
  uint64_t sent_ = 0;
};

}  // namespace kura::journal
