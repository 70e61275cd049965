#include "s3/http/parser.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/limits.h"

namespace kura::s3 {
namespace {

std::string request(std::string_view line, std::string_view fields) {
  return std::string(line) + "\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

// "ok", "more" or an error's code.
std::string verdict(std::string_view bytes) {
  const auto parsed = parse_head(bytes);
  if (!parsed) {
    EXPECT_TRUE(parsed.error().close) << bytes;
    return parsed.error().code;
  }
  return *parsed ? "ok" : "more";
}

RequestHead parsed(std::string_view bytes) {
  auto result = parse_head(bytes);
  EXPECT_TRUE(result && *result) << bytes;
  return result && *result ? (*result)->head : RequestHead{};
}

TEST(Parser, TakesAHeadApart) {
  const std::string bytes = request("PUT /b/a%20b?x=1&y HTTP/1.1",
                                    "X-Amz-Meta-A:  some value \r\nContent-Length: 5\r\n"
                                    "x-amz-meta-a: second\r\nExpect: 100-continue\r\n");
  const auto result = parse_head(bytes + "body and more");
  ASSERT_TRUE(result && *result);
  const RequestHead& head = (*result)->head;
  EXPECT_EQ((*result)->size_bytes, bytes.size());
  EXPECT_EQ(head.method, "PUT");
  EXPECT_EQ(head.path, "/b/a%20b");
  EXPECT_EQ(head.query, "x=1&y");
  EXPECT_EQ(head.headers.get("x-amz-meta-a"), "some value");
  EXPECT_EQ(head.headers.count("x-amz-meta-a"), 2u);
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.expect_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

TEST(Parser, EveryCutOfAHeadIsIncomplete) {
  const std::string bytes = request("GET / HTTP/1.1", "A: b\r\n");
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_EQ(verdict(bytes.substr(0, n)), "more") << n;
  EXPECT_EQ(verdict(bytes), "ok");
}

TEST(Parser, BytesThatTwoReadersCouldReadDifferently) {
  for (const char* fields : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 5\r\n",
           "Content-Length: 5\r\nContent-Length: 6\r\n",
           "Content-Length: 5, 5\r\n",
           "Content-Length: -1\r\n",
           "Content-Length: +1\r\n",
           "Content-Length: 0x5\r\n",
           "Content-Length: 1 1\r\n",
           "Content-Length: \r\n",
           "Content-Length: 18446744073709551616\r\n",
           "Content-Length: 18446744073709551615\r\n",
           "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
           "Transfer-Encoding: chunked, chunked\r\n",
           "Transfer-Encoding: identity\r\n",
           "Transfer-Encoding: gzip, chunked\r\n",
           "Transfer-Encoding: xchunked\r\n",
           "Transfer-Encoding:\r\n",
           "A: b\r\n c\r\n",
           "A: b\r\n\tc\r\n",
           "Content-Length : 5\r\n",
           "A : b\r\n",
           " A: b\r\n",
           ": b\r\n",
           "A\r\n",
           "A b: c\r\n",
           "A: b\nC: d\r\n",
           "A: b\rC: d\r\n",
           "A: b\x01\r\n",
           "A: b\x7f\r\n",
           "Host: other\r\n",
       })
    EXPECT_EQ(verdict(request("PUT /k HTTP/1.1", fields)), "BadRequest") << fields;
  EXPECT_EQ(verdict(request("PUT /k HTTP/1.1", std::string_view("A: b\0c\r\n", 8))), "BadRequest");
}

TEST(Parser, RequestLines) {
  for (const char* line : {"GET ftp://h/k HTTP/1.1",
                           "GET http:///k HTTP/1.1",
                           "GET http:// HTTP/1.1",
                           "GET http:h/k HTTP/1.1",
                           "GET http://u@h/k HTTP/1.1",
                           "OPTIONS * HTTP/1.1",
                           "CONNECT h:80 HTTP/1.1",
                           "GET k HTTP/1.1",
                           "GET  /k HTTP/1.1",
                           "GET /a b HTTP/1.1",
                           "GET /k  HTTP/1.1",
                           "GET /k HTTP/1.1 ",
                           "GET /k HTTP/2.0",
                           "GET /k HTTP/0.9",
                           "GET /k HTTP/1.2",
                           "GET /k HTTP/11",
                           "GET /k http/1.1",
                           "GET /k",
                           "GET",
                           "/k HTTP/1.1",
                           "G\x01T /k HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "",
                           " GET /k HTTP/1.1"})
    EXPECT_EQ(verdict(request(line, "")), "BadRequest") << line;
  EXPECT_EQ(parsed(request("GET /? HTTP/1.1", "")).query, "");
  EXPECT_EQ(parsed(request("GET //a/../b?c?d HTTP/1.1", "")).path, "//a/../b");
  EXPECT_EQ(parsed(request("GET //a/../b?c?d HTTP/1.1", "")).query, "c?d");
  EXPECT_EQ(parsed(request("GET /\xc3\xa9 HTTP/1.1", "")).path, "/\xc3\xa9");
}

// RFC 9112, 3.2.2: the target's host, and no other, is the host of the request.
TEST(Parser, AbsoluteTargets) {
  const RequestHead head =
      parsed(request("GET http://b.s3.test:9000/a%20k?x=1 HTTP/1.1", "A: b\r\n"));
  EXPECT_EQ(head.path, "/a%20k");
  EXPECT_EQ(head.query, "x=1");
  EXPECT_EQ(head.headers.count("host"), 1u);
  EXPECT_EQ(head.headers.get("host"), "b.s3.test:9000");
  EXPECT_EQ(head.headers.get("a"), "b");
  EXPECT_EQ(parsed(request("GET HTTPS://[::1]:9/k HTTP/1.1", "")).headers.get("host"), "[::1]:9");
  EXPECT_EQ(parsed(request("GET http://h HTTP/1.1", "")).path, "/");
  const RequestHead queried = parsed(request("GET http://h?acl HTTP/1.1", ""));
  EXPECT_EQ(queried.path, "/");
  EXPECT_EQ(queried.query, "acl");
  EXPECT_EQ(parsed("GET http://h/k HTTP/1.0\r\n\r\n").headers.get("host"), "h");
  // It replaces no missing or doubled field.
  EXPECT_EQ(verdict("GET http://h/k HTTP/1.1\r\nA: b\r\n\r\n"), "BadRequest");
  EXPECT_EQ(verdict(request("GET http://h/k HTTP/1.1", "Host: h\r\n")), "BadRequest");
}

TEST(Parser, AnotherExpectationFails) {
  EXPECT_EQ(verdict(request("PUT /k HTTP/1.1", "Expect: 200-ok\r\n")), "ExpectationFailed");
  EXPECT_EQ(parse_head(request("PUT /k HTTP/1.1", "Expect: x\r\n")).error().status, 417);
}

TEST(Parser, WhatCannotBecomeAHeadIsRefusedEarly) {
  EXPECT_EQ(verdict("\x16\x03\x01"), "BadRequest");  // A TLS greeting.
  EXPECT_EQ(verdict("GET / HTTP/1.1\nHost: h\n\n"), "BadRequest");
  EXPECT_EQ(verdict("\r\nGET"), "BadRequest");
}

TEST(Parser, AHostIsNamedOnce) {
  EXPECT_EQ(verdict("GET / HTTP/1.1\r\nA: b\r\n\r\n"), "BadRequest");
  EXPECT_EQ(verdict("GET / HTTP/1.0\r\nA: b\r\n\r\n"), "ok");
}

TEST(Parser, KeepAlive) {
  EXPECT_FALSE(parsed(request("GET / HTTP/1.1", "Connection: Close\r\n")).keep_alive);
  EXPECT_FALSE(parsed(request("GET / HTTP/1.1", "Connection: te, close\r\n")).keep_alive);
  EXPECT_FALSE(
      parsed(request("GET / HTTP/1.1", "Connection: te\r\nConnection: close\r\n")).keep_alive);
  EXPECT_TRUE(parsed(request("GET / HTTP/1.1", "Connection: closed\r\n")).keep_alive);
}

TEST(Parser, Http10IsAnsweredWithoutItsConventions) {
  const RequestHead head =
      parsed(request("PUT / HTTP/1.0", "Connection: keep-alive\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(head.minor_version, 0);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_FALSE(head.expect_continue);
  EXPECT_EQ(verdict(request("PUT / HTTP/1.0", "Transfer-Encoding: chunked\r\n")), "BadRequest");
}

TEST(Parser, SizeAndCountAreBounded) {
  std::string many;
  for (int i = 0; i < 999; ++i) many += "A" + std::to_string(i) + ": b\r\n";  // Host is one more.
  EXPECT_EQ(parsed(request("GET / HTTP/1.1", many)).headers.all().size(), 1000u);
  EXPECT_EQ(verdict(request("GET / HTTP/1.1", many + "B: b\r\n")), "RequestHeaderSectionTooLarge");
  const std::string endless = "GET / HTTP/1.1\r\nA: " + std::string(kHttpHeadBytesMax, 'a');
  EXPECT_EQ(verdict(endless), "RequestHeaderSectionTooLarge");
  EXPECT_EQ(verdict(endless + "\r\n\r\n"), "RequestHeaderSectionTooLarge");
  const std::string large(16 * kKiB, 'a');
  EXPECT_EQ(parsed(request("GET /?" + large + " HTTP/1.1", "")).query, large);
}

TEST(Parser, NoiseIsAnswered) {
  EXPECT_TRUE(rc::check([](const std::string& noise) {
    (void)verdict(noise + "\r\n\r\n");
    (void)verdict("GET / HTTP/1.1\r\nHost: h\r\n" + noise + "\r\n\r\n");
  }));
}

}  // namespace
}  // namespace kura::s3
