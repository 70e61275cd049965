// ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads.

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <set>

#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

using Names = std::vector<std::string>;

class Lists : public testing::Test {
 protected:
  Lists() { w.send("PUT", "/bbb"); }
  void put(const Names& keys) {
    for (const std::string& key : keys) {
      ASSERT_EQ(w.send("PUT", "/bbb/" + percent_encode(key, true), "x").status, 200) << key;
    }
  }
  // The prefixes of a page; <Prefix> is also the parameter, which comes first.
  static Names prefixes(const Got& got) {
    Names found;
    for (const std::string& one : got.elements("CommonPrefixes"))
      found.push_back(one.substr(8, one.size() - 17));
    return found;
  }
  OpWorld w;
};

TEST_F(Lists, V1PagesByMarker) {
  put({"a", "b", "c", "d"});
  Got got = w.send("GET", "/bbb?max-keys=2");
  EXPECT_EQ(got.elements("Key"), (Names{"a", "b"}));
  EXPECT_EQ(got.element("IsTruncated"), "true");
  EXPECT_EQ(got.element("Marker"), "");
  EXPECT_EQ(got.element("NextMarker"), "<none>");  // Only with a delimiter.
  EXPECT_EQ(got.element("MaxKeys"), "2");
  EXPECT_EQ(got.element("Name"), "bbb");
  EXPECT_EQ(got.elements("Owner").size(), 2u);
  got = w.send("GET", "/bbb?max-keys=2&marker=b");
  EXPECT_EQ(got.elements("Key"), (Names{"c", "d"}));
  EXPECT_EQ(got.element("IsTruncated"), "false");
  EXPECT_EQ(got.element("Marker"), "b");
  EXPECT_EQ(got.element("Size"), "1");
  EXPECT_EQ(got.element("StorageClass"), "STANDARD");
  EXPECT_EQ(got.element("ETag"), "&quot;9dd4e461268c8034f5c8564e155c67a6&quot;");
  EXPECT_EQ(got.element("LastModified").substr(0, 11), "2026-01-01T");
}

TEST_F(Lists, V1DelimiterAndNextMarker) {
  put({"a", "b/1", "b/2", "c/1", "d"});
  Got got = w.send("GET", "/bbb?delimiter=/&max-keys=2");
  EXPECT_EQ(got.elements("Key"), Names{"a"});
  EXPECT_EQ(prefixes(got), Names{"b/"});
  EXPECT_EQ(got.element("NextMarker"), "b/");
  got = w.send("GET", "/bbb?delimiter=/&max-keys=2&marker=b/");
  EXPECT_EQ(prefixes(got), Names{"c/"});
  EXPECT_EQ(got.elements("Key"), Names{"d"});
  EXPECT_EQ(got.element("IsTruncated"), "false");
  got = w.send("GET", "/bbb?delimiter=/&prefix=b/");
  EXPECT_EQ(got.elements("Key"), (Names{"b/1", "b/2"}));
  EXPECT_TRUE(prefixes(got).empty());
}

TEST_F(Lists, V2Parameters) {
  put({"a", "b/1", "b/2", "c"});
  Got got = w.send("GET", "/bbb?list-type=2&delimiter=/&start-after=a");
  EXPECT_EQ(got.elements("Key"), Names{"c"});
  EXPECT_EQ(prefixes(got), Names{"b/"});
  EXPECT_EQ(got.element("KeyCount"), "2");
  EXPECT_EQ(got.element("StartAfter"), "a");
  EXPECT_TRUE(got.elements("Owner").empty());
  EXPECT_EQ(w.send("GET", "/bbb?list-type=2&fetch-owner=true").elements("Owner").size(), 4u);
  // The token decides, not start-after.
  got = w.send("GET", "/bbb?list-type=2&max-keys=1");
  std::string token = got.element("NextContinuationToken");
  got = w.send("GET", "/bbb?list-type=2&max-keys=1&start-after=c&continuation-token=" + token);
  EXPECT_EQ(got.elements("Key"), Names{"b/1"});
  EXPECT_EQ(got.element("ContinuationToken"), token);
  w.send("PUT", "/ccc");
  EXPECT_EQ(w.send("GET", "/ccc?list-type=2&continuation-token=" + token).code, "InvalidArgument");
  got = w.send("GET", "/bbb?list-type=2&max-keys=1&continuation-token=");  // Of the first page.
  EXPECT_EQ(got.status, 200);
  EXPECT_NE(got.body.find("<ContinuationToken></ContinuationToken>"), std::string::npos)
      << got.body;
}

TEST_F(Lists, MaxKeys) {
  put({"a", "b"});
  for (const char* version : {"", "&list-type=2"}) {
    Got got = w.send("GET", std::string("/bbb?max-keys=0") + version);
    EXPECT_EQ(got.status, 200);
    EXPECT_TRUE(got.elements("Key").empty());
    EXPECT_EQ(got.element("IsTruncated"), "false");
    EXPECT_EQ(got.element("MaxKeys"), "0");
    EXPECT_EQ(w.send("GET", std::string("/bbb?max-keys=5000") + version).element("MaxKeys"),
              "1000");
    EXPECT_EQ(w.send("GET", std::string("/bbb?max-keys=-1") + version).code, "InvalidArgument");
    EXPECT_EQ(w.send("GET", std::string("/bbb?max-keys=many") + version).code, "InvalidArgument");
    EXPECT_EQ(w.send("GET", std::string("/bbb?max-keys=99999999999") + version).code,
              "InvalidArgument");
    EXPECT_EQ(w.send("GET", std::string("/bbb?encoding-type=rot13") + version).code,
              "InvalidArgument");
    EXPECT_EQ(w.send("GET", std::string("/none?max-keys=1") + version).code, "NoSuchBucket");
  }
}

TEST_F(Lists, EncodingType) {
  put({"a b+c", "d/e<f>&", "\xc3\xa4", "x\x01y"});
  Got plain = w.send("GET", "/bbb?list-type=2");
  EXPECT_EQ(plain.elements("Key"), (Names{"a b+c", "d/e&lt;f&gt;&amp;", "x&#x1;y", "\xc3\xa4"}));
  EXPECT_EQ(plain.element("EncodingType"), "<none>");
  Got encoded = w.send("GET", "/bbb?list-type=2&encoding-type=url&prefix=d/e%3C&delimiter=%3E");
  EXPECT_EQ(encoded.element("EncodingType"), "url");
  EXPECT_EQ(encoded.element("Prefix"), "d/e%3C");
  EXPECT_EQ(encoded.element("Delimiter"), "%3E");
  EXPECT_EQ(prefixes(encoded), Names{"d/e%3Cf%3E"});
  EXPECT_EQ(w.send("GET", "/bbb?encoding-type=url").elements("Key"),
            (Names{"a%20b%2Bc", "d/e%3Cf%3E%26", "x%01y", "%C3%A4"}));
}

// Every way of paging gives exactly what the keys are, whatever the page size.
TEST_F(Lists, PagesAddUpToTheWhole) {
  std::set<std::string> all;
  for (const char* key : {"a", "a/", "a/b", "a/b/c", "a//b", "aa", "b", "b/1", "b/2", "b0", "c/x/y",
                          "d", "d/e", "\xc3\xa4/1", "~"})
    all.insert(key);
  put(Names(all.begin(), all.end()));
  rc::check([&] {
    std::string delimiter = *rc::gen::element<std::string>("", "/", "b", "/b");
    std::string prefix = *rc::gen::element<std::string>("", "a", "a/", "b", "c/x", "none");
    int max_keys = *rc::gen::inRange(1, 6);
    int version = *rc::gen::inRange(0, 3);

    std::set<std::string> keys, common;
    for (const std::string& key : all) {
      if (!key.starts_with(prefix)) continue;
      size_t at = delimiter.empty() ? key.npos : key.find(delimiter, prefix.size());
      if (at == key.npos) {
        keys.insert(key);
      } else {
        common.insert(key.substr(0, at + delimiter.size()));
      }
    }
    std::string base = "/bbb?encoding-type=url&prefix=" + percent_encode(prefix, false) +
                       "&delimiter=" + percent_encode(delimiter, false) +
                       "&max-keys=" + std::to_string(max_keys) +
                       (version == 0   ? ""
                        : version == 1 ? "&list-type=2"
                                       : "&versions");
    std::set<std::string> seen_keys, seen_common;
    std::string next;
    for (int page = 0;; ++page) {
      RC_ASSERT(page < 40);
      Got got = w.send("GET", base + next);
      RC_ASSERT(got.status == 200);
      Names page_keys = got.elements("Key"), page_common = prefixes(got);
      RC_ASSERT(page_keys.size() + page_common.size() <= static_cast<size_t>(max_keys));
      for (const std::string& key : page_keys)
        RC_ASSERT(seen_keys.insert(*percent_decode(key, false)).second);
      for (const std::string& one : page_common)
        RC_ASSERT(seen_common.insert(*percent_decode(one, false)).second);
      if (got.element("IsTruncated") == "false") break;
      if (version == 1) {
        next = "&continuation-token=" + got.element("NextContinuationToken");
      } else if (version == 2) {
        next = "&key-marker=" + got.element("NextKeyMarker");
        if (got.element("NextVersionIdMarker") != "<none>") next += "&version-id-marker=null";
      } else {
        next = "&marker=" + (delimiter.empty() ? page_keys.back() : got.element("NextMarker"));
      }
    }
    RC_ASSERT(seen_keys == keys);
    RC_ASSERT(seen_common == common);
  });
}

TEST_F(Lists, VersionsOfAnUnversionedBucket) {
  put({"a", "b"});
  Got got = w.send("GET", "/bbb?versions&max-keys=1");
  EXPECT_EQ(got.element("Key"), "a");
  EXPECT_EQ(got.element("VersionId"), "null");
  EXPECT_EQ(got.element("IsLatest"), "true");
  EXPECT_EQ(got.element("NextKeyMarker"), "a");
  EXPECT_EQ(got.element("NextVersionIdMarker"), "null");
  got = w.send("GET", "/bbb?versions&key-marker=a&version-id-marker=null");
  EXPECT_EQ(got.elements("Key"), Names{"b"});
  EXPECT_EQ(w.send("GET", "/bbb?versions&version-id-marker=null").code, "InvalidArgument");
}

TEST_F(Lists, OpenUploads) {
  std::map<std::string, std::set<std::string>> open;
  for (const char* key : {"a", "a", "b/1", "b/2", "c"}) {
    Got created = w.send("POST", std::string("/bbb/") + key + "?uploads");
    open[key].insert(created.element("UploadId"));
  }
  Got got = w.send("GET", "/bbb?uploads");
  EXPECT_EQ(got.elements("Key"), (Names{"a", "a", "b/1", "b/2", "c"}));
  EXPECT_EQ(got.element("IsTruncated"), "false");
  EXPECT_EQ(got.element("MaxUploads"), "1000");
  got = w.send("GET", "/bbb?uploads&delimiter=/");
  EXPECT_EQ(got.elements("Key"), (Names{"a", "a", "c"}));
  EXPECT_EQ(prefixes(got), Names{"b/"});
  EXPECT_EQ(w.send("GET", "/bbb?uploads&prefix=b/").elements("Key").size(), 2u);

  std::map<std::string, std::set<std::string>> seen;
  std::string next;
  for (int page = 0; page < 9; ++page) {
    got = w.send("GET", "/bbb?uploads&max-uploads=1" + next);
    ASSERT_EQ(got.status, 200) << got.body;
    if (got.element("Key") == "<none>") break;
    EXPECT_TRUE(seen[got.element("Key")].insert(got.element("UploadId")).second);
    if (got.element("IsTruncated") == "false") break;
    next = "&key-marker=" + got.element("NextKeyMarker") +
           "&upload-id-marker=" + got.element("NextUploadIdMarker");
  }
  EXPECT_EQ(seen, open);
  EXPECT_EQ(w.send("GET", "/bbb?uploads&key-marker=a").elements("Key"), (Names{"b/1", "b/2", "c"}));
  EXPECT_EQ(w.send("GET", "/bbb?uploads&key-marker=a&upload-id-marker=zz").code, "InvalidArgument");
  EXPECT_TRUE(w.send("GET", "/bbb?uploads&max-uploads=0").elements("Key").empty());
}

TEST_F(Lists, UploadsOfOneKeyAreListedAsTheyBegan) {
  Names begun;
  for (int i = 0; i < 20; ++i) {
    begun.push_back(w.send("POST", "/bbb/k?uploads").element("UploadId"));
    w.world.run_for(2 * sim::kMillisecond);
  }
  const Got got = w.send("GET", "/bbb?uploads");
  EXPECT_EQ(got.elements("UploadId"), begun);
  const Names initiated = got.elements("Initiated");
  EXPECT_TRUE(std::is_sorted(initiated.begin(), initiated.end()));
  for (size_t i = 1; i < begun.size(); ++i)
    EXPECT_NE(begun[i].substr(12), begun[i - 1].substr(12)) << "behind the time it is drawn";
}

}  // namespace
}  // namespace kura::s3
