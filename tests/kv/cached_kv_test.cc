#include "projections/kv/cached_kv.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "projections/kv/memory_kv.h"
#include "tests/kv/batch_of_one.h"
#include "tests/kv/count_up.h"

namespace kura::testing {
namespace {

// Counts look-ups and lets something happen in the middle of one, or of a write.
struct WatchedKv final : Kv {
  Result<std::optional<std::string>> get(std::string_view key) override {
    ++gets;
    auto value = memory.get(key);
    if (auto step = std::exchange(after_get, nullptr)) step();
    return value;
  }
  Result<void> write(const KvBatch& batch) override {
    if (fails) return fail(Errc::io_error, "the drive is gone");
    auto written = memory.write(batch);
    if (auto step = std::exchange(after_write, nullptr)) step();
    return written;
  }
  Result<void> flush() override { return memory.flush(); }
  std::unique_ptr<KvIterator> iterate() override { return memory.iterate(); }

  MemoryKv memory;
  std::atomic<int> gets{0};
  bool fails = false;
  std::function<void()> after_get, after_write;  // Once.
};

struct CachedKvTest : ::testing::Test {
  explicit CachedKvTest(size_t bytes_max = 1 << 20) {
    auto map = std::make_unique<WatchedKv>();
    below = map.get();
    kv = make_cached_kv(std::move(map), bytes_max);
  }
  std::optional<std::string> get(std::string_view key) { return kv->get(key).value(); }

  WatchedKv* below;
  std::unique_ptr<Kv> kv;
};

TEST_F(CachedKvTest, KeepsWhatWasReadOrWritten) {
  ASSERT_TRUE(kv->write(one("written", "1")));
  EXPECT_EQ(get("written"), "1");
  EXPECT_EQ(below->gets, 0);
  EXPECT_EQ(get("absent"), std::nullopt);
  EXPECT_EQ(get("absent"), std::nullopt);
  EXPECT_EQ(below->gets, 1);
  KvBatch batch;
  batch.remove("written");
  ASSERT_TRUE(kv->write(batch));
  EXPECT_EQ(get("written"), std::nullopt);
  EXPECT_EQ(below->gets, 1);
}

TEST_F(CachedKvTest, TheLastChangeOfAKeyInABatchWins) {
  const std::string longer(64 << 10, 'x');  // Than what is kept.
  KvBatch batch;
  batch.put("a", "1");
  batch.put("a", longer);
  batch.put("b", longer);
  batch.put("b", "2");
  ASSERT_TRUE(kv->write(batch));
  EXPECT_EQ(get("a"), longer);
  EXPECT_EQ(get("b"), "2");
}

TEST_F(CachedKvTest, KeepsNothingOfAWriteThatFailed) {
  ASSERT_TRUE(kv->write(one("a", "1")));
  below->fails = true;
  EXPECT_FALSE(kv->write(one("a", "2")));
  EXPECT_EQ(get("a"), "1");
}

TEST_F(CachedKvTest, WhatWasReadBeforeAWriteIsNotKeptAfterIt) {
  ASSERT_TRUE(below->memory.write(one("a", "old")));
  below->after_get = [this] { ASSERT_TRUE(kv->write(one("a", "new"))); };
  EXPECT_EQ(get("a"), "old");
  EXPECT_EQ(get("a"), "new");
}

// Else a reader in the middle of the write sees the new value, and one after it the old one again.
TEST_F(CachedKvTest, NobodySeesTheOldValueAfterSomebodySawTheNewOne) {
  ASSERT_TRUE(kv->write(one("a", "old")));
  below->after_write = [this] {
    EXPECT_EQ(get("a"), "new");
    EXPECT_EQ(get("a"), "new");
  };
  ASSERT_TRUE(kv->write(one("a", "new")));
  EXPECT_EQ(get("a"), "new");
}

TEST_F(CachedKvTest, ForgetsWhatWasNotAskedFor) {
  ASSERT_TRUE(below->memory.write(one("kept", "1")));
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_TRUE(kv->write(one("row " + std::to_string(i), std::string(100, 'x'))));
    ASSERT_EQ(get("kept"), "1");
  }
  EXPECT_EQ(below->gets, 1);
  below->gets = 0;
  for (int i = 20'000; i-- > 0;) ASSERT_TRUE(get("row " + std::to_string(i)));
  // A row takes some 141 bytes, and between half of a mebibyte and all of it is kept.
  EXPECT_GT(below->gets, 20'000 - (1 << 20) / 130);
  EXPECT_LT(below->gets, 20'000 - (1 << 19) / 160);
}

TEST_F(CachedKvTest, ARowOfTheOldGenerationIsForgottenWhenItChanges) {
  ASSERT_TRUE(kv->write(one("row", "before")));
  for (int i = 0; i < 6'000; ++i)
    ASSERT_TRUE(kv->write(one("other " + std::to_string(i), std::string(100, 'x'))));
  below->gets = 0;
  ASSERT_EQ(get("other 5"), std::string(100, 'x'));  // One as old as it.
  ASSERT_EQ(below->gets, 0) << "it is the old generation, and not gone";
  const std::string long_value(100'000, 'y');
  ASSERT_TRUE(kv->write(one("row", long_value)));
  EXPECT_EQ(get("row"), long_value);
}

TEST_F(CachedKvTest, ARowThatIsWrittenAgainAndAgainPushesNoOtherOut) {
  constexpr int kRows = 1000;
  for (int i = 0; i < kRows; ++i)
    ASSERT_TRUE(kv->write(one("row " + std::to_string(i), std::string(100, 'x'))));
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(kv->write(one("hot", std::string(100, 'y'))));
  below->gets = 0;
  for (int i = 0; i < kRows; ++i) ASSERT_TRUE(get("row " + std::to_string(i)));
  EXPECT_EQ(below->gets, 0);
}

TEST(CachedKv, ManyReadersBesideAWriterSeeItMoveOnlyForwards) {
  auto kv = make_cached_kv(std::make_unique<MemoryKv>(), 64 << 10);
  count_up_beside_readers(*kv);
}

}  // namespace
}  // namespace kura::testing
