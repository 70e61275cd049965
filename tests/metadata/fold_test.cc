#include "projections/metadata/fold.h"

#include <gtest/gtest.h>

#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"
#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

constexpr uint64_t kBucket = 500;

BucketCounters counters(FoldWorld& world) { return world.view.counters(BucketId{kBucket}).value(); }

TEST(Fold, APutIsTheCurrentVersionAndIsCounted) {
  FoldWorld world;
  const Outcome outcome = world.fold(put(kBucket, "k", 10, {extent(1, 4096, 12)})).value();
  EXPECT_FALSE(outcome.existed);
  EXPECT_EQ(outcome.etag, "11111111111111111111111111111111");
  EXPECT_EQ(outcome.offset, Offset{1000});
  const auto version = world.view.current(BucketId{kBucket}, "k").value();
  ASSERT_TRUE(version);
  EXPECT_EQ(version->sequence(), 1000u);
  EXPECT_EQ(counters(world).objects, 1u);
  EXPECT_EQ(counters(world).versions, 1u);
  EXPECT_EQ(counters(world).bytes, 10u);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 12u);
}

TEST(Fold, AnInlineBodyGetsTheOffsetOfItsRecord) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put_inline(kBucket, "other", 5)));
  ASSERT_TRUE(world.fold(put_inline(kBucket, "k", 5)));
  const auto version = world.view.current(BucketId{kBucket}, "k").value();
  EXPECT_EQ(version->body().journal().offset(), 1100u);
  const BodyOwner owner{.bucket = BucketId{kBucket}, .key = "k"};
  EXPECT_TRUE(world.view.journal_body_is_live(owner, Offset{1100}).value());
  EXPECT_FALSE(world.view.journal_body_is_live(owner, Offset{1000}).value());
}

TEST(Fold, AReplacedVersionLeavesNothingBehind) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put(kBucket, "k", 10, {extent(1, 0, 10), extent(2, 0, 7)})));
  EXPECT_TRUE(world.fold(put(kBucket, "k", 3, {extent(1, 64, 3)})).value().existed);
  EXPECT_EQ(counters(world).objects, 1u);
  EXPECT_EQ(counters(world).versions, 1u);
  EXPECT_EQ(counters(world).bytes, 3u);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 3u);
  EXPECT_EQ(world.view.live_bytes(SetId{2}).value(), 0u);
  EXPECT_EQ(world.view.extents_of(SetId{1}, {}, 10).value().size(), 1u);
}

TEST(Fold, DeletingEverythingLeavesOnlyPositions) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put(kBucket, "k", 10, {extent(1, 0, 10)})));
  ASSERT_TRUE(world.fold(upload_created(kBucket, "m", id_of(1))));
  ASSERT_TRUE(world.fold(part(kBucket, "m", id_of(1), 1, 5, {extent(1, 64, 5)})));
  ASSERT_TRUE(world.fold(part(kBucket, "m", id_of(1), 2, 5, {extent(1, 128, 5)})));
  ASSERT_TRUE(world.fold(completed(kBucket, "m", id_of(1), {2}, 5)));
  EXPECT_EQ(world.view.parts(id_of(1), 0, 10).value().parts.size(), 1u);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 15u);
  ASSERT_TRUE(world.fold(deleted(kBucket, "m")));
  ASSERT_TRUE(world.fold(deleted(kBucket, "k")));
  const auto rows = dump(world.kv);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.begin()->first, row::position_key());
}

TEST(Fold, APartReplacesTheOneOfItsNumber) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(upload_created(kBucket, "m", id_of(1))));
  EXPECT_FALSE(world.fold(part(kBucket, "m", id_of(1), 7, 5, {extent(1, 0, 5)})).value().existed);
  EXPECT_TRUE(world.fold(part(kBucket, "m", id_of(1), 7, 6, {extent(1, 64, 6)})).value().existed);
  const PartPage page = world.view.parts(id_of(1), 0, 10).value();
  ASSERT_EQ(page.parts.size(), 1u);
  EXPECT_EQ(page.parts[0].size_bytes(), 6u);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 6u);
  EXPECT_EQ(counters(world).uploads, 1u);
  EXPECT_EQ(counters(world).versions, 0u);
}

TEST(Fold, AbortForgetsUploadAndParts) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(upload_created(kBucket, "m", id_of(1))));
  ASSERT_TRUE(world.fold(part(kBucket, "m", id_of(1), 1, 5, {extent(1, 0, 5)})));
  ASSERT_TRUE(world.fold(aborted(kBucket, "m", id_of(1))));
  EXPECT_EQ(dump(world.kv).size(), 1u);
}

v1::Event moved(const v1::Body& from, const v1::Body& to, const std::string& upload_id = "") {
  v1::Event event;
  auto& move = *event.mutable_bodies_moved()->add_moves();
  move.set_bucket(kBucket);
  move.set_key("k");
  if (!upload_id.empty()) {
    move.set_upload_id(upload_id);
    move.set_part_number(1);
  }
  *move.mutable_from() = from;
  *move.mutable_to() = to;
  return event;
}

v1::Body body_of(uint32_t set, uint64_t offset, uint64_t bytes) {
  v1::Body body;
  *body.add_extents() = extent(set, offset, bytes);
  return body;
}

TEST(Fold, AMoveIsVoidOnceTheBodyIsElsewhere) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put_inline(kBucket, "k", 5)));
  v1::Body journal;
  journal.mutable_journal()->set_offset(1000);
  journal.mutable_journal()->set_length(5);
  EXPECT_TRUE(world.fold(moved(journal, body_of(1, 0, 5))).value().existed);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 5u);
  EXPECT_FALSE(world.view.current(BucketId{kBucket}, "k").value()->body().has_journal());
  EXPECT_FALSE(world.fold(moved(journal, body_of(2, 0, 5))).value().existed);
  EXPECT_EQ(world.view.live_bytes(SetId{2}).value(), 0u);
  // A new body at the same key: the copy of the old one is void, too.
  ASSERT_TRUE(world.fold(put(kBucket, "k", 6, {extent(1, 64, 6)})));
  EXPECT_FALSE(world.fold(moved(body_of(1, 0, 5), body_of(2, 0, 5))).value().existed);
  EXPECT_EQ(world.view.live_bytes(SetId{1}).value(), 6u);
}

TEST(Fold, LiveBytesOfTheLogAreCounted) {
  FoldWorld world;  // All in the first piece of the log.
  auto live = [&] { return world.view.live_log_bytes(0).value(); };
  ASSERT_TRUE(world.fold(put_inline(kBucket, "k", 5)));
  ASSERT_TRUE(world.fold(put_inline(kBucket, "other", 100)));
  EXPECT_EQ(live(), 105u);
  EXPECT_EQ(world.view.live_log_bytes(1).value(), 0u);
  ASSERT_TRUE(world.fold(put_inline(kBucket, "other", 30)));
  EXPECT_EQ(live(), 35u) << "overwritten";
  v1::Body journal;
  journal.mutable_journal()->set_offset(1000);
  journal.mutable_journal()->set_length(5);
  ASSERT_TRUE(world.fold(moved(journal, body_of(1, 0, 5))));
  EXPECT_EQ(live(), 30u) << "moved";
  ASSERT_TRUE(world.fold(put(kBucket, "k", 9, {extent(1, 64, 9)})));
  EXPECT_EQ(live(), 30u) << "not of the log";
  ASSERT_TRUE(world.fold(deleted(kBucket, "other")));
  EXPECT_EQ(live(), 0u);
  ASSERT_TRUE(world.fold(put_inline(kBucket, "k", 7)));
  KvBatch older;  // As a view of a build that did not count.
  older.remove(row::log_bytes_key(0, kTestPartition));
  ASSERT_TRUE(world.kv.write(older));
  ASSERT_TRUE(world.fold(deleted(kBucket, "k")));
  EXPECT_EQ(live(), 0u);
}

TEST(Fold, BodiesOfPartsMoveAndKeepTheirOwner) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(upload_created(kBucket, "k", id_of(1))));
  ASSERT_TRUE(world.fold(part(kBucket, "k", id_of(1), 1, 5, {extent(1, 0, 5)})));
  ASSERT_TRUE(world.fold(completed(kBucket, "k", id_of(1), {1}, 5)));
  EXPECT_TRUE(world.fold(moved(body_of(1, 0, 5), body_of(2, 32, 5), id_of(1))).value().existed);
  EXPECT_TRUE(world.view.extents_of(SetId{1}, {}, 10).value().empty());
  const auto extents = world.view.extents_of(SetId{2}, {}, 10).value();
  ASSERT_EQ(extents.size(), 1u);
  EXPECT_EQ(extents[0].owner.upload_id, id_of(1));
  EXPECT_EQ(extents[0].owner.part_number, 1u);
  EXPECT_EQ(world.view.body_of(extents[0].owner).value()->extents(0).offset(), 32u);
}

TEST(Fold, TheVoteForADeletionIsPartOfTheFold) {
  FoldWorld world;
  KvRows rows = world.rows();
  auto vote = [&] { return bucket_row(rows, kTestPartition, BucketId{kBucket}).value()->vote(); };
  ASSERT_TRUE(world.fold(control(kBucket, v1::BucketEffect::CREATED, kBucket)));
  ASSERT_TRUE(world.fold(put(kBucket, "k", 1)));
  ASSERT_TRUE(world.fold(control(600, v1::BucketEffect::DELETING, kBucket, 600)));
  EXPECT_EQ(vote(), v1::BucketRow::NO);
  ASSERT_TRUE(world.fold(control(601, v1::BucketEffect::ABANDONED, kBucket, 600)));
  EXPECT_EQ(vote(), v1::BucketRow::NONE);

  ASSERT_TRUE(world.fold(deleted(kBucket, "k")));
  ASSERT_TRUE(world.fold(upload_created(kBucket, "k", id_of(1))));
  ASSERT_TRUE(world.fold(control(700, v1::BucketEffect::DELETING, kBucket, 700)));
  EXPECT_EQ(vote(), v1::BucketRow::NO) << "an open upload keeps its bucket";
  ASSERT_TRUE(world.fold(control(701, v1::BucketEffect::ABANDONED, kBucket, 700)));

  ASSERT_TRUE(world.fold(aborted(kBucket, "k", id_of(1))));
  ASSERT_TRUE(world.fold(control(800, v1::BucketEffect::DELETING, kBucket, 800)));
  EXPECT_EQ(vote(), v1::BucketRow::YES);
  EXPECT_FALSE(world.fold(control(801, v1::BucketEffect::DELETED, kBucket, 700)));
  ASSERT_TRUE(world.fold(control(802, v1::BucketEffect::DELETED, kBucket, 800)));
  EXPECT_EQ(bucket_row(rows, kTestPartition, BucketId{kBucket}).value(), std::nullopt);
  EXPECT_EQ(control_position(rows, kTestPartition).value(), Offset{802});
  EXPECT_FALSE(world.fold(control(802, v1::BucketEffect::CREATED, 802))) << "applied twice";
}

TEST(Fold, WhatCannotApplyStopsThePartition) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put(kBucket, "k", 10, {extent(1, 0, 10)})));
  const auto before = dump(world.kv);
  auto code = [&](const v1::Event& event) { return world.fold(event).error().code; };
  EXPECT_EQ(code(v1::Event()), Errc::unsupported);
  EXPECT_EQ(code(deleted(kBucket, "other")), Errc::corrupt);
  EXPECT_EQ(code(put(kBucket, "other", 1, {extent(1, 0, 10)})), Errc::corrupt) << "owned already";
  EXPECT_EQ(code(part(kBucket, "m", id_of(1), 1, 5)), Errc::corrupt);
  EXPECT_EQ(code(completed(kBucket, "m", id_of(1), {1}, 5)), Errc::corrupt);
  EXPECT_EQ(code(aborted(kBucket, "m", id_of(1))), Errc::corrupt);
  EXPECT_EQ(code(control(9, v1::BucketEffect::DELETED, kBucket, 3)), Errc::corrupt);
  v1::Event versioned = put(kBucket, "k", 1);
  versioned.mutable_put_committed()->mutable_version()->set_version_id(id_of(1));
  EXPECT_EQ(code(versioned), Errc::unsupported);
  v1::Event of_control;
  of_control.mutable_set_dropped()->set_set(1);
  EXPECT_EQ(code(of_control), Errc::corrupt);
  EXPECT_EQ(dump(world.kv), before);
}

TEST(Fold, AnEventOfANewerBuildIsRefusedAndNeverSkipped) {
  // Field 31 of the oneof, as a later schema would have it: tag (31 << 3 | 2), empty message.
  EXPECT_EQ(parse_event(std::string("\xfa\x01\x00", 3)).error().code, Errc::unsupported);
  EXPECT_EQ(parse_event("").error().code, Errc::unsupported);
  EXPECT_EQ(parse_event("\x0a\xff").error().code, Errc::corrupt);
  EXPECT_TRUE(parse_event(put(1, "k", 1).SerializeAsString()));
}

TEST(Fold, HeadsAndVoidedProcessesAreRows) {
  FoldWorld world;
  KvRows below = world.rows();
  Overlay rows(below);
  EXPECT_EQ(partition_head(rows, kTestPartition).value(), journal::PartitionHead());
  journal::PartitionHead head;
  head.epoch = Epoch{7};
  head.writer = uuid_from<WriterId>(id_of(9));
  head.next_seq = 42;
  head.dead = false;
  head.lease_ms = 1;
  head.opened = true;
  head.wait_ms = 2;
  head.visible = Offset{3};
  put_partition_head(rows, kTestPartition, head);
  EXPECT_EQ(partition_head(rows, kTestPartition).value(), head);
  EXPECT_EQ(partition_head(rows, kControlPartition).value(), journal::PartitionHead());

  v1::Event voided;
  voided.mutable_reservations_voided()->set_incarnation(id_of(5));
  EXPECT_FALSE(is_voided(rows, kTestPartition, id_of(5)).value());
  ASSERT_TRUE(world.fold(voided));
  EXPECT_TRUE(is_voided(rows, kTestPartition, id_of(5)).value());
  EXPECT_FALSE(is_voided(rows, kTestPartition, id_of(6)).value());
}

}  // namespace
}  // namespace kura
