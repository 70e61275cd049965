#include "s3/codec/encoding.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura::s3 {
namespace {

TEST(Encoding, Base64OfTheRfc) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
}

TEST(Encoding, Base64RefusesWhatIsNotCanonical) {
  for (const char* bad :
       {"Zg=", "Zg", "Zg==\n", "Z===", "====", "Zh==", "Zm9=", "Z=g=", "Zg==Zg==", "Zm-v", "=Zg="})
    EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Encoding, RoundTrips) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
    RC_ASSERT(hex_decode(hex_encode(bytes)) == bytes);
  }));
}

TEST(Encoding, DecimalsAreDigitsOnly) {
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1,1", "0x1", "18446744073709551616", "1e3"})
    EXPECT_FALSE(parse_decimal(bad)) << bad;
}

TEST(Encoding, FieldValues) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a b\tc ~\x80\xff"));
  for (char c : std::string("\0\x01\n\r\x1f\x7f", 6))
    EXPECT_FALSE(is_field_value(std::string("a") + c + "b")) << int{c};
}

}  // namespace
}  // namespace kura::s3
