#include "node/cli/progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kura::node {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMiB = 1 << 20;

struct HandClock final : Clock {
  int64_t wall_ms() const override { return 0; }
  int64_t monotonic_ns() const override { return now_ns; }
  int64_t now_ns = 7 * kSecondNs;
};

TEST(Progress, LinesAreTenSecondsApart) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::lines, clock);
  std::string lines;
  for (uint64_t second = 1; second <= 25; ++second) {
    clock.now_ns += kSecondNs;
    lines += progress.report(second * 10 * kMiB, 1000 * kMiB);
  }
  EXPECT_EQ(lines,
            "scrub: 100.0 MiB of 1000.0 MiB, 10.0 MiB/s, 1 min 30 s left\n"
            "scrub: 200.0 MiB of 1000.0 MiB, 10.0 MiB/s, 1 min 20 s left\n");
  EXPECT_EQ(progress.finish(), "scrub: 250.0 MiB in 25 s\n");
}

TEST(Progress, WhatIsShortHasNoLines) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::lines, clock);
  clock.now_ns += 9 * kSecondNs;
  EXPECT_EQ(progress.report(1, 2) + progress.finish(), "");
}

TEST(Progress, TheRateFollowsWhatIsSeen) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::json, clock);
  auto after = [&](int64_t seconds, uint64_t done) {
    clock.now_ns += seconds * kSecondNs;
    return nlohmann::json::parse(progress.report(done, 1000));
  };
  EXPECT_EQ(after(1, 100).at("bytesPerSecond"), 100);
  EXPECT_EQ(after(2, 100).at("bytesPerSecond"), 50);
  const nlohmann::json last = after(1, 250);
  EXPECT_EQ(last.at("bytesPerSecond"), 100);
  EXPECT_EQ(last.at("secondsLeft"), 8);  // 750 / 100, rounded.
  EXPECT_EQ(last.at("apiVersion"), "kura/v1");
}

TEST(Progress, NothingIsKnownBeforeTheFirstSecond) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::json, clock);
  EXPECT_TRUE(nlohmann::json::parse(progress.report(0, 0)).at("secondsLeft").is_null());
}

TEST(Progress, MoreThanPlannedLeavesNothing) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::json, clock);
  clock.now_ns += kSecondNs;
  EXPECT_EQ(nlohmann::json::parse(progress.report(20, 10)).at("secondsLeft"), 0);
}

TEST(Progress, ATerminalHasOneLine) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::terminal, clock);
  clock.now_ns += kSecondNs;
  EXPECT_EQ(progress.report(1, 2), "\r\x1b[Kscrub: 1 B of 2 B, 1 B/s, 1 s left");
  EXPECT_EQ(progress.finish(), "\r\x1b[Kscrub: 1 B in 1 s\n");
}

TEST(Progress, QuietSaysNothing) {
  HandClock clock;
  Progress progress("scrub", ProgressForm::none, clock);
  clock.now_ns += 60 * kSecondNs;
  EXPECT_EQ(progress.report(1, 2) + progress.finish(), "");
}

}  // namespace
}  // namespace kura::node
