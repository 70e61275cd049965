// Pieces of the log that are mostly live bodies are kept as they are, and cleaned once they are
// not.

#include "actors/disk/stripe.h"
#include "list_journal.h"

namespace kura::disk {
namespace {

class Archive : public DestageWorld {
 public:
  // So many bodies, all live, that have left the log. About 8 KiB each.
  void archive(int bodies) {
    for (int i = 0; i < bodies; ++i) put("key-" + std::to_string(i), 1 + (i * 37) % 16'384);
    leave_log();
  }

  void leave_log() {
    auto done = destage(0, journal.end_, kGiB);
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_EQ(done->value, journal.end_);
    ASSERT_TRUE(pool.run<Result<void>>(journal.truncate(Offset(journal.end_))));
  }

  std::vector<std::shared_ptr<const ArchivedLog>> pieces() { return pool.ledger.state()->archived; }
};

TEST_F(Archive, ADensePieceIsKeptAsItIsAndReadBack) {
  archive(5000);
  EXPECT_EQ(pool.bodies.moves, 0u);
  EXPECT_EQ(pool.status().reservations, 0u);
  ASSERT_GE(pieces().size(), 2u);
  for (size_t i = 1; i < pieces().size(); ++i) {
    EXPECT_EQ(pieces()[i]->from, pieces()[i - 1]->to);
    EXPECT_EQ(pieces()[i]->from.value / kLogPieceBytes, i) << "pieces end at the grid";
    EXPECT_LT(pieces()[i]->from.value % kLogPieceBytes, kRecordMax);
  }
  expect_all();
  pool.restart();
  expect_all();
  pool.maintain(3);
  EXPECT_EQ(pool.bodies.moves, 0u) << "and stays as it is";
  expect_all();
}

TEST_F(Archive, WhatIsArchivedIsNotReadAgain) {
  archive(2500);
  const size_t before = pieces().size();
  auto done = destage(0, journal.end_, kGiB);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(done->value, journal.end_);
  EXPECT_EQ(pieces().size(), before);
}

// In calls of as much as a piece has, as housekeeping asks, each begins a little off the grid.
TEST_F(Archive, NoSliverOfAPieceIsLeft) {
  for (int i = 0; i < 6000; ++i) put("key-" + std::to_string(i), 8'000);
  int calls = 0;
  for (uint64_t at = 0; at < journal.end_; ++calls) {
    auto done = destage(at, journal.end_, kLogPieceBytes);
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_GT(done->value, at);
    at = done->value;
  }
  EXPECT_EQ(pieces().size(), 3u);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(pool.bodies.moves, 0u);
  expect_all();
}

TEST_F(Archive, APieceHasNoGap) {
  for (int i = 0; i < 1000; ++i) put("key-" + std::to_string(i), 4'000);
  journal.gap();
  for (int i = 1000; i < 2000; ++i) put("key-" + std::to_string(i), 4'000);
  leave_log();
  ASSERT_EQ(pieces().size(), 2u);
  EXPECT_EQ(pieces()[1]->from.value, pieces()[0]->to.value + 4096);
  expect_all();
}

TEST_F(Archive, DamageAndLostDrivesWithinParityAreMended) {
  archive(1000);
  pool.restart({0, 3});
  expect_all();
  pool.restart();
  const SetId set(pieces()[0]->body.extents(0).set());
  const uint64_t middle = pieces()[0]->body.extents(0).offset() + 100'000;
  for (size_t place : {1, 2})
    for (uint64_t at = 0; at < kMiB; at += 10'000)
      pool.flip(place, set_file_name(set), middle + at);
  expect_all();
  pool.settle();
  EXPECT_GT(pool.status().scrub.repaired_shards, 0u) << "what a read finds is mended";
}

TEST_F(Archive, MoreDamageThanParityIsAnErrorAndNoWrongBytes) {
  archive(300);
  pool.restart({0, 1, 2});
  auto bodies = pool.pool->inline_bodies(journal);
  int refused = 0;
  for (const auto& [key, body] : pool.bodies.bodies) {
    auto read = pool.run<Result<std::string>>(bodies->read_body(body.journal()));
    EXPECT_TRUE(!read || *read == pool.bodies.content.at(key));
    refused += !read;
  }
  EXPECT_GT(refused, 0);
}

// Bytes of three members are gone where the second hundred or so bodies lie.
TEST_F(Archive, WhatIsDamagedBeyondRepairHoldsNothingElse) {
  archive(1000);
  const v1::Extent extent = pieces()[0]->body.extents(0);
  for (size_t place : {0, 1, 2, 3, 4, 5})
    for (uint64_t at = 0; at < 64 * kKiB; at += 64)
      pool.flip(place, set_file_name(SetId(extent.set())), extent.offset() + 200'000 + at);
  auto bodies = pool.pool->inline_bodies(journal);
  std::vector<std::string> lost;
  for (const auto& [key, body] : pool.bodies.bodies)
    if (!pool.run<Result<std::string>>(bodies->read_body(body.journal()))) lost.push_back(key);
  ASSERT_GT(lost.size(), 10u);
  ASSERT_LT(lost.size(), 500u);
  pool.bodies.count_log_bytes = false;  // Time to clean it.
  pool.maintain(2);
  ASSERT_EQ(pieces().size(), 1u) << "it is kept for what may be readable one day";
  EXPECT_EQ(pool.bodies.moves, 1000 - lost.size()) << "the others have left it";
  for (const std::string& key : lost) pool.forget(key);
  pool.maintain(61);
  pool.settle(100 * sim::kSecond);  // The whole view is asked now and then only.
  pool.maintain(1);
  EXPECT_TRUE(pieces().empty());
  expect_all();
}

TEST_F(Archive, ASparsePieceIsCleanedAndItsRoomComesBack) {
  archive(4000);
  pool.seal_all();
  const uint64_t before = used_bytes();
  for (int i = 0; i < 4000; ++i)
    if (i % 10 != 0) pool.forget("key-" + std::to_string(i));
  pool.maintain(5);
  EXPECT_TRUE(pieces().empty());
  EXPECT_EQ(pool.bodies.moves, 400u);
  EXPECT_EQ(pool.status().reservations, 0u);
  expect_all();
  pool.seal_all();
  pool.maintain(5);
  EXPECT_LT(used_bytes(), before / 4);
  expect_all();
}

TEST_F(Archive, WhatNobodyNamesIsDroppedWithoutAMove) {
  archive(2000);
  for (int i = 0; i < 2000; ++i) pool.forget("key-" + std::to_string(i));
  pool.maintain(3);
  EXPECT_TRUE(pieces().empty());
  EXPECT_EQ(pool.bodies.moves, 0u);
}

// The counts say where to look; what is live says what goes.
TEST_F(Archive, AWrongCountLosesNothing) {
  archive(2000);
  pool.bodies.count_log_bytes = false;
  pool.maintain(3);
  EXPECT_TRUE(pieces().empty());
  EXPECT_GE(pool.bodies.moves, 2000u);
  expect_all();
}

TEST_F(Archive, ARefusedMoveOrRecordKeepsThePiece) {
  for (int i = 0; i < 1000; ++i) put("key-" + std::to_string(i), 8'000);
  pool.ledger.refuse_next = 1000;
  EXPECT_FALSE(destage(0, journal.end_, kGiB));
  pool.ledger.refuse_next = 0;
  EXPECT_EQ(pool.status().reservations, 0u);
  leave_log();
  for (int i = 0; i < 1000; ++i)
    if (i % 10 != 0) pool.forget("key-" + std::to_string(i));
  pool.bodies.refuse = Errc::overloaded;
  pool.maintain(2);
  EXPECT_EQ(pieces().size(), 1u);
  expect_all();
  pool.bodies.refuse.reset();
  pool.maintain(2);
  EXPECT_EQ(pieces().size(), 1u) << "it is left alone for a while";
  pool.maintain(60);
  EXPECT_TRUE(pieces().empty());
  expect_all();
}

TEST_F(Archive, APieceLeavesASetThatIsCompacted) {
  archive(5000);
  ASSERT_EQ(pieces().size(), 3u);
  const auto piece = pieces()[1];  // The first set that it lies in holds one before it as well.
  const uint32_t before = piece->body.extents(0).set();
  ASSERT_TRUE(touches(pieces()[0]->body, SetId(before)));
  pool.seal_all();
  std::vector<std::string> gone;
  for (const auto& [key, body] : pool.bodies.bodies) {
    const Offset at(body.journal().offset());
    if (at < piece->from || piece->to <= at) gone.push_back(key);
  }
  for (const std::string& key : gone) pool.forget(key);
  pool.maintain(6);
  ASSERT_EQ(pieces().size(), 1u);
  EXPECT_NE(pieces()[0]->body.extents(0).set(), before);
  EXPECT_FALSE(pool.ledger.state()->sets.contains(SetId(before)));
  EXPECT_EQ(pool.bodies.moves, 0u);
  expect_all();
}

TEST_F(Archive, EvenASmallPiece) {
  pool.options.archive = {.bytes_min = 1, .live_percent_min = 1};
  pool.restart();
  for (int i = 0; i < 5; ++i) put("key-" + std::to_string(i), 4'000);
  leave_log();
  ASSERT_EQ(pieces().size(), 1u);
  expect_all();
  pool.restart({0, 1});
  expect_all();
}

}  // namespace
}  // namespace kura::disk
