#include "s3/auth/body.h"

#include <gtest/gtest.h>

#include "s3/auth/signer.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "sim/sim_loop.h"

namespace kura::s3 {
namespace {

class Pieces : public BodySource {
 public:
  explicit Pieces(std::string bytes, size_t piece = 7) : bytes_(std::move(bytes)), piece_(piece) {}
  Task<S3Result<std::string>> next() override {
    std::string out = bytes_.substr(0, piece_);
    bytes_.erase(0, out.size());
    co_return out;
  }
  std::optional<uint64_t> length_bytes() const override { return bytes_.size(); }
  const Headers& trailer() const override { return trailer_; }

 private:
  std::string bytes_;
  size_t piece_;
  Headers trailer_;
};

struct Outcome {
  std::string code = "unfinished";  // "ok" at the good end.
  std::string bytes;
  std::string md5;
  v1::Checksum checksum;
  std::optional<uint64_t> length;
};

Task<void> read_all(BodySource* raw, RequestHead head, VerifiedRequest request, Outcome* out) {
  auto body = make_verified_body(*raw, head, request);
  if (!body) {
    out->code = body.error().code;
    co_return;
  }
  out->length = (*body)->length_bytes();
  while (true) {
    S3Result<std::string> bytes = co_await (*body)->next();
    if (!bytes) {
      out->code = bytes.error().code;
      co_return;
    }
    if (bytes->empty()) break;
    out->bytes += *bytes;
  }
  out->code = "ok";
  out->md5 = (*body)->md5();
  out->checksum = (*body)->checksum();
}

Outcome read(std::string wire, std::string payload_hash, std::vector<Headers::Field> headers) {
  sim::SimWorld world(1);
  sim::SimClock clock(world);
  sim::SimLoop loop(world, "test", clock);
  Pieces raw(std::move(wire));
  RequestHead head;
  for (auto& [name, value] : headers) head.headers.add(name, value);
  const Scope scope{"20130524", "us-east-1", "s3"};
  VerifiedRequest request;
  request.payload_hash = std::move(payload_hash);
  request.chunks = {derive_signing_key("secret", scope), "20130524T000000Z", scope,
                    std::string(64, 'a')};
  Outcome out;
  spawn(loop, read_all(&raw, head, request, &out));
  world.run_for(sim::kSecond);
  return out;
}

const std::string kBody = "123456789";
const std::string kUnsigned{kUnsignedPayload};
const std::string kMd5 = base64_encode(md5_of(kBody));

TEST(Body, PlainWithItsHash) {
  const Outcome good = read(kBody, payload_hash_of(kBody), {});
  EXPECT_EQ(good.code, "ok");
  EXPECT_EQ(good.bytes, kBody);
  EXPECT_EQ(good.md5, md5_of(kBody));
  EXPECT_EQ(good.length, 9u);
  EXPECT_EQ(good.checksum.algorithm(), v1::Checksum::NONE);
  EXPECT_EQ(read("12345678", payload_hash_of(kBody), {}).code, "XAmzContentSHA256Mismatch");
  EXPECT_EQ(read("", payload_hash_of(""), {}).code, "ok");
}

TEST(Body, ContentMd5) {
  EXPECT_EQ(read(kBody, kUnsigned, {{"content-md5", kMd5}}).code, "ok");
  EXPECT_EQ(read("other", kUnsigned, {{"content-md5", kMd5}}).code, "BadDigest");
  for (const char* bad : {"", "x", "YWJj", "not base64 at all!!!!!!"})
    EXPECT_EQ(read(kBody, kUnsigned, {{"content-md5", bad}}).code, "InvalidDigest") << bad;
  EXPECT_EQ(read(kBody, kUnsigned, {{"content-md5", kMd5}, {"content-md5", kMd5}}).code,
            "InvalidDigest");
}

TEST(Body, EveryChecksumInAHeader) {
  for (int i = v1::Checksum::CRC32; i <= v1::Checksum::SHA256; ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    auto digest = make_digest(algorithm);
    digest->update(kBody);
    const std::string raw = digest->finish();
    const std::string name{checksum_header(algorithm)};
    for (const std::string& hash : {kUnsigned, payload_hash_of(kBody)}) {
      const Outcome good = read(kBody, hash, {{name, base64_encode(raw)}});
      EXPECT_EQ(good.code, "ok") << name;
      EXPECT_EQ(good.checksum.algorithm(), algorithm);
      EXPECT_EQ(good.checksum.value(), raw);
      EXPECT_EQ(good.checksum.type(), v1::Checksum::FULL_OBJECT);
    }
    EXPECT_EQ(read("other", kUnsigned, {{name, base64_encode(raw)}}).code, "BadDigest") << name;
  }
}

TEST(Body, UnsignedChunksWithATrailer) {
  const std::vector<Headers::Field> headers = {{"x-amz-decoded-content-length", "9"},
                                               {"x-amz-trailer", "x-amz-checksum-crc32"}};
  const std::string form{kStreamingUnsignedTrailer};
  const auto wire = [](std::string value) {
    return encode_aws_chunked(kBody, 4, nullptr, {{"x-amz-checksum-crc32", value}});
  };
  const Outcome good = read(wire("y/Q5Jg=="), form, headers);
  EXPECT_EQ(good.code, "ok");
  EXPECT_EQ(good.bytes, kBody);
  EXPECT_EQ(good.length, 9u);
  EXPECT_EQ(hex_encode(good.checksum.value()), "cbf43926");
  EXPECT_EQ(read(wire("y/Q5Jw=="), form, headers).code, "BadDigest");
  EXPECT_EQ(read(wire("junk"), form, headers).code, "InvalidRequest");
  EXPECT_EQ(read(encode_aws_chunked(kBody, 4, nullptr, {}), form, headers).code,
            "MalformedTrailerError");
  EXPECT_EQ(read(wire("y/Q5Jg=="), form, {{"x-amz-decoded-content-length", "9"}}).code,
            "MalformedTrailerError");
  const std::string cut = wire("y/Q5Jg==");
  EXPECT_EQ(read(cut.substr(0, cut.size() - 3), form, headers).code, "IncompleteBody");
}

TEST(Body, SignedChunks) {
  const Scope scope{"20130524", "us-east-1", "s3"};
  ChunkSigner signer{derive_signing_key("secret", scope), "20130524T000000Z", scope,
                     std::string(64, 'a')};
  std::string wire = encode_aws_chunked(kBody, 4, &signer, {});
  const std::string form{kStreamingSigned};
  EXPECT_EQ(read(wire, form, {{"x-amz-decoded-content-length", "9"}}).code, "ok");
  EXPECT_EQ(read(wire, form, {}).code, "MissingContentLength");
  EXPECT_EQ(read(wire, form, {{"x-amz-decoded-content-length", "-9"}}).code, "InvalidArgument");
  wire[wire.find("1234")] = '0';
  EXPECT_EQ(read(wire, form, {{"x-amz-decoded-content-length", "9"}}).code,
            "SignatureDoesNotMatch");
}

TEST(Body, FormsThatAreRefusedUnread) {
  EXPECT_EQ(read(kBody, "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", {}).code,
            "NotImplemented");
  for (const char* bad : {"", "abc", "UNSIGNED", "STREAMING-UNSIGNED-PAYLOAD"})
    EXPECT_EQ(read(kBody, bad, {}).code, "InvalidArgument") << bad;
  EXPECT_EQ(read(kBody, std::string(64, 'g'), {}).code, "InvalidArgument");
  EXPECT_EQ(read(kBody, kUnsigned, {{"x-amz-trailer", "x-amz-checksum-crc32"}}).code,
            "InvalidRequest");
}

}  // namespace
}  // namespace kura::s3
