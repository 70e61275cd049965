#include "s3/op/conditions.h"

#include <gtest/gtest.h>

#include "s3/op/etag.h"

namespace kura::s3 {
namespace {

constexpr const char* kBefore = "Thu, 01 Jan 2026 00:00:00 GMT";
constexpr const char* kSame = "Thu, 01 Jan 2026 00:00:10 GMT";
constexpr const char* kAfter = "Thu, 01 Jan 2026 00:00:20 GMT";
constexpr int64_t kModifiedMs = 1'767'225'610'500;  // Half a second behind kSame.
constexpr const char* kEtag = "00112233445566778899aabbccddeeff";

Verdict judge_with(std::vector<Headers::Field> fields, const char* prefix = "") {
  Headers headers;
  for (auto& [name, value] : fields) headers.add(name, value);
  return judge(read_conditions(headers, prefix), kEtag, kModifiedMs);
}

TEST(ReadConditions, EachAlone) {
  EXPECT_EQ(judge_with({}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", quoted(kEtag)}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", kEtag}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", "*"}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", "\"other\", " + quoted(kEtag)}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", "\"other\""}}), Verdict::failed);
  EXPECT_EQ(judge_with({{"if-none-match", quoted(kEtag)}}), Verdict::not_modified);
  EXPECT_EQ(judge_with({{"if-none-match", "*"}}), Verdict::not_modified);
  EXPECT_EQ(judge_with({{"if-none-match", "\"other\""}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-modified-since", kBefore}}), Verdict::proceed);
  // Dates have whole seconds: the half is no modification since.
  EXPECT_EQ(judge_with({{"if-modified-since", kSame}}), Verdict::not_modified);
  EXPECT_EQ(judge_with({{"if-modified-since", kAfter}}), Verdict::not_modified);
  EXPECT_EQ(judge_with({{"if-unmodified-since", kBefore}}), Verdict::failed);
  EXPECT_EQ(judge_with({{"if-unmodified-since", kSame}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-unmodified-since", "yesterday"}}), Verdict::proceed);
}

TEST(ReadConditions, Precedence) {
  EXPECT_EQ(judge_with({{"if-match", kEtag}, {"if-unmodified-since", kBefore}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-match", "no"}, {"if-unmodified-since", kAfter}}), Verdict::failed);
  EXPECT_EQ(judge_with({{"if-none-match", "no"}, {"if-modified-since", kAfter}}), Verdict::proceed);
  EXPECT_EQ(judge_with({{"if-none-match", kEtag}, {"if-modified-since", kBefore}}),
            Verdict::not_modified);
  EXPECT_EQ(judge_with({{"if-match", "no"}, {"if-none-match", kEtag}}), Verdict::failed);
}

TEST(IfRange, StrongEtagOrTheSameDate) {
  auto counts = [](std::vector<std::string> values) {
    Headers headers;
    for (std::string& value : values) headers.add("if-range", std::move(value));
    return range_counts(headers, kEtag, kModifiedMs);
  };
  EXPECT_TRUE(counts({}));
  EXPECT_TRUE(counts({quoted(kEtag)}));
  EXPECT_TRUE(counts({kSame}));
  EXPECT_TRUE(counts({"Thursday, 01-Jan-26 00:00:10 GMT"}));
  for (std::string other : {kBefore, kAfter, kEtag, "", "*", "\"", "yesterday", "\"other\""})
    EXPECT_FALSE(counts({other})) << other;
  EXPECT_FALSE(counts({"W/" + quoted(kEtag)}));
  EXPECT_FALSE(counts({quoted(kEtag) + ", \"other\""})) << "a list is no validator";
  EXPECT_FALSE(counts({quoted(kEtag), quoted(kEtag)}));
}

TEST(ReadConditions, OfACopySource) {
  EXPECT_EQ(judge_with({{"x-amz-copy-source-if-match", "no"}}, "x-amz-copy-source-"),
            Verdict::failed);
  EXPECT_EQ(judge_with({{"if-match", "no"}}, "x-amz-copy-source-"), Verdict::proceed);
}

TEST(WriteConditionsOf, Headers) {
  Headers headers;
  headers.add("if-none-match", "*");
  auto conditions = write_conditions(headers);
  ASSERT_TRUE(conditions);
  EXPECT_TRUE(conditions->if_none_match_any);

  Headers with_etag;
  with_etag.add("if-match", quoted(kEtag));
  conditions = write_conditions(with_etag);
  ASSERT_TRUE(conditions);
  EXPECT_EQ(conditions->if_match_etag, kEtag);

  Headers none_match_etag;
  none_match_etag.add("if-none-match", quoted(kEtag));
  conditions = write_conditions(none_match_etag);
  ASSERT_FALSE(conditions);
  EXPECT_EQ(conditions.error().code, "NotImplemented");
}

TEST(DeleteConditionsOf, Headers) {
  Headers headers;
  headers.add("if-match", "*");
  headers.add("x-amz-if-match-size", "12");
  headers.add("x-amz-if-match-last-modified-time", kSame);
  auto conditions = delete_conditions(headers);
  ASSERT_TRUE(conditions);
  EXPECT_EQ(conditions->if_match_etag, "*");
  EXPECT_EQ(conditions->if_match_size, 12u);
  EXPECT_EQ(conditions->if_match_modified_ms, kModifiedMs - 500);

  for (auto [name, value] : {std::pair{"x-amz-if-match-size", "many"},
                             std::pair{"x-amz-if-match-last-modified-time", "never"}}) {
    Headers bad;
    bad.add(name, value);
    auto refused = delete_conditions(bad);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, "InvalidArgument");
  }
}

TEST(Etag, OfVersions) {
  v1::ObjectVersion version;
  version.set_etag(
      std::string("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16));
  EXPECT_EQ(etag_of(version), kEtag);
  version.set_part_count(12);
  EXPECT_EQ(etag_of(version), std::string(kEtag) + "-12");
  EXPECT_EQ(md5_from_etag(quoted(kEtag)), version.etag());
  EXPECT_EQ(md5_from_etag("W/" + quoted(kEtag)), version.etag());
  EXPECT_FALSE(md5_from_etag(std::string(kEtag) + "-12"));
  EXPECT_FALSE(md5_from_etag("zz112233445566778899aabbccddeeff"));
}

}  // namespace
}  // namespace kura::s3
