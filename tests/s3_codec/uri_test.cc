#include "s3/codec/uri.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura::s3 {
namespace {

TEST(Uri, EncodesExactlyWhatS3DoesNotReserve) {
  EXPECT_EQ(percent_encode("AZaz09-._~", false), "AZaz09-._~");
  EXPECT_EQ(percent_encode("a b+c/d*'()!$&=", false), "a%20b%2Bc%2Fd%2A%27%28%29%21%24%26%3D");
  EXPECT_EQ(percent_encode("a/b c", true), "a/b%20c");
  EXPECT_EQ(percent_encode(std::string("\0\xff", 2), true), "%00%FF");
}

TEST(Uri, DecodesPlusOnlyInQueries) {
  EXPECT_EQ(percent_decode("a+b%2B", false), "a+b+");
  EXPECT_EQ(percent_decode("a+b%2b", true), "a b+");
}

TEST(Uri, RefusesHalfEscapes) {
  for (const char* bad : {"%", "%4", "a%zz", "%4g", "%%41", "x%"})
    EXPECT_FALSE(percent_decode(bad, false)) << bad;
  EXPECT_EQ(parse_query("a=%4").error().code, "InvalidURI");
}

TEST(Uri, AnyBytesSurviveARoundTrip) {
  EXPECT_TRUE(rc::check([](const std::string& bytes, bool keep_slash, bool plus) {
    RC_ASSERT(percent_decode(percent_encode(bytes, keep_slash), plus) == bytes);
  }));
}

TEST(Uri, QueryKeepsOrderDoublesAndEmptyValues) {
  const QueryParams expected = {{"uploads", ""}, {"prefix", "a b"}, {"p", "1=2"}, {"p", ""}};
  EXPECT_EQ(parse_query("uploads&prefix=a+b&&p=1=2&p=").value(), expected);
  EXPECT_TRUE(parse_query("").value().empty());
}

TEST(Uri, Utf8IsStrict) {
  for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
                           "\xf4\x8f\xbf\xbf", "\xee\x80\x80"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xe2\x28\xa1"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(Uri, WhatIsNotUtf8IsReplaced) {
  EXPECT_EQ(with_utf8_only(""), "");
  EXPECT_EQ(with_utf8_only("a\xc3\xa9\xf0\x9f\x98\x80"), "a\xc3\xa9\xf0\x9f\x98\x80");
  EXPECT_EQ(with_utf8_only("\xff<a>\xe2\x82</a>"), "\xef\xbf\xbd<a>\xef\xbf\xbd\xef\xbf\xbd</a>");
}

TEST(Uri, LogsHoldNoSignature) {
  const std::string redacted = redact_query(
      "X-Amz-Signature=abc&prefix=p&X-Amz%2DSignature=def&X-Amz-Security-Token=ghi&uploads&"
      "Signature=jkl&X-Amz-Credential=mno");
  EXPECT_EQ(redacted,
            "X-Amz-Signature=REDACTED&prefix=p&X-Amz%2DSignature=REDACTED&"
            "X-Amz-Security-Token=REDACTED&uploads&Signature=REDACTED&X-Amz-Credential=REDACTED");
}

}  // namespace
}  // namespace kura::s3
