// PutObject, DeleteObject, DeleteObjects, CopyObject.

#include <gtest/gtest.h>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

// A checksum header of `body`.
Headers::Field checksum_field(Algorithm algorithm, std::string_view body) {
  auto digest = make_digest(algorithm);
  digest->update(body);
  return {std::string(checksum_header(algorithm)), base64_encode(digest->finish())};
}

class Objects : public testing::Test {
 protected:
  Objects() { w.send("PUT", "/bbb"); }
  OpWorld w;
};

TEST_F(Objects, PutAndGetBack) {
  Got put = w.send("PUT", "/bbb/k", "hello",
                   {{"content-type", "text/plain"}, {"x-amz-meta-color", "blue"}});
  EXPECT_EQ(put.status, 200);
  EXPECT_EQ(put.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(put.body, "");
  Got got = w.send("GET", "/bbb/k");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.header("etag"), put.header("etag"));
  EXPECT_EQ(got.header("content-type"), "text/plain");
  EXPECT_EQ(got.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(got.header("accept-ranges"), "bytes");
  EXPECT_EQ(got.header("last-modified").substr(0, 16), "Thu, 01 Jan 2026");
  EXPECT_FALSE(got.headers.has("x-amz-storage-class"));
  Got head = w.send("HEAD", "/bbb/k");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.length_bytes, 5u);
  EXPECT_EQ(head.header("content-type"), "text/plain");
}

TEST_F(Objects, EmptyBodyAndDefaults) {
  EXPECT_EQ(w.send("PUT", "/bbb/k").header("etag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
  Got got = w.send("GET", "/bbb/k");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.length_bytes, 0u);
  EXPECT_EQ(got.header("content-type"), "binary/octet-stream");
}

TEST_F(Objects, AnyKey) {
  for (const char* path : {"/bbb//", "/bbb/a//b/", "/bbb/..", "/bbb/%01", "/bbb/a%20%2B%25",
                           "/bbb/%F0%9F%98%80", "/bbb/%5C..%5C"}) {
    ASSERT_EQ(w.send("PUT", path, path).status, 200) << path;
  }
  EXPECT_EQ(w.send("GET", "/bbb/..").body, "/bbb/..");
  EXPECT_EQ(w.send("GET", "/bbb//").body, "/bbb//");
  EXPECT_EQ(w.send("PUT", "/bbb/" + std::string(1025, 'k'), "x").code, "KeyTooLongError");
  EXPECT_EQ(w.send("PUT", "/bbb/" + std::string(1024, 'k'), "x").status, 200);
  EXPECT_EQ(w.send("PUT", "/bbb/%FF", "x").code, "InvalidURI");
}

TEST_F(Objects, DigestsAreChecked) {
  uint64_t events = w.writer.events;
  EXPECT_EQ(
      w.send("PUT", "/bbb/k", "hello", {{"content-md5", base64_encode(md5_of("other"))}}).code,
      "BadDigest");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "hello", {{"content-md5", "short"}}).code, "InvalidDigest");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "hello", {checksum_field(v1::Checksum::CRC32, "other")}).code,
            "BadDigest");
  EXPECT_EQ(
      w.send("PUT", "/bbb/k", content(100'000), {checksum_field(v1::Checksum::SHA256, "other")})
          .code,
      "BadDigest");
  EXPECT_EQ(w.writer.events, events);
  EXPECT_TRUE(w.blobs.active.empty());
  EXPECT_EQ(w.send("HEAD", "/bbb/k").status, 404);
}

TEST_F(Objects, ChecksumsComeBackOnRequest) {
  for (Algorithm algorithm : {v1::Checksum::CRC32, v1::Checksum::CRC32C, v1::Checksum::CRC64NVME,
                              v1::Checksum::SHA1, v1::Checksum::SHA256}) {
    auto [name, value] = checksum_field(algorithm, "hello");
    Got put = w.send("PUT", "/bbb/k", "hello", {{name, value}});
    ASSERT_EQ(put.status, 200) << put.body;
    EXPECT_EQ(put.header(name), value);
    EXPECT_EQ(put.header("x-amz-checksum-type"), "FULL_OBJECT");
    Got got = w.send("GET", "/bbb/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(got.header(name), value);
    EXPECT_EQ(got.header("x-amz-checksum-type"), "FULL_OBJECT");
    EXPECT_FALSE(w.send("GET", "/bbb/k").headers.has(name));
    // That of the whole would not fit a range.
    Got part =
        w.send("GET", "/bbb/k", "", {{"x-amz-checksum-mode", "ENABLED"}, {"range", "bytes=0-1"}});
    EXPECT_EQ(part.status, 206);
    EXPECT_FALSE(part.headers.has(name));
  }
}

TEST_F(Objects, ConditionalPuts) {
  EXPECT_EQ(w.send("PUT", "/bbb/k", "1", {{"if-match", "*"}}).code, "NoSuchKey");
  Got first = w.send("PUT", "/bbb/k", "1", {{"if-none-match", "*"}});
  EXPECT_EQ(first.status, 200);
  Got second = w.send("PUT", "/bbb/k", "2", {{"if-none-match", "*"}});
  EXPECT_EQ(second.status, 412);
  EXPECT_EQ(second.code, "PreconditionFailed");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "3", {{"if-match", first.header("etag")}}).status, 200);
  EXPECT_EQ(w.send("PUT", "/bbb/k", "4", {{"if-match", first.header("etag")}}).status, 412);
  EXPECT_EQ(w.send("PUT", "/bbb/k", "4", {{"if-none-match", first.header("etag")}}).status, 501);
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "3");
}

TEST_F(Objects, OfManyRacersOneWins) {
  std::vector<Sent> racers;
  for (int i = 0; i < 8; ++i)
    racers.push_back({"PUT", "/bbb/race", {{"if-none-match", "*"}}, "racer " + std::to_string(i)});
  int winners = 0;
  std::string winner;
  std::vector<Got> answers = w.send_all(racers);
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].status == 200) {
      ++winners;
      winner = racers[i].body;
    } else {
      EXPECT_EQ(answers[i].status, 412);
    }
  }
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(w.send("GET", "/bbb/race").body, winner);
}

TEST_F(Objects, RefusedWithoutTrace) {
  uint64_t events = w.writer.events;
  EXPECT_EQ(w.send("PUT", "/none/k", "x").code, "NoSuchBucket");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "x", {{"x-amz-storage-class", "GLACIER"}}).code,
            "InvalidStorageClass");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "x", {{"x-amz-tagging", "a=b"}}).code, "NotImplemented");
  EXPECT_EQ(w.send("PUT", "/bbb/k?partNumber=1", "x").code, "InvalidRequest");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "x", {{"x-amz-meta-a", std::string(2048, 'v')}}).code,
            "MetadataTooLarge");
  EXPECT_EQ(w.writer.events, events);
  EXPECT_TRUE(w.blobs.active.empty());
}

// A retry is answered with the first result and runs nothing, also when another write came between.
TEST_F(Objects, ARetryRunsOnce) {
  Sent put{"PUT",
           "/bbb/k",
           {{"if-none-match", "*"}, {"amz-sdk-invocation-id", "call-1"}},
           content(50'000)};
  Got first = w.send(put);
  ASSERT_EQ(first.status, 200);
  uint64_t events = w.writer.events;
  Got retry = w.send(put);
  EXPECT_EQ(retry.status, 200);
  EXPECT_EQ(retry.header("etag"), first.header("etag"));
  EXPECT_EQ(w.writer.events, events);
  EXPECT_TRUE(w.blobs.active.empty()) << "the retry's blocks are given back";
  EXPECT_EQ(w.send("GET", "/bbb/k").body, put.body);
  put.body = "something else";
  EXPECT_EQ(w.send(put).status, 400);

  Sent create{"POST", "/bbb/m?uploads", {{"amz-sdk-invocation-id", "call-2"}}, ""};
  std::string id = w.send(create).element("UploadId");
  w.world.run_for(5 * sim::kSecond);
  EXPECT_EQ(w.send(create).element("UploadId"), id);
  EXPECT_EQ(w.send("GET", "/bbb?uploads").elements("UploadId"), std::vector<std::string>{id});
}

TEST_F(Objects, BlocksAreGivenBackWhenTheCommitIsRefused) {
  w.send("PUT", "/bbb/k", "x");
  EXPECT_EQ(w.send("PUT", "/bbb/k", content(50'000), {{"if-none-match", "*"}}).status, 412);
  EXPECT_TRUE(w.blobs.active.empty());
  // Not known whether the event exists: the blocks must stay.
  w.writer.fail_submits = Errc::unknown;
  EXPECT_EQ(w.send("PUT", "/bbb/k", content(50'000)).status, 500);
  EXPECT_EQ(w.blobs.active.size(), 1u);
  w.blobs.active.clear();
  // Known not to exist, and never to be.
  w.writer.fail_submits = Errc::unavailable;
  EXPECT_EQ(w.send("PUT", "/bbb/k", content(50'000)).status, 503);
  EXPECT_TRUE(w.blobs.active.empty());
  w.writer.fail_submits = Errc::overloaded;
  Got got = w.send("PUT", "/bbb/k", content(50'000));
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.code, "SlowDown");
  EXPECT_TRUE(w.blobs.active.empty());
  w.writer.fail_submits.reset();
  w.blobs.fail_writes = Errc::no_space;
  EXPECT_EQ(w.send("PUT", "/bbb/k", content(50'000)).status, 507);
  w.blobs.fail_writes = Errc::unavailable;
  EXPECT_EQ(w.send("PUT", "/bbb/k", content(50'000)).status, 503);
  EXPECT_TRUE(w.blobs.active.empty());
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
}

TEST_F(Objects, Deletes) {
  EXPECT_EQ(w.send("DELETE", "/bbb/none").status, 204);
  w.send("PUT", "/bbb/k", "x");
  EXPECT_EQ(w.send("DELETE", "/bbb/k?versionId=0123456789abcdef0123456789abcdef").status, 204);
  EXPECT_EQ(w.send("DELETE", "/bbb/k?versionId=zzz").code, "InvalidArgument");
  EXPECT_EQ(w.send("DELETE", "/bbb/k?versionId=").code, "InvalidArgument");
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
  Got deleted = w.send("DELETE", "/bbb/k?versionId=null");
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("x-amz-version-id"), "null");
  EXPECT_EQ(w.send("GET", "/bbb/k").status, 404);
  EXPECT_EQ(w.send("DELETE", "/none/k").code, "NoSuchBucket");
}

TEST_F(Objects, ConditionalDeletes) {
  std::string etag = w.send("PUT", "/bbb/k", "12345").header("etag");
  EXPECT_EQ(w.send("DELETE", "/bbb/k", "", {{"if-match", "\"other\""}}).status, 412);
  EXPECT_EQ(w.send("DELETE", "/bbb/k", "", {{"x-amz-if-match-size", "4"}}).status, 412);
  EXPECT_EQ(w.send("DELETE", "/bbb/k", "",
                   {{"x-amz-if-match-last-modified-time", "Thu, 01 Jan 1998 00:00:00 GMT"}})
                .status,
            412);
  EXPECT_EQ(
      w.send("DELETE", "/bbb/k", "", {{"if-match", etag}, {"x-amz-if-match-size", "5"}}).status,
      204);
  EXPECT_EQ(w.send("DELETE", "/bbb/k", "", {{"if-match", "*"}}).code, "NoSuchKey");
}

// A write that the client wanted to prevent does not happen because nobody looked.
TEST_F(Objects, AConditionThatNobodyJudgesIsRefused) {
  const std::string etag = w.send("PUT", "/bbb/k", "old").header("etag");
  const std::string id = w.send("POST", "/bbb/up?uploads").element("UploadId");

  struct Write {
    std::string method, target;
    std::vector<std::string> judged;
    std::vector<Headers::Field> headers;
  };
  const std::string part = "/bbb/up?partNumber=1&uploadId=" + id;
  const Headers::Field source{"x-amz-copy-source", "/bbb/k"};
  const std::vector<Write> writes = {
      {"PUT", "/bbb/k", {"if-match", "if-none-match"}, {}},
      {"PUT", "/bbb/k", {"if-match", "if-none-match"}, {source}},
      {"POST", "/bbb/up?uploadId=" + id, {"if-match", "if-none-match"}, {}},
      {"DELETE",
       "/bbb/k",
       {"if-match", "x-amz-if-match-size", "x-amz-if-match-last-modified-time"},
       {}},
      {"PUT", part, {}, {}},
      {"PUT", part, {}, {source}},
      {"POST", "/bbb/k?uploads", {"if-match", "if-none-match"}, {}},
      {"DELETE", "/bbb/up?uploadId=" + id, {}, {}},
      {"PUT", "/new", {}, {}},
      {"DELETE", "/bbb", {}, {}}};
  const uint64_t events = w.writer.events;
  for (const Write& write : writes) {
    for (const char* name :
         {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
          "x-amz-if-match-size", "x-amz-if-match-last-modified-time",
          "x-amz-if-match-initiated-time"}) {
      SCOPED_TRACE(write.method + " " + write.target + " " + name);
      if (std::count(write.judged.begin(), write.judged.end(), name) > 0) continue;
      auto headers = write.headers;
      headers.emplace_back(name, "*");
      const Got got = w.send(write.method, write.target, "new", headers);
      EXPECT_EQ(got.status, 501) << got.code;
      EXPECT_EQ(got.element("Header"), name);
    }
  }
  EXPECT_EQ(w.writer.events, events);
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "old");
}

// Headers that an SDK put into the query of a presigned URL.
class Hoisted : public Objects {
 protected:
  Got send(std::string method, std::string target, std::string body = {}) {
    Sent sent{std::move(method), std::move(target), {}, std::move(body)};
    sent.presigned = true;
    return w.send(std::move(sent));
  }
};

TEST_F(Hoisted, HeadersCount) {
  w.send("PUT", "/bbb/source", "of the source");
  EXPECT_EQ(send("PUT", "/bbb/copy?x-amz-copy-source=%2Fbbb%2Fsource").operation, "CopyObject");
  EXPECT_EQ(w.send("GET", "/bbb/copy").body, "of the source");
  EXPECT_EQ(
      send("PUT", "/bbb/copy?X-Amz-Copy-Source=/bbb/source&x-amz-copy-source-if-match=%22x%22")
          .status,
      412);
  EXPECT_EQ(send("GET", "/bbb/copy?x-amz-expected-bucket-owner=111122223333").status, 403);
  EXPECT_EQ(send("PUT", "/bbb/k?x-amz-meta-Color=blue&x-amz-storage-class=REDUCED_REDUNDANCY", "x")
                .status,
            200);
  const Got head = w.send("HEAD", "/bbb/k");
  EXPECT_EQ(head.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(head.header("x-amz-storage-class"), "REDUCED_REDUNDANCY");
  EXPECT_EQ(send("DELETE", "/bbb/k?x-amz-if-match-size=7").status, 412);
  EXPECT_EQ(send("PUT", "/bbb/k?x-amz-meta-a%0Ab=c", "x").code, "InvalidArgument");
  EXPECT_EQ(send("PUT", "/bbb/k?x-amz-meta-a=b%0Ac", "x").code, "InvalidArgument");
}

// That of no bytes: the SDK did not know the body when it presigned.
TEST_F(Hoisted, AChecksumOfTheBodyDoesNot) {
  const std::string query = "?x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32";
  EXPECT_EQ(send("PUT", "/bbb/k" + query, "x").status, 200);
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
  EXPECT_EQ(w.send("PUT", "/bbb/k", "x", {{"x-amz-checksum-crc32", "AAAAAA=="}}).status, 400);
}

class DeleteObjectsTest : public Objects {
 protected:
  Got remove(std::string document, std::vector<Headers::Field> headers = {}) {
    headers.emplace_back("content-md5", base64_encode(md5_of(document)));
    return w.send("POST", "/bbb?delete", std::move(document), std::move(headers));
  }
};

TEST_F(DeleteObjectsTest, EachKeyByItself) {
  std::string etag = w.send("PUT", "/bbb/a", "1").header("etag");
  w.send("PUT", "/bbb/b", "2");
  w.send("PUT", "/bbb/c%3Cd", "3");
  Got got = remove("<Delete><Object><Key>a</Key><ETag>" + etag +
                   "</ETag></Object>"
                   "<Object><Key>b</Key><ETag>\"other\"</ETag></Object>"
                   "<Object><Key>c&lt;d</Key><VersionId>null</VersionId></Object>"
                   "<Object><Key>none</Key></Object>"
                   "<Object><Key>" +
                   std::string(1025, 'x') + "</Key></Object></Delete>");
  ASSERT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.elements("Deleted").size(), 3u);
  std::vector<std::string> errors = got.elements("Error");
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE(errors[0].find("<Key>b</Key><Code>PreconditionFailed</Code>"), std::string::npos);
  EXPECT_NE(errors[1].find("<Code>KeyTooLongError</Code>"), std::string::npos);
  EXPECT_EQ(w.send("GET", "/bbb").elements("Key"), std::vector<std::string>{"b"});
}

// As If-Match of DeleteObject takes it.
TEST_F(DeleteObjectsTest, AnEtagInEveryForm) {
  for (const char* before : {"", "\"", "W/\""}) {
    const std::string etag = w.send("PUT", "/bbb/a", "1").header("etag").substr(1, 32);
    const std::string form = before + etag + (*before ? "\"" : "");
    EXPECT_EQ(w.send("DELETE", "/bbb/a", "", {{"if-match", form}}).status, 204) << form;
    w.send("PUT", "/bbb/a", "1");
    const Got got =
        remove("<Delete><Object><Key>a</Key><ETag>" + form + "</ETag></Object></Delete>");
    EXPECT_EQ(got.elements("Deleted").size(), 1u) << form << got.body;
  }
}

TEST_F(DeleteObjectsTest, QuietNamesOnlyErrors) {
  w.send("PUT", "/bbb/a", "1");
  Got got = remove(
      "<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object>"
      "<Object><Key>b</Key><ETag>x</ETag></Object></Delete>");
  EXPECT_TRUE(got.elements("Deleted").empty());
  EXPECT_EQ(got.elements("Error").size(), 1u);
  EXPECT_EQ(w.send("HEAD", "/bbb/a").status, 404);
}

TEST_F(DeleteObjectsTest, AThousandAtOnce) {
  std::string document = "<Delete>";
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 0) w.send("PUT", "/bbb/k" + std::to_string(i), "x");
    document += "<Object><Key>k" + std::to_string(i) + "</Key></Object>";
  }
  int64_t before = w.world.now_ns();
  Got got = remove(document + "</Delete>");
  EXPECT_EQ(got.elements("Deleted").size(), 1000u);
  // Every command takes a millisecond here: they went together.
  EXPECT_LT(w.world.now_ns() - before, 100 * sim::kMillisecond);
  EXPECT_TRUE(w.send("GET", "/bbb").elements("Key").empty());
  EXPECT_EQ(remove(document + "<Object><Key>one more</Key></Object></Delete>").code,
            "MalformedXML");
}

TEST_F(DeleteObjectsTest, NeedsADigest) {
  w.send("PUT", "/bbb/a", "1");
  std::string document = "<Delete><Object><Key>a</Key></Object></Delete>";
  Got got = w.send("POST", "/bbb?delete", document);
  EXPECT_EQ(got.code, "InvalidRequest");
  EXPECT_EQ(
      w.send("POST", "/bbb?delete", document, {checksum_field(v1::Checksum::CRC32, "other")}).code,
      "BadDigest");
  EXPECT_EQ(remove("<Delete></Delete>").code, "MalformedXML");
  EXPECT_EQ(w.send("HEAD", "/bbb/a").status, 200);
  EXPECT_EQ(w.send("POST", "/bbb?delete", document, {checksum_field(v1::Checksum::CRC32, document)})
                .status,
            200);
  EXPECT_EQ(w.send("HEAD", "/bbb/a").status, 404);
}

class Copies : public Objects {
 protected:
  Copies() {
    w.send("PUT", "/src");
    etag = w.send("PUT", "/src/a%20b", "source body",
                  {{"content-type", "text/plain"},
                   {"x-amz-meta-color", "blue"},
                   {"x-amz-website-redirect-location", "/there"},
                   checksum_field(v1::Checksum::CRC32, "source body")})
               .header("etag");
  }
  Got copy(std::vector<Headers::Field> headers, std::string target = "/bbb/copy") {
    headers.emplace_back("x-amz-copy-source", "/src/a%20b");
    return w.send("PUT", std::move(target), "", std::move(headers));
  }
  std::string etag;
};

TEST_F(Copies, TakesBodyAndMetadata) {
  Got copied = copy({{"content-type", "ignored/type"}});
  ASSERT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(copied.element("ETag"), "&quot;" + etag.substr(1, 32) + "&quot;");
  EXPECT_EQ(copied.element("ChecksumType"), "FULL_OBJECT");
  EXPECT_NE(copied.element("ChecksumCRC32"), "<none>");
  Got got = w.send("GET", "/bbb/copy");
  EXPECT_EQ(got.body, "source body");
  EXPECT_EQ(got.header("content-type"), "text/plain");
  EXPECT_EQ(got.header("x-amz-meta-color"), "blue");
  EXPECT_FALSE(got.headers.has("x-amz-website-redirect-location"));
}

TEST_F(Copies, ReplacesMetadata) {
  Got copied = copy({{"x-amz-metadata-directive", "REPLACE"},
                     {"x-amz-meta-size", "big"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                     {"x-amz-checksum-algorithm", "SHA256"}});
  ASSERT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(copied.element("ChecksumSHA256"),
            checksum_field(v1::Checksum::SHA256, "source body").second);
  Got got = w.send("GET", "/bbb/copy");
  EXPECT_EQ(got.header("content-type"), "binary/octet-stream");
  EXPECT_FALSE(got.headers.has("x-amz-meta-color"));
  EXPECT_EQ(got.header("x-amz-meta-size"), "big");
  EXPECT_EQ(got.header("x-amz-storage-class"), "REDUCED_REDUNDANCY");
  EXPECT_EQ(copy({{"x-amz-metadata-directive", "MERGE"}}).code, "InvalidArgument");
}

TEST_F(Copies, ToItselfOnlyWithAChange) {
  EXPECT_EQ(copy({}, "/src/a%20b").code, "InvalidRequest");
  EXPECT_EQ(copy({{"x-amz-storage-class", "STANDARD"}}, "/src/a%20b").code, "InvalidRequest");
  EXPECT_EQ(copy({{"x-amz-storage-class", "REDUCED_REDUNDANCY"}}, "/src/a%20b").status, 200);
  EXPECT_EQ(
      copy({{"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-a", "1"}}, "/src/a%20b").status,
      200);
  Got got = w.send("GET", "/src/a%20b");
  EXPECT_EQ(got.body, "source body");
  EXPECT_EQ(got.header("x-amz-meta-a"), "1");
}

TEST_F(Copies, ConditionsOfSourceAndDestination) {
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", etag}}).status, 200);
  EXPECT_EQ(copy({{"x-amz-copy-source-if-match", "\"other\""}}).status, 412);
  // A copy has no 304.
  EXPECT_EQ(copy({{"x-amz-copy-source-if-none-match", etag}}).status, 412);
  EXPECT_EQ(
      copy({{"x-amz-copy-source-if-unmodified-since", "Thu, 01 Jan 1998 00:00:00 GMT"}}).status,
      412);
  EXPECT_EQ(copy({{"if-none-match", "*"}}).status, 412);
  EXPECT_EQ(copy({{"if-none-match", "*"}}, "/bbb/fresh").status, 200);
}

TEST_F(Copies, SourcesThatAreNotThere) {
  auto from = [&](const char* source) {
    return w.send("PUT", "/bbb/c", "", {{"x-amz-copy-source", source}}).code;
  };
  EXPECT_EQ(from("src/none"), "NoSuchKey");
  EXPECT_EQ(from("none/k"), "NoSuchBucket");
  EXPECT_EQ(from("src"), "InvalidArgument");
  EXPECT_EQ(from("src/a%20b?versionId=null"), "");
  EXPECT_EQ(from("src/a%20b?versionId=0123456789abcdef0123456789abcdef"), "NoSuchVersion");
}

}  // namespace
}  // namespace kura::s3
