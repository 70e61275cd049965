// The embedded journal on folders of the real file system, with readers on another thread.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>

#include "actors/disk/local_drive.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "tests/base/temporary_folder.h"
#include "tests/journal/journal_contract.h"
#include "tests/journal/journal_fixture.h"

namespace kura::journal {
namespace {

using kura::block_on;

class LocalRig final : public JournalRig {
 public:
  LocalRig() : loop_(clock_) {
    loop_.start("journal");
    options_ = Machine::small(2);
    options_.segment_bytes = 512 * kKiB;
    options_.body_cache_bytes = 100 * kKiB;
    mount();
    auto made = block_on(loop_, EmbeddedJournal::create(loop_, drives_, options_));
    EXPECT_TRUE(made.has_value()) << made.error().detail;
    journal_ = std::move(*made);
  }
  ~LocalRig() override { unmount(); }

  EmbeddedJournal& journal() override { return *journal_; }
  AsioLoop& loop() { return loop_; }
  void restart() override {
    unmount();
    mount();
    options_.writer = fresh_writer();
    auto opened = block_on(loop_, EmbeddedJournal::open(loop_, drives_, options_));
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ((*opened)->report().damage_count, 0u);
    EXPECT_EQ((*opened)->report().cut_bytes, 0u);
    journal_ = std::move(*opened);
  }
  void run(Task<void> task) override { block_on(loop_, std::move(task)); }

 private:
  void mount() {
    for (size_t i = 0; i < 3; ++i) {
      auto drive = open_local_drive(folders_[i].path());
      ASSERT_TRUE(drive.has_value()) << drive.error().detail;
      drives_.push_back({drive_id(i), std::move(*drive)});
    }
  }
  void unmount() {
    if (journal_) block_on(loop_, journal_->close());
    journal_.reset();
    drives_.clear();
  }

  std::array<kura::testing::TemporaryFolder, 3> folders_;
  SystemClock clock_;
  AsioLoop loop_;
  EmbeddedJournalOptions options_;
  std::vector<JournalDrive> drives_;
  std::unique_ptr<EmbeddedJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(Local, JournalContract,
                         ::testing::Values([] { return std::make_unique<LocalRig>(); }));

Task<void> read_until(EmbeddedJournal& journal, std::vector<v1::JournalBody> bodies,
                      std::string body, std::atomic<bool>& stop, size_t& wrong, size_t& right) {
  for (size_t i = 0; !stop || i < bodies.size(); ++i) {
    const v1::JournalBody& want = bodies[i % bodies.size()];
    std::string tried;
    if (journal.try_read_body(want, &tried) && tried != body) ++wrong;
    Result<std::string> got = co_await journal.read_body(want);
    ++(got && *got == body ? right : wrong);
  }
}

// Appends roll segments and replace files while another thread reads bodies.
TEST(LocalJournal, BodiesAreReadOnAnotherThreadWhileTheLogGrows) {
  LocalRig rig;
  SystemClock clock;
  AsioLoop reader(clock);
  reader.start("reader");
  std::vector<v1::JournalBody> bodies;
  std::vector<Record> records;
  for (uint64_t n = 1; n <= 20; ++n) records.push_back(test_record(7, 50, 9000));
  auto offsets = block_on(rig.loop(), rig.journal().append(records, AppendClass::normal));
  ASSERT_TRUE(offsets.has_value());
  for (size_t i = 0; i < records.size(); ++i) bodies.push_back(body_of((*offsets)[i], records[i]));
  std::atomic<bool> stop{false};
  size_t wrong = 0, right = 0;
  std::promise<void> done;
  spawn(reader, [](Task<void> task, std::promise<void>* end) -> Task<void> {
    co_await std::move(task);
    end->set_value();
  }(read_until(rig.journal(), bodies, records[0].body, stop, wrong, right), &done));
  for (int i = 0; i < 40; ++i) {
    auto more = block_on(rig.loop(), rig.journal().append(records, AppendClass::normal));
    ASSERT_TRUE(more.has_value()) << more.error().detail;
    if (i == 20) {
      auto changed = block_on(rig.loop(), rig.journal().drive_failed(drive_id(0), "pulled"));
      ASSERT_TRUE(changed.has_value()) << changed.error().detail;
    }
  }
  stop = true;
  done.get_future().wait();
  reader.stop();
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(right, 0u);
  EXPECT_EQ(rig.journal().status().replacements, 1u);
}

}  // namespace
}  // namespace kura::journal
