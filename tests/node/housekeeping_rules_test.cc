#include "node/housekeeping_rules.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace kura::node {
namespace {

Snapshot at(uint64_t offset) {
  Snapshot snapshot;
  snapshot.offset = Offset{offset};
  return snapshot;
}

TEST(HousekeepingRules, TheLogIsAnEighthOfASmallDriveAndLongOnALargeOne) {
  EXPECT_EQ(log_segments_max(64 * kMiB, kMiB), 8u);
  EXPECT_EQ(log_segments_max(6 * kGiB, 64 * kMiB), 12u);
  EXPECT_EQ(log_segments_max(1024 * kGiB, 64 * kMiB), 16u);
  EXPECT_EQ(log_segments_max(kGiB, 64 * kMiB), 8u);
}

TEST(HousekeepingRules, ActsWhenTheLogGrewAndWhenItRests) {
  EXPECT_FALSE(is_due({.segments = 1, .out_of_space = true, .idle = true}, 8)) << "nothing to cut";
  EXPECT_FALSE(is_due({.segments = 8, .behind = 4}, 8));
  EXPECT_TRUE(is_due({.segments = 8, .behind = 5}, 8));
  EXPECT_TRUE(is_due({.segments = 2, .behind = 1, .out_of_space = true}, 8));
  EXPECT_TRUE(is_due({.segments = 2, .behind = 2, .idle = true}, 8));
  EXPECT_FALSE(is_due({.segments = 2, .behind = 2, .idle = true, .settled = true}, 8));
}

TEST(HousekeepingRules, TheViewIsFlushedAtRestAndWhereLittleComes) {
  constexpr int64_t kMinute = 60'000'000'000;
  EXPECT_FALSE(is_flush_due({.unflushed_bytes = 0, .idle = true, .since_ns = kMinute}));
  EXPECT_FALSE(is_flush_due({.unflushed_bytes = 1, .idle = true, .since_ns = kMinute / 6 - 1}));
  EXPECT_TRUE(is_flush_due({.unflushed_bytes = 1, .idle = true, .since_ns = kMinute / 6}));
  EXPECT_TRUE(is_flush_due({.unflushed_bytes = kGiB, .idle = true, .since_ns = kMinute}));
  EXPECT_FALSE(is_flush_due({.unflushed_bytes = kMiB, .since_ns = kMinute - 1}));
  EXPECT_TRUE(is_flush_due({.unflushed_bytes = kMiB, .since_ns = kMinute}));
  EXPECT_FALSE(is_flush_due({.unflushed_bytes = 64 * kMiB, .since_ns = kMinute}))
      << "a pass flushes it";
}

TEST(HousekeepingRules, CountsSegmentsBehindTheNewestSnapshot) {
  const std::vector<journal::SegmentSpan> segments{
      {Offset{0}, Offset{100}}, {Offset{100}, Offset{200}}, {Offset{200}, Offset{250}, true}};
  EXPECT_EQ(segments_behind(segments, {}), 3u);
  EXPECT_EQ(segments_behind(segments, {at(99)}), 3u);
  EXPECT_EQ(segments_behind(segments, {at(50), at(150)}), 2u);
  EXPECT_EQ(segments_behind(segments, {at(150), at(240)}), 1u);
}

TEST(HousekeepingRules, OneSnapshotForAPassAndTheOlderOneLimitsTheCut) {
  const CutLimits limits{Offset{300}, Offset{300}, Offset{400}};
  EXPECT_TRUE(needs_snapshot({}, limits.target));
  EXPECT_EQ(cut_below(limits, {}), std::nullopt);
  EXPECT_TRUE(needs_snapshot({at(350)}, limits.target));
  EXPECT_EQ(cut_below(limits, {at(350)}), std::nullopt) << "damage to it would be a loss";
  EXPECT_TRUE(needs_snapshot({at(100), at(350)}, limits.target));
  EXPECT_EQ(cut_below(limits, {at(100), at(350)}), Offset{100});
  EXPECT_FALSE(needs_snapshot({at(350), at(390)}, limits.target));
  EXPECT_EQ(cut_below(limits, {at(350), at(390)}), Offset{300});
}

TEST(HousekeepingRules, AtRestASnapshotIsWorthHalfItsSizeOfLog) {
  std::vector<Snapshot> snapshots{at(100), at(350)};
  snapshots.back().size_bytes = 400;
  EXPECT_FALSE(is_worth_snapshot(snapshots, Offset{0}, Offset{299}));
  EXPECT_TRUE(is_worth_snapshot(snapshots, Offset{0}, Offset{300}));
  EXPECT_FALSE(is_worth_snapshot(snapshots, Offset{101}, Offset{300})) << "the log begins later";
  EXPECT_FALSE(is_worth_snapshot(snapshots, Offset{400}, Offset{300}));
  EXPECT_TRUE(is_worth_snapshot({at(350)}, Offset{0}, Offset{1})) << "nothing can be cut yet";
}

TEST(HousekeepingRules, NothingIsCutThatIsStillRead) {
  const std::vector<Snapshot> snapshots{at(500), at(600)};
  EXPECT_EQ(cut_below({Offset{300}, Offset{300}, Offset{400}}, snapshots), Offset{300});
  EXPECT_EQ(cut_below({Offset{300}, Offset{250}, Offset{400}}, snapshots), Offset{250});
  EXPECT_EQ(cut_below({Offset{300}, Offset{300}, Offset{200}}, snapshots), Offset{200});
}

TEST(HousekeepingRules, ASnapshotIsOutlivedOnceTheLogGrewByHalfItsSize) {
  auto of = [](uint64_t offset, uint64_t bytes) {
    Snapshot snapshot = at(offset);
    snapshot.size_bytes = bytes;
    return snapshot;
  };
  EXPECT_FALSE(is_outlived({}, Offset{100 * kMiB}));
  EXPECT_FALSE(is_outlived({of(0, 20 * kMiB)}, Offset{10 * kMiB - 1}));
  EXPECT_TRUE(is_outlived({of(0, 20 * kMiB)}, Offset{10 * kMiB}));
  EXPECT_TRUE(is_outlived({of(0, 4 * kMiB), of(kMiB, kGiB)}, Offset{2 * kMiB}));
  EXPECT_TRUE(is_outlived({of(0, kGiB), of(kMiB, 2 * kMiB)}, Offset{2 * kMiB}));
  EXPECT_FALSE(is_outlived({of(0, kMiB - 1), of(kMiB, 10)}, Offset{kGiB})) << "of little size";
}

TEST(HousekeepingRules, FailuresAreRetriedLessAndLessOften) {
  EXPECT_EQ(retry_after_ns(1, 1000), 2000);
  EXPECT_EQ(retry_after_ns(4, 1000), 16'000);
  EXPECT_EQ(retry_after_ns(400, 1000), 16'000);
}

}  // namespace
}  // namespace kura::node
