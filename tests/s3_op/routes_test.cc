#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "s3/http/error.h"
#include "s3/op/operation.h"
#include "s3/op/operations_table.h"

namespace kura::s3 {
namespace {

Query query_of(const std::vector<std::pair<std::string, std::string>>& params) {
  Query query;
  for (const auto& [name, value] : params) query.add(name, value);
  return query;
}

struct Case {
  const char* method;
  Target target;
  std::vector<std::pair<std::string, std::string>> query;
  const char* header;  // Or null.
  const char* name;    // Null: no route.
};

TEST(Routes, FindTheOperation) {
  const Target s = Target::service, b = Target::bucket, o = Target::object;
  const Case cases[] = {
      {"GET", s, {}, nullptr, "ListBuckets"},
      {"GET", s, {{"x-id", "ListBuckets"}}, nullptr, "ListBuckets"},
      {"PUT", s, {}, nullptr, nullptr},
      {"GET", b, {}, nullptr, "ListObjects"},
      {"GET", b, {{"prefix", "a"}}, nullptr, "ListObjects"},
      {"GET", b, {{"list-type", "2"}, {"prefix", "a"}}, nullptr, "ListObjectsV2"},
      {"GET", b, {{"list-type", "1"}}, nullptr, "ListObjects"},
      {"GET", b, {{"versions", ""}}, nullptr, "ListObjectVersions"},
      {"GET", b, {{"uploads", ""}}, nullptr, "ListMultipartUploads"},
      {"GET", b, {{"location", ""}}, nullptr, "GetBucketLocation"},
      {"GET", b, {{"policyStatus", ""}}, nullptr, "GetBucketPolicyStatus"},
      {"GET", b, {{"events", "a"}, {"events", "b"}}, nullptr, "ListenNotification"},
      {"GET", s, {{"events", "a"}}, nullptr, "UnknownSubresource"},
      {"PUT", b, {}, nullptr, "CreateBucket"},
      {"PUT", b, {{"versioning", ""}}, nullptr, "PutBucketVersioning"},
      {"DELETE", b, {}, nullptr, "DeleteBucket"},
      {"HEAD", b, {}, nullptr, "HeadBucket"},
      {"POST", b, {{"delete", ""}}, nullptr, "DeleteObjects"},
      {"POST", b, {}, nullptr, "PostObject"},
      {"PUT", o, {}, nullptr, "PutObject"},
      {"PUT", o, {}, "x-amz-copy-source", "CopyObject"},
      {"PUT", o, {{"uploadId", "u"}, {"partNumber", "1"}}, nullptr, "UploadPart"},
      {"PUT", o, {{"partNumber", "1"}, {"uploadId", "u"}}, "x-amz-copy-source", "UploadPartCopy"},
      {"GET", o, {}, nullptr, "GetObject"},
      {"GET", o, {{"partNumber", "1"}}, nullptr, "GetObject"},
      {"GET", o, {{"versionId", "null"}}, nullptr, "GetObject"},
      {"GET", o, {{"uploadId", "u"}}, nullptr, "ListParts"},
      {"GET", o, {{"attributes", ""}}, nullptr, "GetObjectAttributes"},
      {"GET", o, {{"tagging", ""}}, nullptr, "GetObjectTagging"},
      {"HEAD", o, {}, nullptr, "HeadObject"},
      {"DELETE", o, {}, nullptr, "DeleteObject"},
      {"DELETE", o, {{"uploadId", "u"}}, nullptr, "AbortMultipartUpload"},
      {"POST", o, {{"uploads", ""}}, nullptr, "CreateMultipartUpload"},
      {"POST", o, {{"uploadId", "u"}}, nullptr, "CompleteMultipartUpload"},
      {"POST", o, {}, nullptr, nullptr},
      {"PATCH", o, {}, nullptr, nullptr},
  };
  for (const Case& c : cases) {
    Headers headers;
    if (c.header) headers.add(c.header, "/b/k");
    const Route* route = find_route(c.method, c.target, query_of(c.query), headers);
    std::string found = route ? std::string(route->name) : "none";
    EXPECT_EQ(found, c.name ? c.name : "none") << c.method;
  }
}

// A sub-resource that a method does not know must never become the plain operation: PUT ?foo would
// overwrite an object, DELETE ?foo would delete it.
TEST(Routes, SubresourcesNeverFallThrough) {
  std::set<std::string> names;
  for (const Route& route : routes()) {
    std::string first(route.required.substr(0, route.required.find(',')));
    if (!first.empty() && !first.starts_with("header:") && first.find('=') == std::string::npos &&
        first != "partNumber") {
      names.insert(first);
    }
  }
  ASSERT_GT(names.size(), 30u);
  for (const std::string& name : names) {
    for (Target target : {Target::bucket, Target::object}) {
      for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
        const Route* route = find_route(method, target, query_of({{name, ""}}), {});
        ASSERT_NE(route, nullptr) << method << " ?" << name;
        bool plain = route->required.empty() || route->required.starts_with("header:");
        EXPECT_TRUE(!plain || route->fixed == "NotImplemented") << method << " ?" << name;
      }
    }
  }
}

// The rows are reachable, and their fixed codes are codes of the error table.
TEST(Routes, EveryRowIsReachable) {
  for (const Route& route : routes()) {
    EXPECT_TRUE(route.handler != nullptr || !route.fixed.empty()) << route.name;
    if (!route.fixed.empty()) {
      EXPECT_EQ(s3_error(route.fixed).code, route.fixed);
    }
    Query query;
    Headers headers;
    std::string_view rest = route.required;
    while (!rest.empty()) {
      size_t comma = rest.find(',');
      std::string one(rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
      size_t equals = one.find('=');
      if (one.starts_with("header:")) {
        headers.add(one.substr(7), "x");
      } else if (equals != std::string::npos) {
        query.add(one.substr(0, equals), one.substr(equals + 1));
      } else {
        query.add(one, "");
      }
    }
    EXPECT_EQ(find_route(route.method, route.target, query, headers), &route) << route.name;
  }
}

TEST(Routes, WritesNeedTheRightToWrite) {
  for (const Route& route : routes()) {
    if (route.handler == nullptr) continue;
    bool reads = route.method == "GET" || route.method == "HEAD";
    EXPECT_EQ(route.access == Access::write, !reads) << route.name;
  }
}

TEST(OperationsTable, NamesEveryOperationOnce) {
  std::string table = operations_table();
  EXPECT_NE(table.find("| PutObject | `PUT /bucket/key` | works |"), std::string::npos) << table;
  EXPECT_NE(table.find("| GetBucketCors | `GET /bucket?cors` | nothing configured: "
                       "NoSuchCORSConfiguration |"),
            std::string::npos);
  EXPECT_NE(table.find("| PutBucketCors | `PUT /bucket?cors` | not yet: 501 NotImplemented |"),
            std::string::npos);
  EXPECT_NE(table.find("`PUT /bucket/key?uploadId with x-amz-copy-source`"), std::string::npos);
  std::map<std::string, int> names;
  for (const Route& route : routes()) ++names[std::string(route.name)];
  for (const auto& [name, rows] : names) {
    size_t first = table.find("| " + name + " |");
    ASSERT_NE(first, std::string::npos) << name;
    EXPECT_EQ(table.find("| " + name + " |", first + 1), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace kura::s3
