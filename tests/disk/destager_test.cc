// Small bodies leave the journal for stripes, one by one.

#include "list_journal.h"

namespace kura::disk {
namespace {

using Destage = DestageWorld;

TEST_F(Destage, LiveBodiesOfASparsePieceMoveAndReadBack) {
  for (int i = 0; i < 6000; ++i) put("key-" + std::to_string(i), 1 + (i * 37) % 16'384);
  for (int i = 0; i < 6000; ++i)
    if (i % 3 != 0) pool.forget("key-" + std::to_string(i));
  for (int i = 0; i < 6000; i += 30) put("key-" + std::to_string(i), 5'000);  // Overwritten.
  const uint64_t below = journal.end_;
  auto done = destage(0, below);
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(done->value, below);
  EXPECT_EQ(pool.bodies.bodies.size(), 2000u);
  for (const auto& [key, body] : pool.bodies.bodies) {
    ASSERT_FALSE(body.has_journal()) << key;
    ASSERT_EQ(body.extents_size(), 1);
  }
  EXPECT_TRUE(pool.ledger.state()->archived.empty());
  pool.expect_all();
  EXPECT_EQ(pool.bodies.moves, 2000u) << "the overwritten bodies are not copied";
  EXPECT_LT(pool.bodies.events_of_moves, 250u) << "moves are batched";
  EXPECT_EQ(pool.status().reservations, 0u);
  // Dense: little more than the bodies and their parity.
  uint64_t stored = 0, used = 0;
  for (const auto& [key, content] : pool.bodies.content) stored += content.size();
  pool.seal_all();
  for (const auto& disk : pool.disks) used += disk->used_bytes();
  EXPECT_LT(used, stored * 17 / 10);
  pool.expect_all();
}

TEST_F(Destage, StopsWhereItIsToldTo) {
  for (int i = 0; i < 100; ++i) put("key-" + std::to_string(i), 2'000);
  const uint64_t middle = journal.end_;
  for (int i = 100; i < 200; ++i) put("key-" + std::to_string(i), 2'000);
  auto done = destage(0, middle);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->value, middle);
  int left = 0;
  for (const auto& [key, body] : pool.bodies.bodies) left += body.has_journal();
  EXPECT_EQ(left, 100);
}

TEST_F(Destage, BoundedCallsReachTheEnd) {
  for (int i = 0; i < 300; ++i) put("key-" + std::to_string(i), 4'000);
  uint64_t at = 0;
  int calls = 0;
  while (at < journal.end_ && calls < 100) {
    auto done = destage(at, journal.end_, 100'000);
    ASSERT_TRUE(done);
    ASSERT_GT(done->value, at);
    at = done->value;
    ++calls;
  }
  EXPECT_EQ(at, journal.end_);
  EXPECT_GT(calls, 5);
  for (const auto& [key, body] : pool.bodies.bodies) EXPECT_FALSE(body.has_journal());
  pool.expect_all();
}

TEST_F(Destage, ARefusedMoveIsNoLoss) {
  for (int i = 0; i < 50; ++i) put("key-" + std::to_string(i), 4'000);
  pool.bodies.refuse = Errc::overloaded;
  EXPECT_EQ(destage(0, journal.end_).error().code, Errc::overloaded);
  EXPECT_EQ(pool.status().reservations, 0u);
  pool.bodies.refuse = Errc::unknown;
  EXPECT_EQ(destage(0, journal.end_).error().code, Errc::unknown);
  EXPECT_GT(pool.status().reservations, 0u) << "the move may count yet";
  pool.bodies.refuse.reset();
  EXPECT_TRUE(destage(0, journal.end_));
  pool.expect_all();
}

TEST_F(Destage, AnUnknownEventWithABodyStopsIt) {
  put("key", 4'000);
  v1::Event event;
  event.mutable_object_deleted()->set_key("newer");
  journal.add(event, "a body that this version does not understand");
  auto refused = destage(0, journal.end_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace kura::disk
