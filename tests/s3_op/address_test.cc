#include "s3/op/address.h"

#include <gtest/gtest.h>

namespace kura::s3 {
namespace {

S3Result<Address> address(std::string path, std::string host = "127.0.0.1:9000",
                          std::vector<std::string> domains = {}) {
  RequestHead head;
  head.method = "GET";
  head.path = std::move(path);
  head.headers.add("host", std::move(host));
  return address_of(head, domains);
}

void expect_address(const S3Result<Address>& got, Target target, std::string_view bucket,
                    std::string_view key) {
  ASSERT_TRUE(got) << got.error().code;
  EXPECT_EQ(got->target, target);
  EXPECT_EQ(got->bucket, bucket);
  EXPECT_EQ(got->key, key);
}

TEST(Address, PathStyle) {
  expect_address(address("/"), Target::service, "", "");
  expect_address(address("/b"), Target::bucket, "b", "");
  expect_address(address("/b/"), Target::bucket, "b", "");
  expect_address(address("/b/k"), Target::object, "b", "k");
  expect_address(address("/b//k//"), Target::object, "b", "/k//");
  expect_address(address("/b/a%20b+c%2Fd"), Target::object, "b", "a b+c/d");
  expect_address(address("/b/../x"), Target::object, "b", "../x");
  expect_address(address("/b/%C3%A4"), Target::object, "b", "\xc3\xa4");
  expect_address(address("/b/\xc3\xa4"), Target::object, "b", "\xc3\xa4");
}

TEST(Address, VirtualHostStyle) {
  std::vector<std::string> domains = {"s3.example.com", "example.com", "localhost"};
  expect_address(address("/k/x", "b.s3.example.com", domains), Target::object, "b", "k/x");
  expect_address(address("/", "b.s3.example.com:9000", domains), Target::bucket, "b", "");
  expect_address(address("/k", "B.LOCALHOST:9000", domains), Target::object, "b", "k");
  expect_address(address("/k", "a.b.example.com", domains), Target::object, "a.b", "k");
  // The domain itself, another host, an address: path style.
  expect_address(address("/b/k", "s3.example.com", domains), Target::object, "b", "k");
  expect_address(address("/b/k", "badexample.com", domains), Target::object, "b", "k");
  expect_address(address("/b/k", "[::1]:9000", domains), Target::object, "b", "k");
  expect_address(address("/b/k", "b.s3.example.com", {}), Target::object, "b", "k");
}

TEST(Address, Refusals) {
  EXPECT_EQ(address("/b/%zz").error().code, "InvalidURI");
  EXPECT_EQ(address("/b/%4").error().code, "InvalidURI");
  EXPECT_EQ(address("/b/%C3").error().code, "InvalidURI");
  EXPECT_EQ(address("/b/%ED%A0%80").error().code, "InvalidURI");
  EXPECT_EQ(address("/b/a%00b").error().code, "InvalidArgument");
  EXPECT_EQ(address("//k").error().code, "InvalidBucketName");
  EXPECT_TRUE(address("/b/" + std::string(1024, 'k')));
  EXPECT_EQ(address("/b/" + std::string(1025, 'k')).error().code, "KeyTooLongError");
  // The limit counts bytes, not characters.
  std::string umlauts;
  for (int i = 0; i < 513; ++i) umlauts += "%C3%A4";
  EXPECT_EQ(address("/b/" + umlauts).error().code, "KeyTooLongError");
}

}  // namespace
}  // namespace kura::s3
