// What an append writes, and what a refused one leaves.

#include <gtest/gtest.h>

#include "base/aligned_bytes.h"
#include "tests/journal/acked_log.h"

namespace kura::journal {
namespace {

class Append : public AckedLog {};

// What the page cache need not see (base/direct_writes.h): all but the appends that follow a
// restart, up to the end of the block that the log ended in.
TEST_F(Append, AppendsAreWholeBlocks) {
  EmbeddedJournalOptions options = Machine::small(2);
  options.segment_bytes = 64 * kKiB;
  AckedLog::start(2, options);
  size_t whole = 0, other = 0;
  auto watch = [&] {
    disk(0).on_write = [&](uint64_t at, const std::vector<std::string_view>& pieces) {
      if (at == 0) return;  // A new segment.
      const bool aligned = at % kDirectAlign == 0 && pieces.size() == 1 &&
                           pieces[0].size() % kDirectAlign == 0 &&
                           reinterpret_cast<uintptr_t>(pieces[0].data()) % kDirectAlign == 0;
      ++(aligned ? whole : other);
    };
  };
  watch();
  for (size_t body = 0; body < 100; ++body) ASSERT_TRUE(append(body * 97 % 9000).has_value());
  EXPECT_GE(whole, 100u);
  EXPECT_EQ(other, 0u);
  expect_read();
  expect_read_after_restart({0, 1});
  watch();
  whole = other = 0;
  for (size_t body = 0; body < 20; ++body) ASSERT_TRUE(append(1000).has_value());
  EXPECT_GE(whole, 16u);
  EXPECT_LE(other, 4u);
  expect_read();
  expect_read_after_restart({0, 1});
}

// The drive that replaces a failed mirror fails as well, at any of its operations, also when the
// append reaches into the next segment: it is refused, and the log goes on where it ended before,
// at once or after a restart.
class Refused : public Append {
 protected:
  // Whether the append was refused.
  bool append_while_two_drives_die(size_t body, uint64_t operation) {
    EmbeddedJournalOptions options = Machine::small(3);
    options.segment_bytes = 8 * kKiB;
    AckedLog::start(4, options);
    append_many(5);
    disk(0).dead = true;
    disk(3).dies_in = operation;
    const auto done = append(body);
    if (done) return false;
    EXPECT_EQ(done.error().code, Errc::unavailable) << done.error().detail;
    expect_read();
    return true;
  }
  void go_on() {
    machine_->disks.push_back(std::make_unique<MemoryDisk>("drive 4", &machine_->power));
    auto added = machine_->loop->get(journal().add_drive({drive_id(4), disk(4).mount()}));
    ASSERT_TRUE(added.has_value()) << added.error().detail;
    append_many(5);
    expect_read();
    expect_read_after_restart({1, 2, 4});
  }
};

TEST_F(Refused, AReplacementMayFailAtAnyOperation) {
  for (size_t body : {300, 3000}) {  // The second one does not fit behind the five before.
    size_t refusals = 0;
    for (uint64_t operation = 0; operation < 60; ++operation) {
      for (bool restart : {false, true}) {
        SCOPED_TRACE(std::to_string(operation) + (restart ? ", restarted" : ""));
        if (!append_while_two_drives_die(body, operation)) continue;
        ++refusals;
        if (restart)
          expect_read_after_restart({1, 2});
        else
          go_on();
        if (HasFailure()) return;
      }
    }
    EXPECT_GE(refusals, 20u);
  }
}

}  // namespace
}  // namespace kura::journal
