#include "s3/auth/authenticator.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "s3/auth/signer.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

class FixedClock : public Clock {
 public:
  int64_t wall_ms() const override { return now_ms; }
  int64_t monotonic_ns() const override { return now_ms * 1'000'000; }
  int64_t now_ms = 1'700'000'000'000;
};

class OneKey : public KeyLookup {
 public:
  std::optional<KeyRecord> find(std::string_view access_key) const override {
    if (access_key != "AKID") return std::nullopt;
    return KeyRecord{secret, Identity{"AKID", false, true, "bucket"}};
  }
  std::string secret = "secret";
};

struct Edge {
  FixedClock clock;
  OneKey keys;
  Authenticator authenticator{keys, clock, {"us-east-1", false}};
  Authenticator strict{keys, clock, {"us-east-1", true}};
  Signer signer{"AKID", "secret"};

  static RequestHead bare() {
    RequestHead head;
    head.method = "GET";
    head.path = "/bucket/key";
    head.headers.add("host", "localhost:9000");
    return head;
  }
  RequestHead signed_head(int64_t at_ms, RequestHead head = bare()) {
    signer.sign(&head, kUnsignedPayload, at_ms);
    return head;
  }
  RequestHead presigned(int64_t at_ms, int64_t expires_s, RequestHead head = bare()) {
    signer.presign(&head, at_ms, expires_s);
    return head;
  }
  std::string code(const RequestHead& head) {
    auto verified = authenticator.verify(head);
    return verified ? "ok" : verified.error().code;
  }
};

RequestHead with_authorization(const RequestHead& from, std::string value) {
  RequestHead head = from;
  head.headers = {};
  for (const auto& [name, v] : from.headers.all())
    head.headers.add(name, name == "authorization" ? value : v);
  return head;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(Authenticator, WhatTheSignerSignsIsTaken) {
  Edge edge;
  const auto verified = edge.authenticator.verify(edge.signed_head(edge.clock.now_ms));
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->identity.access_key, "AKID");
  EXPECT_EQ(verified->identity.bucket, "bucket");
  EXPECT_EQ(verified->payload_hash, kUnsignedPayload);
  EXPECT_EQ(edge.code(edge.presigned(edge.clock.now_ms, 60)), "ok");
}

// Keys and parameters of any bytes, in header and query form; with one bit changed, never.
TEST(Authenticator, AnyTargetVerifiesAndNoOtherDoes) {
  EXPECT_TRUE(rc::check([](const std::string& key, const std::string& name,
                           const std::string& value, bool query) {
    Edge edge;
    RequestHead head = Edge::bare();
    head.path = "/bucket/" + percent_encode(key, true);
    head.query = "p" + percent_encode(name, false) + "=" + percent_encode(value, false) + "&acl&e=";
    head.headers.add("x-amz-meta-a", " some   spaces\tin  here ");
    const int64_t now = edge.clock.now_ms;
    head = query ? edge.presigned(now, 60, head) : edge.signed_head(now, head);
    RC_ASSERT(edge.code(head) == "ok");
    RequestHead other = head;
    other.path += "x";
    RC_ASSERT(edge.code(other) == "SignatureDoesNotMatch");
    other = head;
    other.method = "PUT";
    RC_ASSERT(edge.code(other) == "SignatureDoesNotMatch");
    other = head;
    other.query += "&z=1";
    RC_ASSERT(edge.code(other) == "SignatureDoesNotMatch");
  }));
}

// minio-go signs the values of a repeated parameter in the order sent, others sorted.
TEST(Authenticator, RepeatedParametersInEitherOrder) {
  Edge edge;
  const auto signed_as = [&](RepeatedParams order, std::string query) {
    RequestHead head = edge.signed_head(edge.clock.now_ms);  // For its headers.
    head.query = std::move(query);
    const auto claim = parse_claim(head);
    EXPECT_TRUE(claim && *claim);
    const std::string text = string_to_sign((*claim)->timestamp, (*claim)->scope,
                                            *canonical_request(head, **claim, order));
    const std::string signature = signature_of(derive_signing_key("secret", (*claim)->scope), text);
    return with_authorization(head, replaced(std::string(head.headers.get("authorization")),
                                             (*claim)->signature, signature));
  };
  const std::string query = "events=b&ping=10&events=a&suffix=";
  EXPECT_EQ(edge.code(signed_as(RepeatedParams::by_value, query)), "ok");
  RequestHead as_sent = signed_as(RepeatedParams::as_sent, query);
  EXPECT_EQ(edge.code(as_sent), "ok");
  for (const char* other : {"events=a&ping=10&events=b&suffix=", "events=b&ping=10&suffix=",
                            "events=b&ping=10&events=a&events=a&suffix="}) {
    as_sent.query = other;
    EXPECT_EQ(edge.code(as_sent), "SignatureDoesNotMatch") << other;
  }
}

TEST(Authenticator, TheSameBytesInAnotherSpellingAreTheSameRequest) {
  Edge edge;
  RequestHead head = Edge::bare();
  head.path = "/bucket/a%20b%2Bc%3Dd/%7Ee";
  head.query = "prefix=a%20b&empty=";
  head = edge.signed_head(edge.clock.now_ms, head);
  for (const char* path : {"/bucket/a%20b+c=d/~e", "/bucket/%61%20b%2bc%3dd/~e"}) {
    RequestHead other = head;
    other.path = path;
    EXPECT_EQ(edge.code(other), "ok") << path;
  }
  for (const char* query : {"empty&prefix=a+b", "prefix=a%20b&empty"}) {
    RequestHead other = head;
    other.query = query;
    EXPECT_EQ(edge.code(other), "ok") << query;
  }
  RequestHead twice = head;
  twice.path = "/bucket/a%2520b%2Bc%3Dd/%7Ee";
  EXPECT_EQ(edge.code(twice), "SignatureDoesNotMatch");
}

TEST(Authenticator, NoOrUnknownOrWrongCredentials) {
  Edge edge;
  EXPECT_EQ(edge.code(Edge::bare()), "AccessDenied");
  Signer stranger("OTHER", "secret"), liar("AKID", "wrong");
  RequestHead head = Edge::bare();
  stranger.sign(&head, kUnsignedPayload, edge.clock.now_ms);
  EXPECT_EQ(edge.code(head), "InvalidAccessKeyId");
  head = Edge::bare();
  liar.sign(&head, kUnsignedPayload, edge.clock.now_ms);
  const auto refused = edge.authenticator.verify(head);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "SignatureDoesNotMatch");
  for (const auto& [name, value] : refused.error().details)
    EXPECT_EQ(value.find("secret"), std::string::npos) << name;
}

TEST(Authenticator, ANewSecretCountsAtOnce) {
  Edge edge;
  const RequestHead head = edge.signed_head(edge.clock.now_ms);
  EXPECT_EQ(edge.code(head), "ok");
  edge.keys.secret = "new";
  EXPECT_EQ(edge.code(head), "SignatureDoesNotMatch");
}

TEST(Authenticator, ClocksMayDifferByFifteenMinutes) {
  Edge edge;
  const int64_t now = edge.clock.now_ms;
  EXPECT_EQ(edge.code(edge.signed_head(now - kClockSkewMaxMs)), "ok");
  EXPECT_EQ(edge.code(edge.signed_head(now + kClockSkewMaxMs)), "ok");
  EXPECT_EQ(edge.code(edge.signed_head(now - kClockSkewMaxMs - 1000)), "RequestTimeTooSkewed");
  EXPECT_EQ(edge.code(edge.signed_head(now + kClockSkewMaxMs + 1000)), "RequestTimeTooSkewed");
}

TEST(Authenticator, PresignedRequestsExpire) {
  Edge edge;
  const int64_t now = edge.clock.now_ms;
  EXPECT_EQ(edge.code(edge.presigned(now - 60'000, 60)), "ok");
  EXPECT_EQ(edge.code(edge.presigned(now - 61'000, 60)), "AccessDenied");
  EXPECT_EQ(edge.code(edge.presigned(now + kClockSkewMaxMs + 1000, 60)), "AccessDenied");
  EXPECT_EQ(edge.code(edge.presigned(now, kPresignSecondsMax)), "ok");
  for (int64_t bad : {int64_t{0}, int64_t{-1}, kPresignSecondsMax + 1, INT64_MAX})
    EXPECT_EQ(edge.code(edge.presigned(now, bad)), "AuthorizationQueryParametersError") << bad;
}

TEST(Authenticator, TheScopeMustFit) {
  Edge edge;
  const RequestHead head = edge.signed_head(edge.clock.now_ms);
  const std::string value{head.headers.get("authorization")};
  const std::string day = amz_date(edge.clock.now_ms).substr(0, 8);
  for (const auto& [what, by] : std::vector<std::pair<std::string, std::string>>{
           {day + "/", "20010101/"}, {"/s3/", "/sts/"}, {"aws4_request", "aws5_request"}})
    EXPECT_EQ(edge.code(with_authorization(head, replaced(value, what, by))),
              "AuthorizationHeaderMalformed")
        << what;
}

TEST(Authenticator, TheRegionOnlyIfStrict) {
  Edge edge;
  edge.signer = Signer("AKID", "secret", "mars-north-1");
  const RequestHead head = edge.signed_head(edge.clock.now_ms);
  EXPECT_EQ(edge.code(head), "ok");
  const auto refused = edge.strict.verify(head);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(refused.error().details.at(0),
            std::make_pair(std::string("Region"), std::string("us-east-1")));
  EXPECT_EQ(refused.error().headers.at(0),  // For HEAD, whose answer has no body.
            std::make_pair(std::string("x-amz-bucket-region"), std::string("us-east-1")));
}

TEST(Authenticator, EveryAmzHeaderAndTheHostMustBeSigned) {
  Edge edge;
  for (bool query : {false, true}) {
    RequestHead head =
        query ? edge.presigned(edge.clock.now_ms, 60) : edge.signed_head(edge.clock.now_ms);
    head.headers.add("accept-encoding", "identity");
    EXPECT_EQ(edge.code(head), "ok");
    head.headers.add("x-amz-acl", "public-read");
    EXPECT_EQ(edge.code(head), "AccessDenied");
  }
  RequestHead head = edge.signed_head(edge.clock.now_ms);
  const std::string value{head.headers.get("authorization")};
  EXPECT_EQ(
      edge.code(with_authorization(head, replaced(value, "SignedHeaders=host;", "SignedHeaders="))),
      "AccessDenied");
}

TEST(Authenticator, OneMechanismOnly) {
  Edge edge;
  RequestHead both = edge.signed_head(edge.clock.now_ms);
  both.query = edge.presigned(edge.clock.now_ms, 60).query;
  EXPECT_EQ(edge.code(both), "InvalidArgument");
  RequestHead doubled = edge.signed_head(edge.clock.now_ms);
  doubled.headers.add("authorization", std::string(doubled.headers.get("authorization")));
  EXPECT_EQ(edge.code(doubled), "InvalidArgument");
  RequestHead params = edge.presigned(edge.clock.now_ms, 60);
  params.query += "&X-Amz-Credential=other";
  EXPECT_EQ(edge.code(params), "AuthorizationQueryParametersError");
  // Credentials without a proof, whatever the body is said to be.
  RequestHead half = Edge::bare();
  half.query = "X-Amz-Credential=AKID%2F20231114%2Fus-east-1%2Fs3%2Faws4_request";
  half.headers.add("x-amz-content-sha256", std::string(kStreamingUnsignedTrailer));
  EXPECT_EQ(edge.code(half), "AuthorizationQueryParametersError");
}

TEST(Authenticator, OtherSignatureVersions) {
  Edge edge;
  const auto header = [&](std::string value) {
    RequestHead head = Edge::bare();
    head.headers.add("authorization", std::move(value));
    return edge.code(head);
  };
  EXPECT_EQ(header("AWS AKID:c2ln"), "InvalidRequest");
  EXPECT_EQ(header("AWS4-ECDSA-P256-SHA256 Credential=AKID/20231114/s3/aws4_request"),
            "NotImplemented");
  EXPECT_EQ(header("Bearer token"), "InvalidArgument");
  EXPECT_EQ(header(""), "InvalidArgument");
  RequestHead v2 = Edge::bare();
  v2.query = "AWSAccessKeyId=AKID&Expires=1&Signature=x";
  EXPECT_EQ(edge.code(v2), "InvalidRequest");
  RequestHead v4a = edge.presigned(edge.clock.now_ms, 60);
  v4a.query = replaced(v4a.query, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
  EXPECT_EQ(edge.code(v4a), "NotImplemented");
}

TEST(Authenticator, MalformedAuthorizationHeaders) {
  Edge edge;
  const RequestHead good = edge.signed_head(edge.clock.now_ms);
  const std::string credential =
      "AKID/" + amz_date(edge.clock.now_ms).substr(0, 8) + "/us-east-1/s3/aws4_request";
  for (const std::string& bad : std::vector<std::string>{
           "", " ", " Credential", " Credential=" + credential,
           " Credential=" + credential + ",SignedHeaders=host",
           " Credential=" + credential + ",SignedHeaders=,Signature=0",
           " Credential=" + credential + ",SignedHeaders=host;;x-amz-date,Signature=0",
           " Credential=" + credential + ",SignedHeaders=host;host,Signature=0",
           " Credential=" + credential + ",SignedHeaders=host;a:b,Signature=0",
           " Credential=" + credential + ",SignedHeaders=host,Signature=",
           " Credential=" + credential + ",SignedHeaders=host,Signature=0,Signature=0",
           " Credential=AKID,SignedHeaders=host,Signature=0",
           " Credential=/20231114/us-east-1/s3/aws4_request,SignedHeaders=host,Signature=0",
           " Credential=" + credential + ",SignedHeaders=host,Signature=0,Extra=1"})
    EXPECT_EQ(edge.code(with_authorization(good, "AWS4-HMAC-SHA256" + bad)),
              "AuthorizationHeaderMalformed")
        << bad;
}

// They are decoded: what is signed must not have more lines than the request has fields.
TEST(Authenticator, SignedHeadersOfAQueryAreNames) {
  Edge edge;
  for (const char* name : {"%0A", "a%0Ab", "a%20b", "a%3Ab", "%C3%A4"}) {
    RequestHead head = edge.presigned(edge.clock.now_ms, 60);
    const size_t at = head.query.find("X-Amz-SignedHeaders=host") + 24;
    head.query.insert(at, std::string("%3B") + name);
    EXPECT_EQ(edge.code(head), "AuthorizationQueryParametersError") << name;
  }
}

TEST(Authenticator, DatesAndHashesAreRequired) {
  Edge edge;
  const RequestHead good = edge.signed_head(edge.clock.now_ms);
  const auto without = [&](std::string_view dropped) {
    RequestHead head = good;
    head.headers = {};
    for (const auto& [name, value] : good.headers.all())
      if (name != dropped) head.headers.add(name, value);
    return head;
  };
  EXPECT_EQ(edge.code(without("x-amz-date")), "AccessDenied");
  EXPECT_EQ(edge.code(without("x-amz-content-sha256")), "InvalidRequest");
  RequestHead doubled = good;
  doubled.headers.add("x-amz-date", "20200101T000000Z");
  EXPECT_EQ(edge.code(doubled), "AccessDenied");
  doubled = good;
  doubled.headers.add("x-amz-content-sha256", "x");
  EXPECT_EQ(edge.code(doubled), "InvalidArgument");
}

TEST(Authenticator, SessionTokensBelongToNoKeyOfOurs) {
  Edge edge;
  RequestHead head = Edge::bare();
  head.headers.add("x-amz-security-token", "token");
  EXPECT_EQ(edge.code(edge.signed_head(edge.clock.now_ms, head)), "InvalidToken");
  head = Edge::bare();
  head.query = "X-Amz-Security-Token=token";
  EXPECT_EQ(edge.code(edge.presigned(edge.clock.now_ms, 60, head)), "InvalidToken");
}

TEST(SigningKeys, TheCacheIsBoundedAndRight) {
  SigningKeyCache cache;
  for (size_t i = 0; i < 3 * SigningKeyCache::kEntriesMax; ++i) {
    const Scope scope{"20130524", "region-" + std::to_string(i % 2000), "s3"};
    ASSERT_EQ(cache.get("secret", scope), derive_signing_key("secret", scope));
  }
  EXPECT_LE(cache.size(), SigningKeyCache::kEntriesMax);
}

}  // namespace
}  // namespace kura::s3
