#include "projections/kv/write_behind_kv.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "projections/kv/cached_kv.h"
#include "projections/kv/memory_kv.h"
#include "tests/kv/batch_of_one.h"
#include "tests/kv/count_up.h"

namespace kura::testing {
namespace {

using Map = std::map<std::string, std::string>;

Map all(Kv& kv) {
  Map out;
  auto it = kv.iterate();
  for (it->seek(""); it->valid(); it->next()) out.emplace(it->key(), it->value());
  EXPECT_TRUE(it->status());
  return out;
}

// Remembers the batches, fails when told to, and lets something happen before one is seen.
struct WatchedKv final : Kv {
  Result<std::optional<std::string>> get(std::string_view key) override { return memory.get(key); }
  Result<void> write(const KvBatch& batch) override {
    if (fails) return fail(Errc::io_error, "the drive is gone");
    if (full) return fail(Errc::no_space, "the drive is full");
    if (before_write) before_write();
    batches.push_back(batch);
    auto written = memory.write(batch);
    if (after_write) after_write();
    return written;
  }
  Result<void> flush() override {
    ++flushes;
    if (full) return fail(Errc::no_space, "the drive is full");
    return memory.flush();
  }
  KvRoom room() const override { return full && seen_full ? KvRoom::lacking : KvRoom::enough; }
  std::unique_ptr<KvIterator> iterate() override { return memory.iterate(); }
  void on_damage(std::function<void(Error)> notify) override { damaged = std::move(notify); }
  Task<Result<void>> verify() override { co_return fail(Errc::corrupt, "verified"); }

  MemoryKv memory;
  std::vector<KvBatch> batches;
  int flushes = 0;
  bool fails = false;
  bool full = false, seen_full = true;
  std::function<void()> before_write, after_write;
  std::function<void(Error)> damaged;
};

struct WriteBehindKvTest : ::testing::Test {
  WriteBehindKvTest() { open({.rows_max = 4, .bytes_max = 1 << 20}); }
  void open(WriteBehindLimits limits) {
    auto map = std::make_unique<WatchedKv>();
    below = map.get();
    kv = make_write_behind_kv(std::move(map), limits);
  }
  std::optional<std::string> get(std::string_view key) { return kv->get(key).value(); }
  void put(std::string key, std::string value) {
    ASSERT_TRUE(kv->write(one(std::move(key), std::move(value))));
  }
  void remove(std::string key) {
    KvBatch batch;
    batch.remove(std::move(key));
    ASSERT_TRUE(kv->write(batch));
  }
  void fill() {
    for (const char* key : {"a", "b", "c", "d"}) put(key, "1");
  }

  WatchedKv* below;
  std::unique_ptr<Kv> kv;
};

TEST_F(WriteBehindKvTest, ManyBatchesGoDownAsOneInOrderOfKeys) {
  for (const char* key : {"c", "a", "d", "b"}) put(key, key);
  EXPECT_TRUE(below->batches.empty());
  put("e", "e");
  ASSERT_EQ(below->batches.size(), 1u);
  std::string keys;
  for (const KvBatch::Change& change : below->batches[0].changes()) keys += change.key;
  EXPECT_EQ(keys, "abcd");
  EXPECT_EQ(get("e"), "e");
  EXPECT_EQ(below->memory.get("e").value(), std::nullopt);
}

TEST_F(WriteBehindKvTest, OfAKeyOnlyTheLastChangeGoesDown) {
  ASSERT_TRUE(below->memory.write(one("removed", "0")));
  for (int i = 0; i < 100; ++i) put("count", std::to_string(i));
  remove("removed");
  put("back", "1");
  remove("back");
  put("back", "2");
  EXPECT_EQ(get("count"), "99");
  EXPECT_EQ(get("removed"), std::nullopt);
  EXPECT_EQ(get("back"), "2");
  EXPECT_TRUE(below->batches.empty());
  ASSERT_TRUE(kv->flush());
  ASSERT_EQ(below->batches.size(), 1u);
  EXPECT_EQ(below->batches[0].changes().size(), 3u);
  EXPECT_EQ(all(below->memory), (Map{{"back", "2"}, {"count", "99"}}));
  EXPECT_EQ(get("removed"), std::nullopt);
}

TEST_F(WriteBehindKvTest, TheLaterChangeOfAKeyInABatchWins) {
  KvBatch batch;
  batch.put("a", "1");
  batch.put("b", "1");
  batch.remove("a");
  batch.put("b", "2");
  ASSERT_TRUE(kv->write(batch));
  EXPECT_EQ(get("a"), std::nullopt);
  EXPECT_EQ(all(*kv), (Map{{"b", "2"}}));
}

TEST_F(WriteBehindKvTest, IteratorAndFlushSeeEverything) {
  put("a", "1");
  EXPECT_EQ(all(*kv), (Map{{"a", "1"}}));
  put("b", "2");
  ASSERT_TRUE(kv->flush());
  EXPECT_EQ(below->flushes, 1);
  below->memory.crash();
  EXPECT_EQ(all(below->memory), (Map{{"a", "1"}, {"b", "2"}}));
  ASSERT_TRUE(kv->flush());
  EXPECT_EQ(below->batches.size(), 2u) << "nothing was gathered, and yet something went down";
}

TEST_F(WriteBehindKvTest, BytesAreBoundedToo) {
  open({.rows_max = 1000, .bytes_max = 10'000});
  for (int i = 0; i < 100; ++i) put("long", std::string(1000, 'x'));  // One row of 1,000 bytes.
  EXPECT_TRUE(below->batches.empty());
  for (int i = 0; i < 12; ++i) put("row " + std::to_string(i), std::string(1000, 'x'));
  EXPECT_EQ(below->batches.size(), 1u);
}

// Before the map below has the batch, while it takes it and when it just did.
TEST_F(WriteBehindKvTest, WhatGoesDownIsReadAllTheTime) {
  ASSERT_TRUE(below->memory.write(one("a", "old")));
  fill();
  int looks = 0;
  below->before_write = below->after_write = [&] {
    std::thread([&] {
      ++looks;
      EXPECT_EQ(get("a"), "1");
      EXPECT_EQ(get("d"), "1");
    }).join();
  };
  put("e", "1");
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(get("a"), "1");
}

TEST_F(WriteBehindKvTest, AWriteThatFailsLeavesNothingOfItsBatch) {
  fill();
  below->fails = true;
  KvBatch batch;
  batch.put("a", "2");
  batch.put("e", "2");
  for (int i = 0; i < 3; ++i) {
    auto written = kv->write(batch);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, Errc::io_error);
  }
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("e"), std::nullopt);
  below->fails = false;
  EXPECT_EQ(all(*kv), (Map{{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}}));
}

TEST_F(WriteBehindKvTest, AFailedDrainLosesAndReordersNothing) {
  put("a", "1");
  put("b", "1");
  below->fails = true;
  EXPECT_FALSE(kv->flush());
  EXPECT_EQ(below->flushes, 0) << "what was flushed lacks what could not go down";
  auto it = kv->iterate();
  it->seek("");
  EXPECT_FALSE(it->valid());
  EXPECT_FALSE(it->status());
  EXPECT_EQ(get("a"), "1");
  put("a", "2");  // Room is left.
  put("c", "2");
  EXPECT_EQ(get("a"), "2");
  below->fails = false;
  ASSERT_TRUE(kv->flush());
  ASSERT_EQ(below->batches.size(), 1u);
  EXPECT_EQ(all(below->memory), (Map{{"a", "2"}, {"b", "1"}, {"c", "2"}}));
}

// A full drive is no error but of a flush: what is written is kept, read and listed, and goes down
// once there is room.
TEST_F(WriteBehindKvTest, AFullDriveIsWaitedOut) {
  fill();
  ASSERT_TRUE(kv->flush());
  below->full = true;
  below->seen_full = false;  // The first batch that goes down meets it.
  Map expected{{"a", "1"}, {"c", "1"}, {"d", "3"}, {"e", "2"}};
  for (int n = 0; n < 9; ++n) {
    expected["f" + std::to_string(n)] = "2";
    put("f" + std::to_string(n), "2");
    below->seen_full = n > 5;
  }
  remove("b");
  put("d", "3");
  put("e", "2");
  EXPECT_EQ(all(*kv), expected);
  auto it = kv->iterate();
  it->seek("b");
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), "c");
  EXPECT_EQ(get("b"), std::nullopt);
  EXPECT_EQ(kv->room(), KvRoom::lacking);
  auto flushed = kv->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::no_space);
  below->full = false;
  ASSERT_TRUE(kv->flush());
  EXPECT_EQ(kv->room(), KvRoom::enough);
  EXPECT_EQ(all(below->memory), expected);
}

TEST_F(WriteBehindKvTest, NoRoomIsLeftOnceMuchIsKept) {
  open({.rows_max = 4, .bytes_max = 1 << 20, .kept_bytes_max = 2000});
  below->full = true;
  EXPECT_EQ(kv->room(), KvRoom::lacking);
  put("a", std::string(2000, 'x'));
  EXPECT_EQ(kv->room(), KvRoom::none);
  put("b", "still taken");
  below->full = false;
  EXPECT_EQ(kv->room(), KvRoom::enough);
  ASSERT_TRUE(kv->flush());
  EXPECT_EQ(all(below->memory).size(), 2u);
}

TEST_F(WriteBehindKvTest, DamageAndVerifyAreThoseOfTheMapBelow) {
  std::string found;
  kv->on_damage([&](Error error) { found = error.detail; });
  below->damaged(Error{Errc::corrupt, "a block"});
  EXPECT_EQ(found, "a block");
  SystemClock clock;
  AsioLoop loop(clock);
  loop.start("verify");
  const auto verified = block_on(loop, kv->verify());
  loop.stop();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().detail, "verified");
}

// Whatever is asked in between: below is always the state after one of the batches.
TEST_F(WriteBehindKvTest, BelowHoldsOnlyWholeBatches) {
  open({.rows_max = 20, .bytes_max = 1 << 20});
  std::vector<Map> states{{}};
  size_t looks = 0;
  below->after_write = [&] {
    const Map now = all(below->memory);
    const size_t position = std::stoul(now.at("position"));
    ASSERT_LT(position, states.size());
    EXPECT_EQ(now, states[position]);
    ++looks;
  };
  for (int i = 1; i <= 500; ++i) {
    Map state = states.back();
    KvBatch batch;
    auto change = [&](std::string key, std::string value) {
      state[key] = value;
      batch.put(std::move(key), std::move(value));
    };
    change("position", std::to_string(i));
    change("row " + std::to_string(i), "x");
    change("counted " + std::to_string(i % 7), std::to_string(i));
    const std::string gone = "row " + std::to_string(i - 5);
    state.erase(gone);
    batch.remove(gone);
    ASSERT_TRUE(kv->write(batch));
    states.push_back(std::move(state));
    if (i % 90 == 0) {
      ASSERT_TRUE(kv->flush());
    }
    if (i % 50 == 0) {
      EXPECT_EQ(all(*kv), states.back());
    }
  }
  EXPECT_GT(looks, 30u);
}

TEST(WriteBehindKv, ManyReadersBesideAWriterSeeItMoveOnlyForwards) {
  auto kv = make_write_behind_kv(std::make_unique<MemoryKv>(), {.rows_max = 10});
  count_up_beside_readers(*kv);
}

TEST(WriteBehindKv, SoDoThoseOfACacheAboveIt) {
  auto kv = make_cached_kv(make_write_behind_kv(std::make_unique<MemoryKv>(), {.rows_max = 10}),
                           64 << 10);
  count_up_beside_readers(*kv);
}

}  // namespace
}  // namespace kura::testing
