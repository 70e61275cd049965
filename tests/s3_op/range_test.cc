#include "s3/op/range.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "s3/op/source_object.h"

namespace kura::s3 {
namespace {

using Kind = RangeChoice::Kind;

void expect_part(std::string_view header, uint64_t size, uint64_t offset, uint64_t length) {
  RangeChoice choice = choose_range(header, size);
  EXPECT_EQ(choice.kind, Kind::part) << header;
  EXPECT_EQ(choice.range.offset_bytes, offset) << header;
  EXPECT_EQ(choice.range.length_bytes, length) << header;
}

TEST(Range, TakesWhatTheHeaderNames) {
  expect_part("bytes=0-0", 10, 0, 1);
  expect_part("bytes=2-5", 10, 2, 4);
  expect_part("bytes=2-", 10, 2, 8);
  expect_part("bytes=2-900", 10, 2, 8);
  expect_part("bytes=-3", 10, 7, 3);
  expect_part("bytes=-30", 10, 0, 10);
  expect_part("Bytes = 9-9", 10, 9, 1);
  expect_part("bytes=0-18446744073709551616", 10, 0, 10);
}

TEST(Range, BehindTheEndIsUnsatisfiable) {
  for (const char* header : {"bytes=10-", "bytes=10-12", "bytes=-0", "bytes=99999999999999999999-"})
    EXPECT_EQ(choose_range(header, 10).kind, Kind::unsatisfiable) << header;
  for (const char* header : {"bytes=0-", "bytes=0-5", "bytes=-5"})
    EXPECT_EQ(choose_range(header, 0).kind, Kind::unsatisfiable) << header;
}

TEST(Range, IgnoresWhatIsNotOneByteRange) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b",
                             "items=0-1", "bytes=0-1,3-4", "bytes=1", "bytes=--1", "bytes=0x1-2"}) {
    RangeChoice choice = choose_range(header, 10);
    EXPECT_EQ(choice.kind, Kind::whole) << header;
    EXPECT_EQ(choice.range.length_bytes, 10u) << header;
  }
}

TEST(Range, NeverLeavesTheObject) {
  rc::check([] {
    uint64_t size = *rc::gen::inRange<uint64_t>(0, 40);
    std::string header = "bytes=" + *rc::gen::container<std::string>(
                                        rc::gen::elementOf(std::string("0123456789-, ")));
    RangeChoice choice = choose_range(header, size);
    if (choice.kind == Kind::unsatisfiable) return;
    RC_ASSERT(choice.range.offset_bytes + choice.range.length_bytes <= size);
    RC_ASSERT(choice.kind == Kind::whole || choice.range.length_bytes > 0);
  });
}

TEST(SourceRange, IsStrict) {
  auto range = parse_source_range("bytes=2-5", 10);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->offset_bytes, 2u);
  EXPECT_EQ(range->length_bytes, 4u);
  for (const char* text : {"", "bytes=2-", "bytes=-5", "2-5", "bytes=5-2", "bytes=2-10",
                           "bytes=x-5", "bytes=0-5,7-8"}) {
    auto refused = parse_source_range(text, 10);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, "InvalidArgument") << text;
  }
}

}  // namespace
}  // namespace kura::s3
