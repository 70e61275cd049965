#include <gtest/gtest.h>

#include <string>

#include "s3/op/access.h"
#include "s3/op/bucket_name.h"
#include "s3/op/copy_source.h"

namespace kura::s3 {
namespace {

TEST(BucketName, Rules) {
  for (const char* good : {"abc", "my-bucket", "a.b.c", "123", "a1b", "1.2.3", "amzn-bucket"})
    EXPECT_TRUE(is_bucket_name(good)) << good;
  EXPECT_TRUE(is_bucket_name(std::string(63, 'a')));
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
  for (const char* bad : {"",
                          "ab",
                          "Abc",
                          "a_b",
                          "-ab",
                          "ab-",
                          ".ab",
                          "ab.",
                          "a..b",
                          "a.-b",
                          "a-.b",
                          "192.168.5.4",
                          "999.1.1.1",
                          "a b",
                          "a/b",
                          "xn--abc",
                          "sthree-abc",
                          "abc-s3alias",
                          "abc--ol-s3",
                          "abc.mrap",
                          "abc--x-s3",
                          "abc--table-s3",
                          "kura",
                          "\xc3\xa4"
                          "bc"})
    EXPECT_FALSE(is_bucket_name(bad)) << bad;
}

TEST(CopySource, Forms) {
  auto source = parse_copy_source("/b/k/x");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->bucket, "b");
  EXPECT_EQ(source->key, "k/x");
  EXPECT_FALSE(source->version_id);

  source = parse_copy_source("b/a%20b+c%3F?versionId=null");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->key, "a b+c?");
  EXPECT_EQ(source->version_id, "null");

  // Percent-encoded slash between bucket and key, as some SDKs send it.
  source = parse_copy_source("%2Fb%2Fk");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->bucket, "b");
  EXPECT_EQ(source->key, "k");

  // A question mark of the key, unencoded.
  source = parse_copy_source("b/what?");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->key, "what?");
}

TEST(CopySource, Refusals) {
  for (const char* bad : {"", "/", "b", "/b", "b/", "//k", "b/%zz"}) {
    auto source = parse_copy_source(bad);
    ASSERT_FALSE(source) << bad;
    EXPECT_EQ(source.error().code, "InvalidArgument") << bad;
  }
  EXPECT_EQ(parse_copy_source("arn:aws:s3:us-east-1:1:accesspoint/a/object/k").error().code,
            "NotImplemented");
  EXPECT_EQ(parse_copy_source("b/" + std::string(1025, 'k')).error().code, "KeyTooLongError");
}

TEST(Access, WhoMayDoWhat) {
  Identity root{"r", true, true, ""}, writer{"w", false, true, ""}, reader{"o", false, false, ""},
      one{"1", false, true, "mine"};
  for (Access access : {Access::read, Access::write, Access::list_buckets}) {
    EXPECT_TRUE(is_allowed(root, access, "any"));
    EXPECT_TRUE(is_allowed(writer, access, "any"));
    EXPECT_EQ(is_allowed(reader, access, "any"), access != Access::write);
    EXPECT_TRUE(is_allowed(one, access, "mine"));
    EXPECT_EQ(is_allowed(one, access, "other"), access == Access::list_buckets);
  }
  EXPECT_FALSE(is_allowed(one, Access::read, ""));
}

}  // namespace
}  // namespace kura::s3
