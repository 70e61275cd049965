// Multipart uploads from creation to completion, and the objects that they become.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "projections/metadata/rows.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

std::string checksum_text(Algorithm algorithm, std::string_view bytes) {
  auto digest = make_digest(algorithm);
  digest->update(bytes);
  return base64_encode(digest->finish());
}

class Multipart : public testing::Test {
 protected:
  Multipart() { w.send("PUT", "/bbb"); }

  std::string create(std::vector<Headers::Field> headers = {}) {
    Got got = w.send("POST", "/bbb/k?uploads", "", std::move(headers));
    EXPECT_EQ(got.status, 200) << got.body;
    return got.element("UploadId");
  }
  static std::string part_target(const std::string& id, int number) {
    return "/bbb/k?partNumber=" + std::to_string(number) + "&uploadId=" + id;
  }
  // The ETag.
  std::string put_part(const std::string& id, int number, std::string body,
                       std::vector<Headers::Field> headers = {}) {
    Got got = w.send("PUT", part_target(id, number), std::move(body), std::move(headers));
    EXPECT_EQ(got.status, 200) << got.body;
    return got.header("etag");
  }
  // `checksums`: an element more for each part, or none at all.
  static std::string listed(const std::vector<std::pair<int, std::string>>& parts,
                            const std::vector<std::string>& checksums = {}) {
    std::string document = "<CompleteMultipartUpload>";
    for (size_t i = 0; i < parts.size(); ++i) {
      document += "<Part><PartNumber>" + std::to_string(parts[i].first) + "</PartNumber><ETag>" +
                  parts[i].second + "</ETag>" + (checksums.empty() ? "" : checksums[i]) + "</Part>";
    }
    return document + "</CompleteMultipartUpload>";
  }
  static std::string checksum_xml(Algorithm algorithm, std::string_view bytes) {
    const std::string element(checksum_element(algorithm));
    return "<" + element + ">" + checksum_text(algorithm, bytes) + "</" + element + ">";
  }
  Got complete(const std::string& id, const std::vector<std::pair<int, std::string>>& parts,
               std::vector<Headers::Field> headers = {}) {
    return w.send("POST", "/bbb/k?uploadId=" + id, listed(parts), std::move(headers));
  }
  OpWorld w;
};

// As mc sends them, for want of a condition at Complete.
TEST_F(Multipart, ConditionsWhenAnUploadBegins) {
  w.send("PUT", "/bbb/there", "x");
  EXPECT_EQ(w.send("POST", "/bbb/there?uploads", "", {{"if-none-match", "*"}}).status, 412);
  EXPECT_EQ(w.send("POST", "/bbb/new?uploads", "", {{"if-none-match", "*"}}).status, 200);
  EXPECT_EQ(w.send("POST", "/bbb/there?uploads", "", {{"if-match", "\"other\""}}).status, 412);
  EXPECT_EQ(w.send("POST", "/bbb/there?uploads", "", {{"if-match", "*"}}).status, 200);
  EXPECT_EQ(w.send("POST", "/bbb/none?uploads", "", {{"if-match", "*"}}).code, "NoSuchKey");
}

TEST_F(Multipart, ConditionsOfTheBeginningAreJudgedAtTheEnd) {
  const std::string first = create({{"if-none-match", "*"}});
  const std::string second = create({{"if-none-match", "*"}});
  const std::string tag = put_part(first, 1, "one"), other = put_part(second, 1, "two");
  EXPECT_EQ(complete(first, {{1, tag}}).status, 200);
  Got late = complete(second, {{1, other}});
  EXPECT_EQ(late.status, 412);
  EXPECT_EQ(late.code, "PreconditionFailed");
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "one");
  EXPECT_EQ(w.send("GET", "/bbb?uploads").elements("UploadId"), std::vector<std::string>{second});
}

TEST_F(Multipart, FromCreationToCompletion) {
  std::string id = create({{"content-type", "text/plain"},
                           {"x-amz-meta-color", "blue"},
                           {"x-amz-storage-class", "REDUCED_REDUNDANCY"}});
  ASSERT_EQ(id.size(), 32u);
  std::string one = content(90'000, 1), two = content(50'000, 2), three = "tail";
  std::string e3 = put_part(id, 3, three), e1 = put_part(id, 1, one), e2 = put_part(id, 2, two);
  EXPECT_EQ(w.send("HEAD", "/bbb/k").status, 404) << "nobody sees parts";

  Got done = complete(id, {{1, e1}, {2, e2}, {3, e3}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.element("Bucket"), "bbb");
  EXPECT_EQ(done.element("Key"), "k");
  EXPECT_EQ(done.element("Location"), "http://127.0.0.1:9000/bbb/k");
  std::string etag = md5_of(md5_of(one) + md5_of(two) + md5_of(three));
  EXPECT_EQ(done.element("ETag"), "&quot;" + hex_encode(etag) + "-3&quot;");

  Got got = w.send("GET", "/bbb/k");
  EXPECT_TRUE(got.body == one + two + three);
  EXPECT_EQ(got.header("etag"), "\"" + hex_encode(etag) + "-3\"");
  EXPECT_EQ(got.header("content-type"), "text/plain");
  EXPECT_EQ(got.header("x-amz-meta-color"), "blue");
  EXPECT_EQ(got.header("x-amz-storage-class"), "REDUCED_REDUNDANCY");
  // The same list again is the same answer; the upload is gone.
  EXPECT_EQ(complete(id, {{1, e1}, {2, e2}, {3, e3}}).body, done.body);
  EXPECT_EQ(w.send("PUT", part_target(id, 4), "x").code, "NoSuchUpload");
  EXPECT_EQ(w.send("GET", "/bbb/k?uploadId=" + id).code, "NoSuchUpload");
  EXPECT_TRUE(w.blobs.active.empty());
}

// Of a body, which a presigned completion cannot know either.
TEST_F(Multipart, AChecksumInAPresignedQueryDoesNotCount) {
  const std::string id =
      create({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  const std::string etag = put_part(id, 1, "part");
  EXPECT_EQ(complete(id, {{1, etag}}, {{"x-amz-checksum-crc32", "AAAAAA=="}}).status, 400);
  Sent sent{"POST",
            "/bbb/k?uploadId=" + id + "&x-amz-checksum-crc32=AAAAAA%3D%3D",
            {},
            listed({{1, etag}})};
  sent.presigned = true;
  EXPECT_EQ(w.send(std::move(sent)).status, 200);
}

TEST_F(Multipart, LocationIsWhatTheClientAsked) {
  w.settings.domains = {"store.test"};
  struct Style {
    std::string host, path;
    bool encrypted;
    std::string location;
  };
  const std::vector<Style> styles = {
      {"store.test", "/bbb/a%20b/k", false, "http://store.test/bbb/a%20b/k"},
      {"store.test:9000", "/bbb/k", true, "https://store.test:9000/bbb/k"},
      {"bbb.store.test", "/k", true, "https://bbb.store.test/k"},
      {"[::1]:9000", "/bbb/k", true, "https://[::1]:9000/bbb/k"}};
  for (const Style& style : styles) {
    const std::vector<Headers::Field> host = {{"host", style.host}};
    const std::string id = w.send("POST", style.path + "?uploads", "", host).element("UploadId");
    const std::string part = style.path + "?partNumber=1&uploadId=" + id;
    const std::string etag = w.send("PUT", part, "x", host).header("etag");
    const Got done = w.send(Sent{.method = "POST",
                                 .target = style.path + "?uploadId=" + id,
                                 .headers = host,
                                 .body = listed({{1, etag}}),
                                 .encrypted = style.encrypted});
    EXPECT_EQ(done.element("Location"), style.location) << done.body;
  }
}

TEST_F(Multipart, ReadingByPart) {
  std::string id =
      create({{"x-amz-checksum-algorithm", "CRC32C"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  std::string one = content(70'000, 1), two = content(300, 2);
  std::string e2 = put_part(id, 2, one), e7 = put_part(id, 7, two);
  ASSERT_EQ(complete(id, {{2, e2}, {7, e7}}).status, 200);
  Got got = w.send("GET", "/bbb/k?partNumber=7", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(got.body, two);
  EXPECT_EQ(got.header("content-range"), "bytes 70000-70299/70300");
  EXPECT_EQ(got.header("x-amz-mp-parts-count"), "2");
  EXPECT_EQ(got.header("x-amz-checksum-crc32c"), checksum_text(v1::Checksum::CRC32C, two));
  EXPECT_TRUE(w.send("GET", "/bbb/k?partNumber=2").body == one);
  Got head = w.send("HEAD", "/bbb/k?partNumber=7");
  EXPECT_EQ(head.status, 206);
  EXPECT_EQ(head.length_bytes, 300u);
  EXPECT_EQ(w.send("GET", "/bbb/k?partNumber=3").code, "InvalidPartNumber");
}

// The object goes between its look-up and that of its parts. Parts that are not there although
// their object is are no answer about the number.
TEST_F(Multipart, PartsAreThoseOfTheVersionThatIsThere) {
  auto make = [this](const std::string& first) {
    const std::string id = create();
    ASSERT_EQ(complete(id, {{1, put_part(id, 1, first)}, {2, put_part(id, 2, "end")}}).status, 200);
  };
  for (const char* method : {"GET", "HEAD"}) {
    make(content(200, 1));
    w.kv.before_next_scan = [&] { make(content(300, 2)); };
    Got got = w.send(method, "/bbb/k?partNumber=2");
    EXPECT_EQ(got.status, 206) << method << got.body;
    EXPECT_EQ(got.header("content-range"), "bytes 300-302/303");
    w.kv.before_next_scan = [&] { w.send("PUT", "/bbb/k", "simple"); };
    got = w.send(method, "/bbb/k?partNumber=1");
    EXPECT_EQ(got.status, 206) << method << got.body;
    EXPECT_EQ(got.length_bytes, 6u);
    make(content(200, 1));
    w.kv.before_next_scan = [&] { w.send("DELETE", "/bbb/k"); };
    EXPECT_EQ(w.send(method, "/bbb/k?partNumber=1").code, "NoSuchKey");
  }
  make(content(200, 1));
  auto version = w.view.current(w.tenants.state()->find_bucket("bbb")->id, "k");
  KvBatch lost;
  lost.remove(row::part_key((*version)->upload_id(), 2));
  ASSERT_TRUE(w.kv.write(lost).has_value());
  EXPECT_EQ(w.send("HEAD", "/bbb/k?partNumber=2").status, 503);
  // Without checksums of parts these show their number only.
  const Got got =
      w.send("GET", "/bbb/k?attributes", "", {{"x-amz-object-attributes", "ObjectParts"}});
  EXPECT_EQ(got.element("PartsCount"), "2") << got.body;
}

TEST_F(Multipart, AttributesAreOfTheVersionThatIsThere) {
  auto make = [this](size_t parts) {
    const std::string id = create({{"x-amz-checksum-algorithm", "CRC32C"}});
    std::vector<std::pair<int, std::string>> tags;
    std::vector<std::string> checksums;
    for (size_t i = 1; i <= parts; ++i) {
      const std::string body = content(200, i);
      tags.emplace_back(i, put_part(id, static_cast<int>(i), body));
      checksums.push_back(checksum_xml(v1::Checksum::CRC32C, body));
    }
    ASSERT_EQ(w.send("POST", "/bbb/k?uploadId=" + id, listed(tags, checksums)).status, 200);
  };
  auto attributes = [this](const char* marker, const char* most) {
    return w.send("GET", "/bbb/k?attributes", "",
                  {{"x-amz-object-attributes", "ObjectParts,ObjectSize"},
                   {"x-amz-part-number-marker", marker},
                   {"x-amz-max-parts", most}});
  };
  make(2);
  w.kv.before_next_scan = [&] { make(3); };
  Got got = attributes("0", "2");
  EXPECT_EQ(got.element("PartsCount"), "3");
  EXPECT_EQ(got.elements("PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(got.element("ObjectSize"), "600");
  EXPECT_EQ(got.element("IsTruncated"), "true");
  got = attributes(got.element("NextPartNumberMarker").c_str(), "2");
  EXPECT_EQ(got.elements("PartNumber"), std::vector<std::string>{"3"});
  EXPECT_EQ(got.element("IsTruncated"), "false");
  got = attributes("0", "0");
  EXPECT_EQ(got.element("NextPartNumberMarker"), "0");
  EXPECT_EQ(got.element("IsTruncated"), "false");
  w.kv.before_next_scan = [&] { w.send("PUT", "/bbb/k", "simple"); };
  got = attributes("0", "2");
  EXPECT_EQ(got.element("ObjectParts"), "<none>");
  EXPECT_EQ(got.element("ObjectSize"), "6");
}

// Any range over parts of any size, with and without the padding transform.
TEST_F(Multipart, RangesOverParts) {
  for (bool padded : {false, true}) {
    w.settings.test_transform = padded;
    std::string id = create(), whole;
    std::vector<std::pair<int, std::string>> parts;
    int number = 1;
    for (uint64_t size : {uint64_t{65'536}, uint64_t{100}, uint64_t{200'001}, uint64_t{16'384},
                          uint64_t{16'385}, uint64_t{1}}) {
      std::string body = content(size, size);
      whole += body;
      parts.emplace_back(number, put_part(id, number, body));
      ++number;
    }
    w.writer.part_bytes_min = 1;
    ASSERT_EQ(complete(id, parts).status, 200);
    ASSERT_TRUE(w.send("GET", "/bbb/k").body == whole);
    rc::check([&] {
      uint64_t from = *rc::gen::inRange<uint64_t>(0, whole.size());
      uint64_t to = *rc::gen::inRange<uint64_t>(from, whole.size());
      Got got = w.send("GET", "/bbb/k", "",
                       {{"range", "bytes=" + std::to_string(from) + "-" + std::to_string(to)}});
      RC_ASSERT(got.status == 206);
      RC_ASSERT(got.body == whole.substr(from, to - from + 1));
    });
  }
}

TEST_F(Multipart, RefusedCompletions) {
  std::string id = create();
  std::string big = content(200, 1);
  std::string e1 = put_part(id, 1, big), e2 = put_part(id, 2, "small"), e3 = put_part(id, 3, big);
  EXPECT_EQ(complete(id, {{2, e2}, {1, e1}}).code, "InvalidPartOrder");
  EXPECT_EQ(complete(id, {{1, e1}, {1, e1}}).code, "InvalidPartOrder");
  EXPECT_EQ(complete(id, {{1, e1}, {4, e1}}).code, "InvalidPart");
  EXPECT_EQ(complete(id, {{1, e2}}).code, "InvalidPart");
  EXPECT_EQ(complete(id, {{1, "no etag"}}).code, "InvalidPart");
  EXPECT_EQ(complete(id, {{1, e1}, {2, e2}, {3, e3}}).code, "EntityTooSmall");
  EXPECT_EQ(complete(id, {}).code, "MalformedXML");
  EXPECT_EQ(complete(id, {{0, e1}}).code, "InvalidArgument");
  EXPECT_EQ(w.send("POST", "/bbb/k?uploadId=" + id, "<nonsense").code, "MalformedXML");
  EXPECT_EQ(complete("00000000000000000000000000000000", {{1, e1}}).code, "NoSuchUpload");
  EXPECT_EQ(complete("x", {{1, e1}}).code, "NoSuchUpload");
  // The id belongs to its key.
  EXPECT_EQ(w.send("POST", "/bbb/other?uploadId=" + id, listed({{1, e1}})).code, "NoSuchUpload");
  Got size = complete(id, {{1, e1}}, {{"x-amz-mp-object-size", "201"}});
  EXPECT_EQ(size.code, "InvalidRequest");
  EXPECT_EQ(
      size.element("Message"),
      "The provided &apos;x-amz-mp-object-size&apos; header value 201 does not match what was "
      "computed.");
  EXPECT_EQ(complete(id, {{1, e1}}, {{"if-match", "*"}}).code, "NoSuchKey");
  w.send("PUT", "/bbb/k", "x");
  EXPECT_EQ(complete(id, {{1, e1}}, {{"if-none-match", "*"}}).code, "PreconditionFailed");
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "x");
  EXPECT_EQ(complete(id, {{1, e1}, {3, e3}}, {{"x-amz-mp-object-size", "400"}}).status, 200);
}

TEST_F(Multipart, PartsAreReplacedListedAndAborted) {
  std::string id = create();
  put_part(id, 1, "old");
  std::string e1 = put_part(id, 1, "new part"), e5 = put_part(id, 5, content(30'000));
  put_part(id, 9, "9");
  Got got = w.send("GET", "/bbb/k?uploadId=" + id + "&max-parts=2");
  EXPECT_EQ(got.elements("PartNumber"), (std::vector<std::string>{"1", "5"}));
  EXPECT_EQ(got.elements("Size"), (std::vector<std::string>{"8", "30000"}));
  EXPECT_EQ(got.element("IsTruncated"), "true");
  EXPECT_EQ(got.element("NextPartNumberMarker"), "5");
  got = w.send("GET", "/bbb/k?uploadId=" + id + "&part-number-marker=5");
  EXPECT_EQ(got.elements("PartNumber"), std::vector<std::string>{"9"});
  EXPECT_EQ(got.element("IsTruncated"), "false");
  EXPECT_EQ(got.element("StorageClass"), "STANDARD");
  EXPECT_EQ(w.send("GET", "/bbb/k?uploadId=" + id + "&max-parts=x").code, "InvalidArgument");

  EXPECT_EQ(w.send("DELETE", "/bbb/k?uploadId=" + id).status, 204);
  EXPECT_EQ(w.send("DELETE", "/bbb/k?uploadId=" + id).code, "NoSuchUpload");
  EXPECT_EQ(complete(id, {{1, e1}, {5, e5}}).code, "NoSuchUpload");
  EXPECT_EQ(w.send("PUT", part_target(id, 1), content(30'000)).code, "NoSuchUpload");
  EXPECT_TRUE(w.blobs.active.empty());
}

TEST_F(Multipart, PartArguments) {
  std::string id = create();
  EXPECT_EQ(w.send("PUT", part_target(id, 0), "x").code, "InvalidArgument");
  EXPECT_EQ(w.send("PUT", part_target(id, 10001), "x").code, "InvalidArgument");
  EXPECT_EQ(w.send("PUT", part_target(id, 10000), "x").status, 200);
  EXPECT_EQ(w.send("PUT", "/bbb/k?uploadId=" + id, "x").code, "InvalidRequest");
  EXPECT_EQ(w.send("PUT", "/bbb/k?partNumber=one&uploadId=" + id, "x").code, "InvalidArgument");
  EXPECT_EQ(w.send("PUT", "/none/k?partNumber=1&uploadId=" + id, "x").code, "NoSuchBucket");
}

TEST_F(Multipart, ChecksumsCompositeAndFull) {
  std::string one = content(150, 1), two = content(77, 2);
  struct {
    const char* name;
    const char* type;  // Asked for; null: the default.
    const char* shown;
    Algorithm algorithm;
  } cases[] = {{"CRC32", nullptr, "COMPOSITE", v1::Checksum::CRC32},
               {"CRC32", "FULL_OBJECT", "FULL_OBJECT", v1::Checksum::CRC32},
               {"CRC32C", "FULL_OBJECT", "FULL_OBJECT", v1::Checksum::CRC32C},
               {"CRC64NVME", nullptr, "FULL_OBJECT", v1::Checksum::CRC64NVME},
               {"SHA1", "COMPOSITE", "COMPOSITE", v1::Checksum::SHA1},
               {"SHA256", nullptr, "COMPOSITE", v1::Checksum::SHA256}};
  for (const auto& c : cases) {
    std::vector<Headers::Field> headers{{"x-amz-checksum-algorithm", c.name}};
    if (c.type) headers.emplace_back("x-amz-checksum-type", c.type);
    Got created = w.send("POST", "/bbb/k?uploads", "", headers);
    EXPECT_EQ(created.header("x-amz-checksum-algorithm"), c.name);
    EXPECT_EQ(created.header("x-amz-checksum-type"), c.shown);
    std::string id = created.element("UploadId"), field(checksum_header(c.algorithm));
    // One part with the client's checksum, one for which the server computes it.
    std::string e1 = put_part(id, 1, one, {{field, checksum_text(c.algorithm, one)}});
    std::string e2 = put_part(id, 2, two);
    EXPECT_EQ(w.send("GET", "/bbb/k?uploadId=" + id).element(checksum_element(c.algorithm)),
              checksum_text(c.algorithm, one));

    bool full = std::string(c.shown) == "FULL_OBJECT";
    std::string expected;
    if (full) {
      expected = checksum_text(c.algorithm, one + two);
    } else {
      std::string raws;
      for (const std::string& part : {one, two}) {
        auto digest = make_digest(c.algorithm);
        digest->update(part);
        raws += digest->finish();
      }
      expected = checksum_text(c.algorithm, raws) + "-2";
    }
    const std::string with_checksums = listed(
        {{1, e1}, {2, e2}}, {checksum_xml(c.algorithm, one), checksum_xml(c.algorithm, two)});
    auto finish = [&](const std::string& document, std::vector<Headers::Field> fields) {
      return w.send("POST", "/bbb/k?uploadId=" + id, document, std::move(fields));
    };
    std::string wrong = checksum_text(c.algorithm, "other") + (full ? "" : "-2");
    Got refused = finish(with_checksums, {{field, wrong}});
    EXPECT_EQ(refused.code, "BadDigest") << c.name;
    EXPECT_EQ(refused.element("Message"), "The " + std::string(c.name) +
                                              " you specified did not match the calculated "
                                              "checksum.");
    EXPECT_EQ(
        finish(with_checksums, {{"x-amz-checksum-type", full ? "COMPOSITE" : "FULL_OBJECT"}}).code,
        "InvalidRequest");
    const std::string without = listed({{1, e1}, {2, e2}});
    if (!full) {
      refused = finish(without, {});
      EXPECT_EQ(refused.code, "InvalidRequest") << c.name;
      EXPECT_EQ(refused.element("Message"),
                "The upload was created using a " + lower_case(c.name) +
                    " checksum. The complete request must include the checksum for each part. It "
                    "was missing for part 1 in the request.");
      refused = finish(listed({{1, e1}, {2, e2}}, {checksum_xml(c.algorithm, one), ""}), {});
      EXPECT_NE(refused.element("Message").find("missing for part 2 "), std::string::npos);
    }
    Got done = finish(full ? without : with_checksums,
                      {{field, expected}, {"x-amz-checksum-type", c.shown}});
    ASSERT_EQ(done.status, 200) << c.name << done.body;
    EXPECT_EQ(done.element(checksum_element(c.algorithm)), expected);
    EXPECT_EQ(done.element("ChecksumType"), c.shown);
    Got head = w.send("HEAD", "/bbb/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
    EXPECT_EQ(head.header(field), expected);
    EXPECT_EQ(head.header("x-amz-checksum-type"), c.shown);
    Got attributes = w.send("GET", "/bbb/k?attributes", "",
                            {{"x-amz-object-attributes", "Checksum,ObjectParts"}});
    EXPECT_EQ(attributes.element(checksum_element(c.algorithm)), expected);
    EXPECT_EQ(attributes.element("PartsCount"), "2");
    EXPECT_EQ(attributes.elements("PartNumber"), (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(w.send("GET", "/bbb").element("ChecksumType"), c.shown);
  }
}

TEST_F(Multipart, RefusedChecksums) {
  auto create_code = [&](std::vector<Headers::Field> headers) {
    return w.send("POST", "/bbb/k?uploads", "", std::move(headers)).code;
  };
  EXPECT_EQ(create_code({{"x-amz-checksum-algorithm", "MD4"}}), "InvalidRequest");
  EXPECT_EQ(create_code({{"x-amz-checksum-type", "COMPOSITE"}}), "InvalidRequest");
  EXPECT_EQ(
      create_code({{"x-amz-checksum-algorithm", "SHA256"}, {"x-amz-checksum-type", "FULL_OBJECT"}}),
      "InvalidRequest");
  EXPECT_EQ(create_code(
                {{"x-amz-checksum-algorithm", "CRC64NVME"}, {"x-amz-checksum-type", "COMPOSITE"}}),
            "InvalidRequest");
  std::string id = create({{"x-amz-checksum-algorithm", "CRC32"}});
  EXPECT_EQ(w.send("PUT", part_target(id, 1), "x",
                   {{"x-amz-checksum-sha1", checksum_text(v1::Checksum::SHA1, "x")}})
                .code,
            "InvalidRequest");
  EXPECT_EQ(w.send("PUT", part_target(id, 1), "x",
                   {{"x-amz-checksum-crc32", checksum_text(v1::Checksum::CRC32, "y")}})
                .code,
            "BadDigest");
}

TEST_F(Multipart, AnotherChecksumThanTheUploads) {
  std::string id =
      create({{"x-amz-checksum-algorithm", "CRC32"}, {"x-amz-checksum-type", "FULL_OBJECT"}});
  std::string etag = put_part(id, 1, "x");
  Got got = complete(id, {{1, etag}},
                     {{"x-amz-checksum-crc32c", checksum_text(v1::Checksum::CRC32C, "x")}});
  EXPECT_EQ(got.code, "InvalidRequest");
  EXPECT_EQ(got.element("Message"), "The upload was not created using a crc32c checksum.");
  got = complete(id, {{1, etag}},
                 {{"x-amz-checksum-crc32", checksum_text(v1::Checksum::CRC32, "x") + "-1"}});
  EXPECT_EQ(got.code, "InvalidRequest");
  EXPECT_EQ(got.element("Message"),
            "The CRC32 you specified is not of the upload&apos;s checksum type.");
}

TEST_F(Multipart, PartsThatAreCopies) {
  std::string source = content(100'000, 3);
  w.send("PUT", "/src");
  std::string etag = w.send("PUT", "/src/s", source).header("etag");
  std::string id = create({{"x-amz-checksum-algorithm", "SHA256"}});
  auto copy_part = [&](int number, std::vector<Headers::Field> headers) {
    headers.emplace_back("x-amz-copy-source", "/src/s");
    return w.send("PUT", part_target(id, number), "", std::move(headers));
  };
  Got first = copy_part(1, {{"x-amz-copy-source-range", "bytes=10-70009"}});
  ASSERT_EQ(first.status, 200) << first.body;
  std::string piece = source.substr(10, 70'000);
  EXPECT_EQ(first.element("ETag"), "&quot;" + hex_encode(md5_of(piece)) + "&quot;");
  EXPECT_EQ(first.element("ChecksumSHA256"), checksum_text(v1::Checksum::SHA256, piece));
  EXPECT_EQ(copy_part(2, {}).status, 200);
  EXPECT_EQ(copy_part(3, {{"x-amz-copy-source-range", "bytes=0-100000"}}).code, "InvalidArgument");
  EXPECT_EQ(copy_part(3, {{"x-amz-copy-source-range", "bytes=5-"}}).code, "InvalidArgument");
  EXPECT_EQ(copy_part(3, {{"x-amz-copy-source-if-match", "\"other\""}}).code, "PreconditionFailed");
  EXPECT_EQ(copy_part(3, {{"x-amz-copy-source-if-match", etag}}).status, 200);
  const std::string document = listed(
      {{1, hex_encode(md5_of(piece))}, {2, etag}},
      {checksum_xml(v1::Checksum::SHA256, piece), checksum_xml(v1::Checksum::SHA256, source)});
  ASSERT_EQ(w.send("POST", "/bbb/k?uploadId=" + id, document).status, 200);
  EXPECT_TRUE(w.send("GET", "/bbb/k").body == piece + source);

  // A copy of a multipart object is one body.
  Got copied = w.send("PUT", "/bbb/copy", "", {{"x-amz-copy-source", "/bbb/k"}});
  ASSERT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(copied.element("ETag"), "&quot;" + hex_encode(md5_of(piece + source)) + "&quot;");
  EXPECT_EQ(copied.element("ChecksumType"), "FULL_OBJECT");
  EXPECT_TRUE(w.send("GET", "/bbb/copy").body == piece + source);
}

TEST_F(Multipart, OverwrittenObjectsLoseTheirParts) {
  std::string id = create();
  std::string e1 = put_part(id, 1, content(40'000));
  ASSERT_EQ(complete(id, {{1, e1}}).status, 200);
  EXPECT_EQ(w.send("PUT", "/bbb/k", "new").status, 200);
  EXPECT_EQ(w.send("GET", "/bbb/k").body, "new");
  auto parts = w.view.parts(*hex_decode(id), 0, 10);
  ASSERT_TRUE(parts);
  EXPECT_TRUE(parts->parts.empty());
}

}  // namespace
}  // namespace kura::s3
