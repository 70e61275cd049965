// GetObject, HeadObject, GetObjectAttributes: ranges, parts, conditions, bodies of every layout.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/limits.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

class Reads : public testing::Test {
 protected:
  Reads() { w.send("PUT", "/bbb"); }
  Got range(std::string value, std::string target = "/bbb/k") {
    return w.send("GET", std::move(target), "", {{"range", std::move(value)}});
  }
  OpWorld w;
};

TEST_F(Reads, Ranges) {
  w.send("PUT", "/bbb/k", "0123456789");
  Got got = range("bytes=2-4");
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.body, "234");
  EXPECT_EQ(got.header("content-range"), "bytes 2-4/10");
  EXPECT_EQ(range("bytes=-2").body, "89");
  EXPECT_EQ(range("bytes=8-").body, "89");
  EXPECT_EQ(range("bytes=0-100").header("content-range"), "bytes 0-9/10");
  got = range("bytes=0-1,4-5");  // S3 serves one range; of several it serves the whole.
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "0123456789");
  got = range("bytes=10-");
  EXPECT_EQ(got.status, 416);
  EXPECT_EQ(got.element("Code"), "InvalidRange");
  EXPECT_EQ(got.element("RangeRequested"), "bytes=10-");
  EXPECT_EQ(got.element("ActualObjectSize"), "10");
  EXPECT_EQ(got.header("content-range"), "bytes */10");
  Got beyond = w.send("HEAD", "/bbb/k", "", {{"range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond.body, "");
  EXPECT_EQ(beyond.header("content-range"), "bytes */10");
  w.send("PUT", "/bbb/empty");
  EXPECT_EQ(range("bytes=0-", "/bbb/empty").header("content-range"), "bytes */0");
  Got head = w.send("HEAD", "/bbb/k", "", {{"range", "bytes=2-4"}});
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.length_bytes, 3u);
}

TEST_F(Reads, Conditions) {
  std::string etag = w.send("PUT", "/bbb/k", "x", {{"cache-control", "max-age=5"}}).header("etag");
  std::string modified = w.send("HEAD", "/bbb/k").header("last-modified");
  Got got = w.send("GET", "/bbb/k", "", {{"if-none-match", etag}});
  EXPECT_EQ(got.status, 304);
  EXPECT_EQ(got.body, "");
  EXPECT_EQ(got.header("etag"), etag);
  EXPECT_EQ(got.header("cache-control"), "max-age=5");
  EXPECT_EQ(w.send("GET", "/bbb/k", "", {{"if-modified-since", modified}}).status, 304);
  EXPECT_EQ(w.send("GET", "/bbb/k", "", {{"if-unmodified-since", modified}}).status, 200);
  got = w.send("GET", "/bbb/k", "", {{"if-match", "\"other\""}});
  EXPECT_EQ(got.status, 412);
  EXPECT_EQ(got.element("Condition"), "If-Match");
  EXPECT_EQ(w.send("HEAD", "/bbb/k", "", {{"if-match", "\"other\""}}).status, 412);
  EXPECT_EQ(w.send("HEAD", "/bbb/k", "", {{"if-none-match", etag}}).status, 304);
  // A failed condition comes before a bad range.
  EXPECT_EQ(w.send("GET", "/bbb/k", "", {{"if-match", "no"}, {"range", "bytes=9-"}}).status, 412);
}

// A client that resumes a download never gets the end of another version.
TEST_F(Reads, IfRange) {
  std::string old = w.send("PUT", "/bbb/k", "0123456789").header("etag");
  Got put = w.send("PUT", "/bbb/k", "abcdefghij");
  auto resume = [&](std::string method, std::string validator, std::string range = "bytes=5-") {
    return w.send(method, "/bbb/k", "", {{"range", range}, {"if-range", validator}});
  };
  Got got = resume("GET", put.header("etag"));
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.body, "fghij");
  EXPECT_EQ(resume("GET", w.send("HEAD", "/bbb/k").header("last-modified")).status, 206);
  got = resume("GET", old);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "abcdefghij");
  EXPECT_FALSE(got.headers.has("content-range"));
  EXPECT_EQ(resume("GET", old, "bytes=10-").status, 200)
      << "an ignored range is never unsatisfiable";
  EXPECT_EQ(resume("GET", "W/" + put.header("etag")).status, 200);
  EXPECT_EQ(resume("HEAD", put.header("etag")).status, 206);
  got = resume("HEAD", old);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.length_bytes, 10u);
}

TEST_F(Reads, Versions) {
  w.send("PUT", "/bbb/k", "x");
  Got got = w.send("GET", "/bbb/k?versionId=null");
  EXPECT_EQ(got.body, "x");
  EXPECT_EQ(got.header("x-amz-version-id"), "null");
  const std::string other(32, 'a');  // Well formed.
  EXPECT_EQ(w.send("GET", "/bbb/k?versionId=" + other).code, "NoSuchVersion");
  EXPECT_EQ(w.send("HEAD", "/bbb/k?versionId=" + other).status, 404);
  EXPECT_EQ(w.send("DELETE", "/bbb/k?versionId=" + other).status, 204);
  got = w.send("GET", "/bbb/k?versionId=abc");
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(got.element("Code"), "InvalidArgument");
  EXPECT_EQ(got.element("Message"), "Invalid version id specified");
  EXPECT_EQ(w.send("HEAD", "/bbb/k?versionId=abc").status, 400);
  EXPECT_EQ(w.send("DELETE", "/bbb/k?versionId=abc").code, "InvalidArgument");
  EXPECT_EQ(w.send("GET", "/bbb/k?acl&versionId=abc").code, "InvalidArgument");
  EXPECT_EQ(w.send("GET", "/bbb/k?versionId=").code, "InvalidArgument");
  auto copy = [&](const std::string& id) {
    return w.send("PUT", "/bbb/copy", "", {{"x-amz-copy-source", "/bbb/k?versionId=" + id}});
  };
  EXPECT_EQ(copy("abc").code, "InvalidArgument");
  EXPECT_EQ(copy(other).code, "NoSuchVersion");
  EXPECT_EQ(copy("null").status, 200);
  EXPECT_FALSE(w.send("GET", "/bbb/k").headers.has("x-amz-version-id"));
}

TEST_F(Reads, ACustomersKeyIsRefused) {
  w.send("PUT", "/bbb/k", "x");
  const std::vector<Headers::Field> key{
      {"x-amz-server-side-encryption-customer-algorithm", "AES256"}};
  Got got = w.send("GET", "/bbb/k", "", key);
  EXPECT_EQ(got.status, 400);
  EXPECT_EQ(got.element("Code"), "InvalidRequest");
  EXPECT_EQ(got.element("Message"), "The encryption parameters are not applicable to this object.");
  EXPECT_EQ(w.send("HEAD", "/bbb/k", "", key).status, 400);
  auto attributes = key;
  attributes.emplace_back("x-amz-object-attributes", "ETag");
  EXPECT_EQ(w.send("GET", "/bbb/k?attributes", "", attributes).code, "InvalidRequest");
  EXPECT_EQ(w.send("GET", "/bbb/none", "", key).code, "NoSuchKey");
}

TEST_F(Reads, Overrides) {
  w.send("PUT", "/bbb/k", "x", {{"content-type", "text/plain"}});
  Got got = w.send("GET",
                   "/bbb/k?response-content-type=image%2Fpng&response-cache-control=no-store"
                   "&response-content-disposition=attachment%3B%20filename%3Da.png");
  EXPECT_EQ(got.header("content-type"), "image/png");
  EXPECT_EQ(got.headers.count("content-type"), 1u);
  EXPECT_EQ(got.header("cache-control"), "no-store");
  EXPECT_EQ(got.header("content-disposition"), "attachment; filename=a.png");
  EXPECT_EQ(w.send("GET", "/bbb/k?response-content-type=a%0D%0Aset-cookie%3A%20b").code,
            "InvalidArgument");
}

TEST_F(Reads, PartOfASimpleObject) {
  w.send("PUT", "/bbb/k", "0123");
  Got got = w.send("GET", "/bbb/k?partNumber=1");
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.body, "0123");
  EXPECT_EQ(got.header("content-range"), "bytes 0-3/4");
  EXPECT_FALSE(got.headers.has("x-amz-mp-parts-count"));
  EXPECT_EQ(w.send("GET", "/bbb/k?partNumber=2").status, 416);
  EXPECT_EQ(w.send("GET", "/bbb/k?partNumber=0").code, "InvalidArgument");
  EXPECT_EQ(w.send("GET", "/bbb/k?partNumber=10001").code, "InvalidArgument");
  EXPECT_EQ(range("bytes=0-1", "/bbb/k?partNumber=1").code, "InvalidRequest");
}

TEST_F(Reads, Attributes) {
  w.send("PUT", "/bbb/k", "hello");
  Got got = w.send("GET", "/bbb/k?attributes", "",
                   {{"x-amz-object-attributes", "ETag,ObjectSize"},
                    {"x-amz-object-attributes", "StorageClass, Checksum,ObjectParts"}});
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.element("ETag"), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(got.element("ObjectSize"), "5");
  EXPECT_EQ(got.element("StorageClass"), "STANDARD");
  EXPECT_EQ(got.element("ObjectParts"), "<none>");
  EXPECT_TRUE(got.headers.has("last-modified"));
  EXPECT_EQ(w.send("GET", "/bbb/k?attributes").code, "InvalidRequest");
  EXPECT_EQ(w.send("GET", "/bbb/k?attributes", "", {{"x-amz-object-attributes", "Color"}}).code,
            "InvalidArgument");
}

TEST_F(Reads, ObjectSettings) {
  w.send("PUT", "/bbb/k", "x");
  EXPECT_EQ(w.send("GET", "/bbb/k?tagging").element("TagSet"), "");
  EXPECT_EQ(w.send("GET", "/bbb/k?acl").element("Permission"), "FULL_CONTROL");
  EXPECT_EQ(w.send("GET", "/bbb/none?tagging").code, "NoSuchKey");
  EXPECT_EQ(w.send("GET", "/bbb/k?retention").code, "InvalidRequest");
  EXPECT_EQ(w.send("GET", "/bbb/k?torrent").status, 501);
}

// Sizes at every border: inline or not, transform blocks, extents; each with both transforms.
TEST_F(Reads, BodiesOfEverySizeComeBack) {
  for (bool padded : {false, true}) {
    w.settings.test_transform = padded;
    for (uint64_t size : {uint64_t{1}, kInlineBodyMax - 1, kInlineBodyMax, kInlineBodyMax + 1,
                          uint64_t{65535}, uint64_t{65536}, uint64_t{65537}, uint64_t{131072},
                          uint64_t{300'000}, uint64_t{1'000'003}}) {
      std::string body = content(size, size);
      ASSERT_EQ(w.send("PUT", "/bbb/k", body).status, 200) << size;
      Got got = w.send("GET", "/bbb/k");
      ASSERT_EQ(got.length_bytes, size);
      ASSERT_TRUE(got.body == body) << size;
      auto version = w.view.current(w.tenants.state()->find_bucket("bbb")->id, "k");
      ASSERT_TRUE(version && *version);
      EXPECT_EQ((*version)->body().has_journal(), size <= kInlineBodyMax) << size;
      EXPECT_EQ((*version)->stored_bytes() > (*version)->size_bytes(), padded) << size;
    }
  }
}

TEST_F(Reads, AnyRangeOfAnyBody) {
  for (bool padded : {false, true}) {
    w.settings.test_transform = padded;
    for (uint64_t size : {uint64_t{9'000}, uint64_t{700'001}}) {
      std::string body = content(size, size);
      ASSERT_EQ(w.send("PUT", "/bbb/k", body).status, 200);
      rc::check("range of " + std::to_string(size), [&] {
        uint64_t from = *rc::gen::inRange<uint64_t>(0, size);
        uint64_t to = *rc::gen::inRange<uint64_t>(from, size);
        Got got = range("bytes=" + std::to_string(from) + "-" + std::to_string(to));
        RC_ASSERT(got.status == 206);
        RC_ASSERT(got.body == body.substr(from, to - from + 1));
        RC_ASSERT(got.length_bytes == to - from + 1);
      });
    }
  }
}

// Bodies move (destaging, compaction) between the look-up and the reading.
TEST_F(Reads, ABodyThatMovedIsLookedUpAgain) {
  std::string body = content(100'000);
  w.send("PUT", "/bbb/k", body);
  w.blobs.reads_that_moved = 2;
  EXPECT_TRUE(w.send("GET", "/bbb/k").body == body);
  w.blobs.reads_that_moved = 1000;
  EXPECT_EQ(w.send("GET", "/bbb/k").status, 503);
}

TEST_F(Reads, DamageIsNeverAShortAnswer) {
  w.send("PUT", "/bbb/k", content(500'000));
  w.blobs.corrupt_after_bytes = 0;
  Got got = w.send("GET", "/bbb/k");
  EXPECT_EQ(got.status, 503) << "known before the head went out";
  w.blobs.corrupt_after_bytes = 200'000;
  got = w.send("GET", "/bbb/k");
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.cut);
  EXPECT_LT(got.body.size(), got.length_bytes);
  EXPECT_EQ(w.send("PUT", "/bbb/c", "", {{"x-amz-copy-source", "bbb/k"}}).status, 503);
  EXPECT_EQ(w.send("HEAD", "/bbb/c").status, 404);
}

TEST_F(Reads, PresignedGet) {
  w.send("PUT", "/bbb/k", "x");
  Sent get{"GET", "/bbb/k?response-content-type=a%2Fb", {}, "", true};
  Got got = w.send(get);
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.header("content-type"), "a/b");
}

}  // namespace
}  // namespace kura::s3
