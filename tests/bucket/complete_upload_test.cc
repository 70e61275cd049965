#include <gtest/gtest.h>

#include <algorithm>

#include "base/crc32c.h"
#include "tests/bucket/rules_world.h"

namespace kura {
namespace {

const std::string kId = id_of(1);

// An upload of "k" with parts 1 'a', 2 'b', 5 'c' of 100 bytes each.
struct Uploads : ::testing::Test {
  Uploads() {
    world.stamp.part_bytes_min = 100;
    CreateUpload create = upload_of(kId);
    create.upload.mutable_info()->set_storage_class(v1::REDUCED_REDUNDANCY);
    EXPECT_TRUE(world.run("k", create));
    EXPECT_TRUE(world.run("k", part_of(kId, 5, 'c', 7)));
    EXPECT_TRUE(world.run("k", part_of(kId, 1, 'a')));
    EXPECT_TRUE(world.run("k", part_of(kId, 2, 'b')));
  }
  RulesWorld world;
};

TEST_F(Uploads, CompleteBecomesTheCurrentVersion) {
  const Outcome outcome = world.run("k", complete_of(kId, {{1, 'a'}, {5, 'c'}})).value();
  // hashlib.md5(b"a" * 16 + b"c" * 16)
  EXPECT_EQ(outcome.etag, "b8213b6bf4dffc432eaff5d2256fcc28-2");
  EXPECT_EQ(outcome.size_bytes, 107u);
  const v1::ObjectVersion version = *world.current("k");
  EXPECT_EQ(version.part_count(), 2u);
  EXPECT_EQ(version.stored_bytes(), 109u);
  EXPECT_EQ(version.upload_id(), kId);
  EXPECT_EQ(version.info().storage_class(), v1::REDUCED_REDUNDANCY);
  EXPECT_EQ(version.modified_at_ms(), world.stamp.now_ms);
  EXPECT_EQ(version.body().extents_size(), 0);
  std::vector<uint32_t> numbers;
  const PartPage page = world.view.parts(kId, 0, 10).value();
  for (const v1::Part& p : page.parts) numbers.push_back(p.number());
  EXPECT_EQ(numbers, (std::vector<uint32_t>{1, 5})) << "part 2 is gone";
  EXPECT_EQ(world.view.upload(kB, "k", kId).value(), std::nullopt);
}

TEST_F(Uploads, ARepeatedCompleteAnswersTheSame) {
  CompleteUpload complete = complete_of(kId, {{1, 'a'}, {5, 'c'}});
  complete.conditions.if_none_match_any = true;
  const Outcome first = world.run("k", complete).value();
  world.stamp.now_ms += 1000;
  const Outcome again = world.run("k", complete).value();
  EXPECT_EQ(world.last.event.event_case(), v1::Event::EVENT_NOT_SET);
  EXPECT_EQ(again.etag, first.etag);
  EXPECT_EQ(again.size_bytes, first.size_bytes);
  EXPECT_EQ(again.modified_at_ms, first.modified_at_ms);
  EXPECT_EQ(again.offset, first.offset);
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'a'}})), refused(Errc::invalid_part));
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'x'}, {5, 'c'}})), refused(Errc::invalid_part));
  ASSERT_TRUE(world.run("k", put_of('z')));
  EXPECT_EQ(world.code("k", complete), refused(Errc::no_such_upload));
}

TEST_F(Uploads, PartsMustBeThereAsListedAndInOrder) {
  auto code = [&](std::vector<std::pair<uint32_t, char>> parts) {
    return world.code("k", complete_of(kId, parts));
  };
  EXPECT_EQ(code({}), refused(Errc::invalid_argument));
  EXPECT_EQ(code({{2, 'b'}, {1, 'a'}}), refused(Errc::invalid_part_order));
  EXPECT_EQ(code({{1, 'a'}, {1, 'a'}}), refused(Errc::invalid_part_order));
  EXPECT_EQ(code({{1, 'a'}, {3, 'b'}}), refused(Errc::invalid_part));
  EXPECT_EQ(code({{1, 'a'}, {2, 'x'}}), refused(Errc::invalid_part));
  EXPECT_EQ(code({{0, 'a'}}), refused(Errc::invalid_part));
  EXPECT_EQ(code({{1, 'a'}, {2, 'b'}, {5, 'c'}}), "ok");
}

TEST_F(Uploads, AllButTheLastPartHaveALeastSize) {
  world.stamp.part_bytes_min = 101;
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'a'}, {5, 'c'}})),
            refused(Errc::entity_too_small));
  world.stamp.part_bytes_min = 100;
  ASSERT_TRUE(world.run("k", part_of(kId, 6, 'd')));
  EXPECT_EQ(world.code("k", complete_of(kId, {{5, 'c'}, {6, 'd'}})),
            refused(Errc::entity_too_small));
  EXPECT_EQ(world.code("k", complete_of(kId, {{5, 'c'}})), "ok") << "the only part is the last";
}

TEST_F(Uploads, APartReplacesTheOneOfItsNumber) {
  EXPECT_TRUE(world.run("k", part_of(kId, 1, 'q')).value().existed);
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'a'}})), refused(Errc::invalid_part));
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'q'}})), "ok");
}

TEST_F(Uploads, PartNumbersHaveARange) {
  EXPECT_EQ(world.code("k", part_of(kId, 0, 'a')), refused(Errc::invalid_argument));
  EXPECT_EQ(world.code("k", part_of(kId, 10001, 'a')), refused(Errc::invalid_argument));
  EXPECT_EQ(world.code("k", part_of(kId, 10000, 'a')), "ok");
}

TEST_F(Uploads, AnUploadBelongsToItsKeyAndEnds) {
  EXPECT_EQ(world.code("other", part_of(kId, 1, 'a')), refused(Errc::no_such_upload));
  EXPECT_EQ(world.code("other", complete_of(kId, {{1, 'a'}})), refused(Errc::no_such_upload));
  EXPECT_EQ(world.code("other", AbortUpload{kId}), refused(Errc::no_such_upload));
  EXPECT_EQ(world.code("k", upload_of(kId)), refused(Errc::exists));
  EXPECT_EQ(world.code("k", AbortUpload{kId}), "ok");
  EXPECT_EQ(world.code("k", AbortUpload{kId}), refused(Errc::no_such_upload));
  EXPECT_EQ(world.code("k", part_of(kId, 1, 'a')), refused(Errc::no_such_upload));
  EXPECT_EQ(world.code("k", complete_of(kId, {{1, 'a'}})), refused(Errc::no_such_upload));
  EXPECT_EQ(world.view.counters(kB).value().uploads, 0u);
}

TEST_F(Uploads, IdsFromClientsMayHaveAnyLength) {
  ASSERT_TRUE(world.run("plain", put_of('z')));
  for (const std::string& bad : {std::string(), std::string("x"), std::string(17, 'u')}) {
    EXPECT_EQ(world.code("plain", complete_of(bad, {{1, 'a'}})), refused(Errc::no_such_upload));
    EXPECT_EQ(world.code("plain", part_of(bad, 1, 'a')), refused(Errc::no_such_upload));
    EXPECT_EQ(world.code("plain", AbortUpload{bad}), refused(Errc::no_such_upload));
  }
}

TEST_F(Uploads, ConditionsAreThoseOfAPut) {
  ASSERT_TRUE(world.run("k", put_of('z')));
  CompleteUpload complete = complete_of(kId, {{1, 'a'}});
  complete.conditions.if_none_match_any = true;
  EXPECT_EQ(world.code("k", complete), refused(Errc::precondition_failed));
  complete.conditions.if_none_match_any = false;
  complete.conditions.if_match_etag = "7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a";
  EXPECT_EQ(world.code("k", complete), "ok");
}

// Those of the beginning hold until the end, for clients that have no way to state them there.
TEST_F(Uploads, ConditionsOfTheBeginningAreJudgedAgain) {
  const auto begin = [&](uint32_t n, auto set) {
    CreateUpload create = upload_of(id_of(n));
    set(create.conditions);
    EXPECT_EQ(world.code("k", create), "ok");
    EXPECT_EQ(world.code("k", part_of(id_of(n), 1, 'a')), "ok");
  };
  const auto complete = [&](uint32_t n) {
    return world.code("k", complete_of(id_of(n), {{1, 'a'}}));
  };
  for (uint32_t racer : {2, 3}) {
    begin(racer, [](WriteConditions& conditions) { conditions.if_none_match_any = true; });
  }
  EXPECT_EQ(complete(2), "ok");
  const std::string etag = world.run("k", complete_of(id_of(2), {{1, 'a'}})).value().etag;
  EXPECT_EQ(complete(3), refused(Errc::precondition_failed));
  for (uint32_t racer : {4, 5}) {
    begin(racer, [&](WriteConditions& conditions) { conditions.if_match_etag = etag; });
  }
  EXPECT_EQ(world.code("k", part_of(id_of(5), 1, 'b')), "ok");
  EXPECT_EQ(world.code("k", complete_of(id_of(5), {{1, 'b'}})), "ok");
  EXPECT_EQ(complete(4), refused(Errc::precondition_failed));
  EXPECT_EQ(world.code("k", DeleteObject{}), "ok");
  EXPECT_EQ(complete(4), refused(Errc::no_such_key));
  EXPECT_EQ(complete(3), "ok") << "a refused upload stays";
}

TEST_F(Uploads, TheSizeMayBeStated) {
  CompleteUpload complete = complete_of(kId, {{1, 'a'}, {5, 'c'}});
  complete.expected_size = 108;
  EXPECT_EQ(world.code("k", complete), refused(Errc::invalid_argument));
  complete.expected_size = 107;
  EXPECT_EQ(world.code("k", complete), "ok");
}

std::string be32(uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
          static_cast<char>(v)};
}

v1::Checksum crc32c_of(const std::string& value, v1::Checksum::Type type) {
  v1::Checksum out;
  out.set_algorithm(v1::Checksum::CRC32C);
  out.set_type(type);
  out.set_value(value);
  return out;
}

// Two parts, "hello" and "world", of an upload with CRC32C checksums of the given type.
struct ChecksumWorld : RulesWorld {
  explicit ChecksumWorld(v1::Checksum::Algorithm algorithm, v1::Checksum::Type type) {
    stamp.part_bytes_min = 1;
    CreateUpload create = upload_of(kId);
    create.upload.set_checksum_algorithm(algorithm);
    create.upload.set_checksum_type(type);
    EXPECT_TRUE(run("k", create));
    EXPECT_TRUE(run("k", part(1, "hello")));
    EXPECT_TRUE(run("k", part(2, "world")));
  }
  static CommitPart part(uint32_t number, const std::string& body) {
    CommitPart out = part_of(kId, number, body[0], body.size());
    *out.part.mutable_checksum() = crc32c_of(be32(crc32c(body)), v1::Checksum::FULL_OBJECT);
    return out;
  }
  static CompleteUpload complete() { return complete_of(kId, {{1, 'h'}, {2, 'w'}}); }
  static std::string composite() {
    return be32(crc32c(be32(crc32c("hello")) + be32(crc32c("world"))));
  }
};

TEST(UploadChecksums, CompositeIsTheDigestOfThePartDigests) {
  ChecksumWorld world(v1::Checksum::CRC32C, v1::Checksum::TYPE_UNSPECIFIED);
  const Outcome outcome = world.run("k", world.complete()).value();
  EXPECT_EQ(outcome.checksum.value(), world.composite());
  EXPECT_EQ(outcome.checksum.type(), v1::Checksum::COMPOSITE);
  EXPECT_EQ(world.current("k")->checksum().value(), world.composite());
}

TEST(UploadChecksums, FullObjectIsThatOfTheWholeBody) {
  ChecksumWorld world(v1::Checksum::CRC32C, v1::Checksum::FULL_OBJECT);
  CompleteUpload complete = world.complete();
  complete.expected_checksum = crc32c_of(be32(crc32c("helloworld")), v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(world.run("k", complete).value().checksum.value(), be32(crc32c("helloworld")));
}

TEST(UploadChecksums, WhatTheClientExpectsMustHold) {
  ChecksumWorld world(v1::Checksum::CRC32C, v1::Checksum::FULL_OBJECT);
  CompleteUpload complete = world.complete();
  complete.expected_checksum = crc32c_of("wron", v1::Checksum::TYPE_UNSPECIFIED);
  EXPECT_EQ(world.code("k", complete), refused(Errc::bad_digest));
  complete.expected_checksum = crc32c_of(world.composite(), v1::Checksum::COMPOSITE);
  EXPECT_EQ(world.code("k", complete), refused(Errc::invalid_argument)) << "of another type";
  complete.expected_checksum->set_algorithm(v1::Checksum::SHA1);
  EXPECT_EQ(world.code("k", complete), refused(Errc::invalid_argument)) << "of another algorithm";
  complete.expected_checksum.reset();
  complete.parts[0].checksum = crc32c_of("wron", v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(world.code("k", complete), refused(Errc::invalid_part));
  complete.parts[0].checksum = crc32c_of(be32(crc32c("hello")), v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(world.code("k", complete), "ok");
}

TEST(UploadChecksums, EachPartBringsTheOneThatItsUploadAskedFor) {
  ChecksumWorld world(v1::Checksum::CRC32C, v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(world.code("k", part_of(kId, 3, 'x')), refused(Errc::invalid_argument));
}

TEST(UploadChecksums, AnUploadWithoutAnAlgorithmStillChecksWhatIsExpected) {
  ChecksumWorld world(v1::Checksum::NONE, v1::Checksum::TYPE_UNSPECIFIED);
  CompleteUpload complete = world.complete();
  complete.expected_checksum = crc32c_of(be32(crc32c("helloworlD")), v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(world.code("k", complete), refused(Errc::bad_digest));
  complete.expected_checksum->set_value(be32(crc32c("helloworld")));
  EXPECT_EQ(world.code("k", complete), "ok");
  EXPECT_EQ(world.current("k")->checksum().value(), be32(crc32c("helloworld")));
  ChecksumWorld without(v1::Checksum::NONE, v1::Checksum::TYPE_UNSPECIFIED);
  EXPECT_EQ(without.run("k", without.complete()).value().checksum.algorithm(), v1::Checksum::NONE);
}

TEST(Uploads10000, CompleteFitsIntoARecord) {
  RulesWorld world;
  world.stamp.part_bytes_min = 1;
  ASSERT_TRUE(world.run("k", upload_of(kId)));
  CompleteUpload complete;
  complete.upload_id = kId;
  for (uint32_t number = 1; number <= kPartNumberMax; ++number) {
    ASSERT_TRUE(world.run("k", part_of(kId, number, 'p')));
    complete.parts.push_back({number, std::string(16, 'p'), std::nullopt});
  }
  const Outcome outcome = world.run("k", complete).value();
  EXPECT_EQ(outcome.size_bytes, 1'000'000u);
  EXPECT_TRUE(outcome.etag.ends_with("-10000"));
  ASSERT_TRUE(world.run("k", DeleteObject{}));
  EXPECT_TRUE(world.view.parts(kId, 0, 10).value().parts.empty());
}

}  // namespace
}  // namespace kura
