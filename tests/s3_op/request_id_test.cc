#include "s3/op/request_id.h"

#include <gtest/gtest.h>

namespace kura::s3 {
namespace {

Headers headers_of(std::vector<Headers::Field> fields) {
  Headers headers;
  for (auto& [name, value] : fields) headers.add(name, value);
  return headers;
}

TEST(RequestId, IsThatOfTheInvocation) {
  Identity alice{"ALICE", false, true, ""}, bob{"BOB", false, true, ""};
  Headers one = headers_of({{"amz-sdk-invocation-id", "1111"}});
  Headers two = headers_of({{"amz-sdk-invocation-id", "2222"}});
  RequestId id = request_id_of(one, alice);
  EXPECT_EQ(request_id_of(one, alice), id);
  EXPECT_NE(request_id_of(two, alice), id);
  EXPECT_NE(request_id_of(one, bob), id);
  EXPECT_FALSE(id.is_nil());
  EXPECT_TRUE(request_id_of({}, alice).is_nil()) << "without one nobody asks again";
}

TEST(RequestId, OfTheCommandsOfARequest) {
  RequestId request;
  request.bytes[3] = 7;
  EXPECT_EQ(command_id(request, 1), command_id(request, 1));
  EXPECT_NE(command_id(request, 1), command_id(request, 2));
  EXPECT_NE(command_id(request, 0), request);
  EXPECT_TRUE(command_id(RequestId{}, 0).is_nil());
}

struct Parts {
  RequestHead head;
  Query query;
};

Parts base() {
  Parts parts;
  parts.head.method = "PUT";
  parts.head.path = "/b/k";
  parts.head.headers = headers_of({{"host", "h"},
                                   {"content-type", "text/plain"},
                                   {"authorization", "A"},
                                   {"x-amz-date", "1"},
                                   {"amz-sdk-request", "attempt=1"}});
  parts.query.add("partNumber", "1");
  return parts;
}

TEST(RequestDigest, IsOfWhatTheRequestMeans) {
  Parts one = base();
  uint64_t digest = request_digest(one.head, one.query, "md5");

  // What a retry changes does not count.
  Parts retry = base();
  retry.head.headers = headers_of({{"host", "h"},
                                   {"content-type", "text/plain"},
                                   {"authorization", "B"},
                                   {"x-amz-date", "2"},
                                   {"x-amz-security-token", "t"},
                                   {"amz-sdk-request", "attempt=2"}});
  retry.query.add("X-Amz-Signature", "abc");
  EXPECT_EQ(request_digest(retry.head, retry.query, "md5"), digest);

  // Everything else does.
  Parts other = base();
  other.head.method = "POST";
  EXPECT_NE(request_digest(other.head, other.query, "md5"), digest);
  other = base();
  other.head.path = "/b/l";
  EXPECT_NE(request_digest(other.head, other.query, "md5"), digest);
  other = base();
  other.query.add("x", "");
  EXPECT_NE(request_digest(other.head, other.query, "md5"), digest);
  other = base();
  other.head.headers.add("if-match", "*");
  EXPECT_NE(request_digest(other.head, other.query, "md5"), digest);
  other = base();
  other.head.headers.add("x-amz-meta-a", "b");
  EXPECT_NE(request_digest(other.head, other.query, "md5"), digest);
  EXPECT_NE(request_digest(one.head, one.query, "md6"), digest);
}

}  // namespace
}  // namespace kura::s3
