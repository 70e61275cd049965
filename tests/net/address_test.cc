#include "net/address.h"

#include <gtest/gtest.h>

namespace kura {
namespace {

TEST(Address, Parses) {
  EXPECT_EQ(parse_address("127.0.0.1:9000").value(), (Address{"127.0.0.1", 9000}));
  EXPECT_EQ(parse_address("[::1]:9000").value(), (Address{"::1", 9000}));
  EXPECT_EQ(parse_address("[fe80::1%eth0]:80").value(), (Address{"fe80::1%eth0", 80}));
  EXPECT_EQ(parse_address(":9000").value(), (Address{"", 9000}));
  EXPECT_EQ(parse_address("s3.example.org:0").value(), (Address{"s3.example.org", 0}));
  EXPECT_EQ(parse_address("h:65535").value().port, 65535);
}

TEST(Address, Refuses) {
  for (const char* text :
       {"", "9000", "host", "host:", "host:x", "host:-1", "host:65536", "::1:9000", "[::1]", "[]:1",
        "[1.2.3.4]:1", "a b:1", "a/b:1", "host:1 ", "[::1:9000"}) {
    Result<Address> address = parse_address(text);
    EXPECT_FALSE(address) << text;
    if (!address) {
      EXPECT_EQ(address.error().code, Errc::invalid_argument);
    }
  }
}

TEST(Address, RoundTrips) {
  for (const char* text : {"127.0.0.1:9000", "[::1]:9000", ":80", "localhost:1"})
    EXPECT_EQ(to_string(parse_address(text).value()), text);
}

}  // namespace
}  // namespace kura
