// The view at a start, when the log or the map fails on the way.

#include "node/recovery.h"

#include <gtest/gtest.h>

#include <map>

#include "node/recovery_rules.h"
#include "sim/sim_drive.h"
#include "sim/sim_loop.h"
#include "sim/sim_random.h"
#include "sim/sim_view.h"

namespace kura::node {
namespace {

constexpr uint64_t kFirst = 64;         // Offset of the first record,
constexpr uint64_t kRecordBytes = 100;  // and from each one to the next.

TEST(RecoveryRules, AViewFitsWhenTheLogGoesOnWhereItEnds) {
  const journal::Bounds whole{Offset{0}, Offset{9000}}, cut{Offset{5000}, Offset{9000}};
  EXPECT_TRUE(is_whole(whole));
  EXPECT_FALSE(is_whole(cut));
  EXPECT_TRUE(view_fits({}, whole));
  EXPECT_FALSE(view_fits({}, cut)) << "nothing holds what was cut";
  EXPECT_FALSE(view_fits({Offset{3000}, Offset{4000}}, cut)) << "a hole between view and log";
  EXPECT_TRUE(view_fits({Offset{4000}, Offset{5000}}, cut));
  EXPECT_TRUE(view_fits({Offset{8000}, Offset{9000}}, cut));
  EXPECT_FALSE(view_fits({Offset{9000}, Offset{9010}}, cut)) << "a view of another log";
  EXPECT_FALSE(view_fits({Offset{9000}, Offset{9010}}, whole));
}

// Claims of one partition, one for each read; some reads go wrong.
class FaultyJournal final : public journal::Journal {
 public:
  JournalId id() const override { return {}; }
  journal::Bounds bounds() const override { return {Offset{kFirst}, at(records)}; }
  Task<Result<std::vector<Offset>>> append(std::vector<journal::Record>&,
                                           journal::AppendClass) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset from, uint64_t) override {
    const uint64_t number = (from.value - kFirst) / kRecordBytes;
    std::vector<journal::StoredRecord> out;
    ++reads;
    if (number == failing) co_return fail(Errc::io_error, "no mirror can be read");
    if (number == empty) co_return out;
    if (from != at(number)) co_return fail(Errc::corrupt, "no record begins there");
    journal::StoredRecord stored;
    stored.record.partition = PartitionId{1};
    stored.record.kind = journal::RecordKind::claim;
    stored.record.epoch = Epoch{number + 1};
    stored.offset = from;
    stored.end = at(number + 1);
    out.push_back(std::move(stored));
    co_return out;
  }
  Task<Result<journal::RawRecords>> read_raw(Offset, Offset, uint64_t) override {
    co_return fail(Errc::unsupported);
  }
  Task<Result<std::string>> read_body(v1::JournalBody) override { co_return fail(Errc::not_found); }
  bool try_read_body(const v1::JournalBody&, std::string*) override { return false; }
  Task<Result<void>> truncate(Offset) override { co_return Result<void>(); }

  static Offset at(uint64_t number) { return Offset{kFirst + number * kRecordBytes}; }
  uint64_t records = 10;
  std::optional<uint64_t> failing, empty;  // Reads from this record.
  uint64_t reads = 0;
};

class Recovery : public testing::Test {
 protected:
  Recovery() {
    for (uint32_t i = 0; i < 2; ++i)
      disks_.push_back(std::make_unique<sim::SimDisk>(world_, i + 1, sim::DiskOptions{}));
    views_.emplace(disks_);
    ports_.journal = &loop_;
    for (auto& disk : disks_) ports_.drives.push_back(disk->mount());
    ports_.views = &*views_;
    ports_.log = [this](const std::string& line) { log_ += line + "\n"; };
  }
  ~Recovery() override {
    loop_.stop();
    destroy_spawned_tasks(loop_);
  }

  static Task<void> keep(Task<Result<RecoveredView>> task,
                         std::optional<Result<RecoveredView>>* out) {
    auto view = co_await std::move(task);
    out->emplace(std::move(view));
  }
  Result<RecoveredView> recover() {
    std::optional<Result<RecoveredView>> out;
    RecoveryDrives drives;
    drives.usable = {0, 1};
    drives.writers = writers_;
    spawn(loop_, keep(recover_view(ports_, journal_, std::move(drives)), &out));
    world_.run_until([&] { return out.has_value(); }, world_.now_ns() + 60 * sim::kSecond);
    if (!out) return fail(Errc::timed_out, "it never ends");
    return std::move(*out);
  }
  // A view on a drive, of so many records of the log.
  void hold(size_t drive, uint64_t records) {
    auto view = views_->open(drive);
    auto fold = ViewFold::open(**view);
    journal::Record claim;
    claim.partition = PartitionId{1};
    claim.kind = journal::RecordKind::claim;
    for (uint64_t i = 0; i < records; ++i) {
      claim.epoch = Epoch{i + 1};
      const Offset at = FaultyJournal::at(i), end = FaultyJournal::at(i + 1);
      ASSERT_TRUE((*fold)->fold({{&claim, nullptr, at, end}}));
    }
    ASSERT_TRUE((*view)->flush());
  }
  // One of process `writer` that goes on behind the end of the log.
  void hold_beyond(size_t drive, WriterId writer) {
    auto view = views_->open(drive);
    auto fold = ViewFold::open(**view);
    journal::Record claim;
    claim.partition = kControlPartition;
    claim.kind = journal::RecordKind::claim;
    claim.epoch = Epoch{70};
    claim.writer = writer;
    ASSERT_TRUE((*fold)->fold({{&claim, nullptr, Offset{90'000}, Offset{90'100}}}));
    ASSERT_TRUE((*view)->flush());
  }
  void remove_others(const RecoveredView& used) {
    std::optional<bool> done;
    auto removing = [](Task<void> task, std::optional<bool>* out) -> Task<void> {
      co_await std::move(task);
      *out = true;
    };
    spawn(loop_, removing(remove_other_views(ports_, {0, 1}, used, sim::kSecond), &done));
    world_.run_until([&] { return done.has_value(); }, world_.now_ns() + 60 * sim::kSecond);
    ASSERT_TRUE(done);
  }
  // How far the view on a drive has got; none: there is no view.
  std::optional<uint64_t> held(size_t drive) {
    if (!views_->exists(drive)) return std::nullopt;
    auto kv = views_->open(drive);
    return (*ViewFold::open(**kv))->position().end.value;
  }

  sim::SimWorld world_{1};
  sim::SimClock clock_{world_};
  sim::SimRandom random_{1};
  sim::SimLoop loop_{world_, "journal", clock_};
  std::vector<std::unique_ptr<sim::SimDisk>> disks_;
  std::optional<sim::SimViews> views_;
  NodePorts ports_{.clock = clock_, .random = random_};
  FaultyJournal journal_;
  std::string log_;
  std::vector<WriterId> writers_;
};

TEST_F(Recovery, FoldsWhatTheViewLacks) {
  {
    auto first = recover();
    ASSERT_TRUE(first) << first.error().detail;
    EXPECT_EQ(first->replayed, 10u);
    ASSERT_TRUE(first->kv->flush());
  }
  journal_.records = 13;
  auto second = recover();
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->replayed, 3u);
  EXPECT_EQ(second->drive, 0u);
}

// The views are all there is to start from once the log can be read again, so none is given up.
TEST_F(Recovery, ALogThatCannotBeReadCostsNoView) {
  for (size_t drive : {1, 0}) hold(drive, 1);  // Both drives have been the view's place.
  journal_.failing = 5;
  {
    auto view = recover();
    ASSERT_FALSE(view);
    EXPECT_EQ(view.error().code, Errc::io_error);
  }
  EXPECT_EQ(journal_.reads, 6u) << "read again for views that would fail as well";
  ASSERT_TRUE(held(0) && held(1)) << log_;
  EXPECT_GE(*held(0), FaultyJournal::at(1).value);
  EXPECT_EQ(*held(1), FaultyJournal::at(1).value);
  journal_.failing.reset();
  EXPECT_TRUE(recover());
}

TEST_F(Recovery, ALogThatEndsEarlyIsAnError) {
  journal_.empty = 4;
  auto view = recover();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, Errc::corrupt) << view.error().detail;
}

TEST_F(Recovery, AViewOfAnotherLogIsReplaced) {
  {
    auto view = views_->open(0);
    auto fold = ViewFold::open(**view);
    journal::Record claim;
    claim.partition = PartitionId{1};
    claim.kind = journal::RecordKind::claim;
    claim.epoch = Epoch{70};
    ASSERT_TRUE((*fold)->fold({{&claim, nullptr, Offset{90'000}, Offset{90'100}}}));
  }
  auto view = recover();
  ASSERT_TRUE(view) << view.error().detail;
  EXPECT_EQ(view->replayed, 10u);
  EXPECT_EQ(view->fold->head(PartitionId{1}).epoch, Epoch{10});
  EXPECT_EQ(view->fold->position().end, FaultyJournal::at(10));
}

TEST_F(Recovery, ALogThatLostItsEndIsRefused) {
  WriterId ours;
  ours.bytes.fill('o');
  hold_beyond(0, ours);
  writers_ = {ours};
  auto view = recover();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, Errc::corrupt);
  EXPECT_NE(view.error().detail.find("90100"), std::string::npos) << view.error().detail;
  EXPECT_EQ(held(0), 90'100u) << "and nothing was changed";
  EXPECT_FALSE(views_->exists(1));
}

// It moved to another drive, and the first one came back.
TEST_F(Recovery, OfTwoViewsTheNewerOneIsResumed) {
  hold(0, 2);
  hold(1, 5);
  {
    auto view = recover();
    ASSERT_TRUE(view) << view.error().detail;
    EXPECT_EQ(view->drive, 1u);
    EXPECT_EQ(view->replayed, 5u);
  }
  hold(0, 10);
  hold(1, 10);
  auto equal = recover();
  ASSERT_TRUE(equal) << equal.error().detail;
  EXPECT_EQ(equal->drive, 0u);
}

TEST_F(Recovery, AnOldViewIsResumedWhereTheNewestDoesNotFit) {
  hold(1, 5);
  hold_beyond(0, {});  // Of another log.
  auto view = recover();
  ASSERT_TRUE(view) << view.error().detail;
  EXPECT_EQ(view->drive, 1u);
  EXPECT_EQ(view->replayed, 5u);
}

TEST_F(Recovery, TheNewestViewShowsThatTheLogLostItsEnd) {
  WriterId ours;
  ours.bytes.fill('o');
  hold(0, 5);
  hold_beyond(1, ours);
  writers_ = {ours};
  auto view = recover();
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code, Errc::corrupt) << view.error().detail;
  EXPECT_EQ(held(0), FaultyJournal::at(5).value);
  EXPECT_EQ(held(1), 90'100u);
}

TEST_F(Recovery, OthersAreRemovedOnceTheViewInUseIsAsNewOnItsDrive) {
  hold(0, 2);
  hold(1, 5);
  (void)views_->open_new(0);
  auto view = recover();
  ASSERT_TRUE(view) << view.error().detail;
  ASSERT_EQ(view->drive, 1u);
  EXPECT_EQ(held(0), FaultyJournal::at(2).value) << "this start may be refused yet";
  remove_others(*view);
  EXPECT_FALSE(views_->holds_any(0));
  view = fail(Errc::closed, "a crash");
  sim::SimRandom random(1);
  views_->crash(sim::Unsynced::dropped, random);
  EXPECT_EQ(held(1), FaultyJournal::at(10).value);
}

TEST_F(Recovery, OthersStayWhileTheViewInUseIsNotOnItsDrive) {
  hold(0, 2);
  hold(1, 5);
  auto view = recover();
  ASSERT_TRUE(view) << view.error().detail;
  ASSERT_EQ(view->drive, 1u);
  ASSERT_TRUE(views_->open_new(0));
  disks_[1]->set_dead(true);
  remove_others(*view);
  EXPECT_EQ(held(0), FaultyJournal::at(2).value);
  EXPECT_FALSE(views_->exists_new(0)) << "what was never finished goes";
}

TEST_F(Recovery, ANewerOneStays) {
  hold(0, 5);
  auto view = recover();
  ASSERT_TRUE(view) << view.error().detail;
  hold_beyond(1, {});  // Its drive hung at the start.
  remove_others(*view);
  EXPECT_EQ(held(1), 90'100u);
}

// Of a copy of the store that went on by itself: as long as ours, and by another process.
TEST_F(Recovery, AViewOfAnotherHistoryIsReplaced) {
  const auto end = FaultyJournal::at(3);
  for (const auto& [writer, from] :
       {std::pair('a', FaultyJournal::at(2)), {'\0', Offset{end.value - 1}}}) {
    {
      auto view = views_->open_new(0);
      auto fold = ViewFold::open(**view);
      journal::Record claim;
      claim.partition = PartitionId{1};
      claim.kind = journal::RecordKind::claim;
      claim.epoch = Epoch{3};
      claim.writer.bytes.fill(static_cast<uint8_t>(writer));
      ASSERT_TRUE((*fold)->fold({{&claim, nullptr, from, end}}));
      ASSERT_TRUE((*view)->flush());
    }
    ASSERT_TRUE(views_->adopt_new(0));
    auto view = recover();
    ASSERT_TRUE(view) << view.error().detail;
    EXPECT_EQ(view->replayed, 10u) << int{writer};
    EXPECT_EQ(view->fold->head(PartitionId{1}).epoch, Epoch{10});
  }
}

}  // namespace
}  // namespace kura::node
