// Bytes that are not UTF-8, wherever a request may hold them: no answer shows them.

#include <gtest/gtest.h>

#include "s3/codec/uri.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {
namespace {

class Utf8 : public testing::Test {
 protected:
  Utf8() { w.send("PUT", "/bbb"); }
  OpWorld w;
};

// As a query that finds the route: "uploadId=x&", with a parameter that it may have.
std::string query_of(const Route& route, const std::string& more) {
  std::string query;
  std::string_view rest = route.required;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (!one.starts_with("header:")) query += std::string(one) + "&";
  }
  return "?" + query + more;
}

TEST_F(Utf8, ParametersAreUtf8InEveryOperation) {
  const std::map<Target, std::string> paths = {
      {Target::service, "/"}, {Target::bucket, "/bbb"}, {Target::object, "/bbb/k"}};
  for (const Route& route : routes()) {
    if (route.method.empty()) continue;
    for (const char* wrong : {"prefix=%FF", "x=%E2%82", "x=\xff", "%ff=x", "delimiter=%82"}) {
      const Got got =
          w.send(std::string(route.method), paths.at(route.target) + query_of(route, wrong));
      EXPECT_EQ(got.status, 400) << route.name << " " << wrong;
      EXPECT_EQ(got.code, "InvalidArgument") << route.name << " " << wrong;
      EXPECT_TRUE(is_utf8(got.body)) << route.name << " " << wrong;
    }
  }
  EXPECT_EQ(w.send("GET", "/bbb?list-type=2&prefix=%E2%82%AC").element("Prefix"), "\xe2\x82\xac");
  EXPECT_EQ(w.send("GET", "/bbb?list-type=2&prefix=%E2&delimiter=%82").status, 400);
}

TEST_F(Utf8, ErrorsShowNothingElse) {
  const std::vector<Sent> wrong = {
      {"GET", "/bbb/\xff", {}, ""},
      {"GET", "/bbb?list-type=2&continuation-token=%FF", {}, ""},
      {"GET", "/bbb/k?uploadId=%FF", {}, ""},
      {"PUT", "/bbb/k", {{"x-amz-copy-source", "bbb/%ff"}}, ""},
      {"PUT", "/bbb/k", {{"x-amz-copy-source", "bbb/\xff"}}, ""},
      {"PUT", "/bbb/k", {{"x-amz-copy-source", "bbb/k?versionId=\xff"}}, ""},
      {"PUT", "/bbb/k", {{"x-amz-storage-class", "\x80"}}, ""},
      {"PUT", "/bbb/k", {{"x-amz-checksum-crc32", "\x80"}}, ""},
      {"POST", "/bbb/k?uploads", {{"x-amz-checksum-algorithm", "\x80junk"}}, ""},
  };
  for (const Sent& request : wrong) {
    const Got got = w.send(request);
    EXPECT_GE(got.status, 400) << request.target;
    EXPECT_LT(got.status, 500) << request.target;
    EXPECT_TRUE(is_utf8(got.body)) << request.target << " " << got.body;
    EXPECT_NE(got.element("Code"), "<none>");
  }
  EXPECT_EQ(w.send("GET", "/bbb/\xff").element("Resource"), "/bbb/\xef\xbf\xbd");
}

TEST_F(Utf8, TheHostInAnUrl) {
  const std::string id = w.send("POST", "/bbb/k?uploads").element("UploadId");
  const std::string part = w.send("PUT", "/bbb/k?partNumber=1&uploadId=" + id, "x").header("etag");
  const Got done = w.send("POST", "/bbb/k?uploadId=" + id,
                          "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + part +
                              "</ETag></Part></CompleteMultipartUpload>",
                          {{"host", "\xff:9000"}});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.element("Location"), "http://\xef\xbf\xbd:9000/bbb/k");
}

}  // namespace
}  // namespace kura::s3
