#include "s3/codec/time.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura::s3 {
namespace {

constexpr int64_t kRfcExample = 784111777000;  // RFC 9110, 5.6.7

TEST(Time, ReadsTheThreeFormsOfHttp) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), kRfcExample);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), kRfcExample);
}

TEST(Time, WritesItsOwnForms) {
  EXPECT_EQ(http_date(kRfcExample), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(iso8601(kRfcExample + 5), "1994-11-06T08:49:37.005Z");
  EXPECT_EQ(amz_date(kRfcExample), "19941106T084937Z");
}

TEST(Time, Iso8601WithOffsetsAndFractions) {
  EXPECT_EQ(parse_iso8601("1994-11-06T08:49:37Z"), kRfcExample);
  EXPECT_EQ(parse_iso8601("1994-11-06T08:49:37.5Z"), kRfcExample + 500);
  EXPECT_EQ(parse_iso8601("1994-11-06T08:49:37.123456Z"), kRfcExample + 123);
  EXPECT_EQ(parse_iso8601("1994-11-06T10:49:37+02:00"), kRfcExample);
  EXPECT_EQ(parse_iso8601("1994-11-06T06:19:37-02:30"), kRfcExample);
}

TEST(Time, RefusesImpossibleDates) {
  for (const char* bad :
       {"Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37 PST", "Sun, 06 Nov 1994 08:49:37 GMT ", ""})
    EXPECT_FALSE(parse_http_date(bad)) << bad;
  for (const char* bad : {"20130524T000000", "20130524T0000000Z", "20131324T000000Z", "x", "",
                          "19691231T235959Z", "+0130524T000000Z"})
    EXPECT_FALSE(parse_amz_date(bad)) << bad;
  for (const char* bad :
       {"1994-11-06", "1994-11-06T08:49:37", "1994-11-06T08:49:37.Z", "1994-11-06T08:49:37+99:00"})
    EXPECT_FALSE(parse_iso8601(bad)) << bad;
}

TEST(Time, EverySecondSurvivesEveryForm) {
  EXPECT_TRUE(rc::check([] {
    const int64_t seconds = *rc::gen::inRange<int64_t>(0, 253402300799);  // The end of 9999.
    const int64_t ms = seconds * 1000;
    RC_ASSERT(parse_http_date(http_date(ms)) == ms);
    RC_ASSERT(parse_iso8601(iso8601(ms + 7)) == ms + 7);
    RC_ASSERT(parse_amz_date(amz_date(ms)) == ms);
  }));
}

}  // namespace
}  // namespace kura::s3
