#include "actors/bucket/decide.h"

#include <gtest/gtest.h>

#include "actors/bucket/bucket_writer.h"
#include "base/crc32c.h"
#include "tests/bucket/rules_world.h"

namespace kura {
namespace {

const std::string kEtagA = "61616161616161616161616161616161";

TEST(CommitPut, BecomesTheCurrentVersionWithTheStampsTime) {
  RulesWorld world;
  const Outcome outcome = world.run("k", put_of('a')).value();
  EXPECT_FALSE(outcome.existed);
  EXPECT_EQ(outcome.etag, kEtagA);
  EXPECT_EQ(outcome.modified_at_ms, 1'700'000'000'000);
  EXPECT_EQ(world.current("k")->modified_at_ms(), 1'700'000'000'000);
  EXPECT_TRUE(world.run("k", put_of('b')).value().existed);
}

TEST(CommitPut, AnInlineBodyTravelsInTheRecord) {
  RulesWorld world;
  CommitPut put = put_of('a', 5);
  put.inline_body = "hello";
  ASSERT_TRUE(world.run("k", put));
  EXPECT_EQ(world.last.body, "hello");
  const v1::JournalBody body = world.current("k")->body().journal();
  EXPECT_EQ(body.length(), 5u);
  EXPECT_EQ(body.crc32c(), crc32c("hello"));
  EXPECT_EQ(body.offset(), world.offset);
  put.inline_body = "";
  ASSERT_TRUE(world.run("empty", put));
  EXPECT_FALSE(world.current("empty")->body().has_journal());
}

TEST(CommitPut, ClientsDoNotChooseVersionIdOrSequence) {
  RulesWorld world;
  CommitPut put = put_of('a');
  put.version.set_version_id(id_of(7));
  put.version.set_sequence(7);
  ASSERT_TRUE(world.run("k", put));
  EXPECT_EQ(world.current("k")->version_id(), "");
  EXPECT_EQ(world.current("k")->sequence(), world.offset);
}

TEST(CommitPut, IfNoneMatchHasOneWinner) {
  RulesWorld world;
  CommitPut put = put_of('a');
  put.conditions.if_none_match_any = true;
  EXPECT_EQ(world.code("k", put), "ok");
  EXPECT_EQ(world.code("k", put), refused(Errc::precondition_failed));
  ASSERT_TRUE(world.run("k", DeleteObject{}));
  EXPECT_EQ(world.code("k", put), "ok");
}

TEST(CommitPut, IfMatchComparesTheEtagAsShown) {
  RulesWorld world;
  CommitPut put = put_of('b');
  put.conditions.if_match_etag = kEtagA;
  EXPECT_EQ(world.code("k", put), refused(Errc::no_such_key));
  put.conditions.if_match_etag = "*";
  EXPECT_EQ(world.code("k", put), refused(Errc::no_such_key));
  ASSERT_TRUE(world.run("k", put_of('a')));
  put.conditions.if_match_etag = kEtagA + "-1";
  EXPECT_EQ(world.code("k", put), refused(Errc::precondition_failed));
  put.conditions.if_match_etag = kEtagA;
  EXPECT_EQ(world.code("k", put), "ok");
  EXPECT_EQ(world.code("k", put), refused(Errc::precondition_failed)) << "compare and swap, once";
  put.conditions.if_match_etag = "*";
  EXPECT_EQ(world.code("k", put), "ok");
}

TEST(CommitPut, RefusesWhatFitsIntoNoRecordAndKeysOfAnotherLength) {
  RulesWorld world;
  CommitPut put = put_of('a');
  put.inline_body = std::string(kRecordMax, 'x');
  EXPECT_EQ(world.code("k", put), refused(Errc::too_large));
  EXPECT_EQ(world.code("", put_of('a')), refused(Errc::invalid_argument));
  EXPECT_EQ(world.code(std::string(1025, 'k'), put_of('a')), refused(Errc::invalid_argument));
  EXPECT_EQ(world.code(std::string(1024, '\0'), put_of('a')), "ok");
}

TEST(DeleteObject, SucceedsWithoutAnEventWhenThereIsNothing) {
  RulesWorld world;
  EXPECT_FALSE(world.run("k", DeleteObject{}).value().existed);
  EXPECT_EQ(world.last.event.event_case(), v1::Event::EVENT_NOT_SET);
  ASSERT_TRUE(world.run("k", put_of('a')));
  EXPECT_TRUE(world.run("k", DeleteObject{}).value().existed);
  EXPECT_EQ(world.current("k"), std::nullopt);
}

TEST(DeleteObject, NamesOneVersion) {
  RulesWorld world;
  ASSERT_TRUE(world.run("k", put_of('a')));
  const std::string hex(32, 'f');
  EXPECT_FALSE(world.run("k", DeleteObject{.version_id = hex}).value().existed);
  EXPECT_TRUE(world.current("k"));
  for (const std::string& bad :
       {std::string("f"), std::string(32, 'F'), std::string(32, 'g'), std::string()})
    EXPECT_EQ(world.code("k", DeleteObject{.version_id = bad}), refused(Errc::no_such_version))
        << bad;
  EXPECT_TRUE(world.run("k", DeleteObject{.version_id = "null"}).value().existed);
  EXPECT_EQ(world.current("k"), std::nullopt);
}

TEST(DeleteObject, ChecksEtagSizeAndTime) {
  RulesWorld world;
  auto with = [](auto set) {
    DeleteObject request;
    set(request.conditions);
    return request;
  };
  auto etag = [&](std::string value) { return with([&](auto& c) { c.if_match_etag = value; }); };
  auto size = [&](uint64_t value) { return with([&](auto& c) { c.if_match_size = value; }); };
  auto time = [&](int64_t value) { return with([&](auto& c) { c.if_match_modified_ms = value; }); };
  EXPECT_EQ(world.code("k", etag("*")), refused(Errc::no_such_key));
  EXPECT_EQ(world.code("k", size(3)), "ok") << "S3 API: 204 when there is no such key";
  EXPECT_EQ(world.code("k", time(3)), "ok");

  world.stamp.now_ms = 1'700'000'000'999;
  ASSERT_TRUE(world.run("k", put_of('a', 3)));
  EXPECT_EQ(world.code("k", etag("other")), refused(Errc::precondition_failed));
  EXPECT_EQ(world.code("k", size(4)), refused(Errc::precondition_failed));
  EXPECT_EQ(world.code("k", time(1'700'000'001'000)), refused(Errc::precondition_failed));
  EXPECT_EQ(world.code("k", time(1'699'999'999'999)), refused(Errc::precondition_failed));
  DeleteObject all = with([&](WriteConditions& c) {
    c.if_match_etag = kEtagA;
    c.if_match_size = 3;
    c.if_match_modified_ms = 1'700'000'000'000;  // To seconds.
  });
  EXPECT_EQ(world.code("k", all), "ok");
  EXPECT_EQ(world.current("k"), std::nullopt);
}

TEST(Buckets, AnUnknownBucketIsRefusedOnlyOnceControlIsApplied) {
  RulesWorld world;
  const BucketId later{world.control_pos + 50}, gone{world.control_pos - 1};
  EXPECT_EQ(world.code("k", put_of('a'), later), refused(Errc::unavailable));
  EXPECT_EQ(world.code("k", put_of('a'), gone), refused(Errc::no_such_bucket));
  EXPECT_EQ(world.code("k", DeleteObject{}, gone), refused(Errc::no_such_bucket));
  world.create_bucket(later);
  EXPECT_EQ(world.code("k", put_of('a'), later), "ok");
}

TEST(Buckets, AFrozenBucketAnswersNothing) {
  RulesWorld world;
  world.control(v1::BucketEffect::DELETING, kB, Offset{900});
  EXPECT_EQ(world.code("k", put_of('a')), refused(Errc::unavailable));
  EXPECT_EQ(world.code("k", DeleteObject{}), refused(Errc::unavailable));
  EXPECT_EQ(world.code("k", upload_of(id_of(1))), refused(Errc::unavailable));
  EXPECT_EQ(world.code("k", AbortUpload{id_of(1)}), refused(Errc::unavailable));
  world.control(v1::BucketEffect::ABANDONED, kB, Offset{900});
  EXPECT_EQ(world.code("k", put_of('a')), "ok");

  // Not empty: the vote is no, and work goes on.
  world.control(v1::BucketEffect::DELETING, kB, Offset{950});
  EXPECT_EQ(world.code("k", DeleteObject{}), "ok");
  world.control(v1::BucketEffect::ABANDONED, kB, Offset{950});
  world.control(v1::BucketEffect::DELETING, kB, Offset{990});
  world.control(v1::BucketEffect::DELETED, kB, Offset{990});
  EXPECT_EQ(world.code("k", put_of('a')), refused(Errc::no_such_bucket));
}

v1::Reservation reservation_of(uint32_t process) {
  v1::Reservation out;
  out.set_incarnation(id_of(process));
  out.set_id(1);
  return out;
}

TEST(Reservations, OfAFencedProcessCommitNothing) {
  RulesWorld world;
  v1::Event voided;
  voided.mutable_reservations_voided()->set_incarnation(id_of(8));
  ASSERT_TRUE(world.fold(voided));
  ASSERT_TRUE(world.run("k", upload_of(id_of(1))));
  for (uint32_t process : {8, 9}) {
    const std::string expected = process == 8 ? refused(Errc::unavailable) : "ok";
    CommitPut put = put_of('a');
    put.reservation = reservation_of(process);
    EXPECT_EQ(world.code("k", put), expected);
    CommitPart part = part_of(id_of(1), 1, 'a');
    part.reservation = reservation_of(process);
    EXPECT_EQ(world.code("k", part), expected);
  }
  EXPECT_EQ(world.last.event.part_committed().reservation().incarnation(), id_of(9));
}

v1::Body body_at(uint64_t offset) {
  v1::Body body;
  body.add_extents()->set_set(1);
  body.mutable_extents(0)->set_offset(offset);
  body.mutable_extents(0)->set_stored_bytes(3);
  return body;
}

v1::BodiesMoved_Move move_of(const std::string& key, const v1::Body& from, const v1::Body& to) {
  v1::BodiesMoved_Move move;
  move.set_bucket(kB.value);
  move.set_key(key);
  *move.mutable_from() = from;
  *move.mutable_to() = to;
  return move;
}

TEST(MoveBodies, DropsMovesOfBodiesThatAreElsewhere) {
  RulesWorld world;
  CommitPut put = put_of('a');
  *put.version.mutable_body() = body_at(0);
  ASSERT_TRUE(world.run("here", put));
  *put.version.mutable_body() = body_at(64);
  ASSERT_TRUE(world.run("replaced", put));
  *put.version.mutable_body() = body_at(128);
  ASSERT_TRUE(world.run("replaced", put));
  MoveBodies moves;
  moves.reservation = reservation_of(9);
  moves.moves = {move_of("here", body_at(0), body_at(1000)),
                 move_of("replaced", body_at(64), body_at(1064)),
                 move_of("never", body_at(192), body_at(1128))};
  ASSERT_TRUE(world.run("", moves));
  EXPECT_EQ(world.last.event.bodies_moved().moves_size(), 1);
  EXPECT_EQ(world.last.event.bodies_moved().reservation().incarnation(), id_of(9));
  EXPECT_EQ(world.current("here")->body().extents(0).offset(), 1000u);
  EXPECT_EQ(world.current("replaced")->body().extents(0).offset(), 128u);

  EXPECT_FALSE(world.run("", moves).value().existed) << "all are elsewhere by now";
  EXPECT_EQ(world.last.event.event_case(), v1::Event::EVENT_NOT_SET);
}

// Records of a key stay in the log of its partition: these numbers may never change.
TEST(PartitionOf, IsFixedForEver) {
  EXPECT_EQ(partition_of(BucketId{4096}, "").value, 15);
  EXPECT_EQ(partition_of(BucketId{4096}, "photos/cat.jpg").value, 11);
  EXPECT_EQ(partition_of(BucketId{4097}, "photos/cat.jpg").value, 3);
  EXPECT_EQ(partition_of(BucketId{1}, std::string(1024, 'k')).value, 4);
  std::vector<int> keys(kPartitions);
  for (int i = 0; i < 16000; ++i)
    ++keys[partition_of(BucketId{7}, "key" + std::to_string(i)).value];
  for (int count : keys) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace kura
