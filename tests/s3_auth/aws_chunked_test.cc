#include "s3/auth/aws_chunked.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "s3/auth/signer.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

constexpr char kCrcName[] = "x-amz-checksum-crc32";
constexpr char kCrc[] = "y/Q5Jg==";

ChunkSigner seed_signer() {
  const Scope scope{"20130524", "us-east-1", "s3"};
  return {derive_signing_key("secret", scope), "20130524T000000Z", scope, std::string(64, 'a')};
}

enum class Form { signed_chunks, signed_trailer, unsigned_trailer };

AwsChunkedDecoder::Options options(Form form, uint64_t size) {
  AwsChunkedDecoder::Options o;
  o.decoded_bytes = size;
  if (form != Form::unsigned_trailer) o.signer = seed_signer();
  o.trailer = form != Form::signed_chunks;
  if (o.trailer) o.trailer_name = kCrcName;
  return o;
}

std::string encode(Form form, std::string_view body, size_t chunk_bytes) {
  ChunkSigner signer = seed_signer();
  std::vector<Headers::Field> trailer;
  if (form != Form::signed_chunks) trailer.emplace_back(kCrcName, kCrc);
  return encode_aws_chunked(body, chunk_bytes, form == Form::unsigned_trailer ? nullptr : &signer,
                            trailer);
}

// "ok:" and the payload; an error's code; "unfinished".
std::string decode(AwsChunkedDecoder decoder, std::string_view wire, size_t piece) {
  std::string out;
  while (!wire.empty()) {
    std::string bytes(wire.substr(0, piece));
    wire.remove_prefix(bytes.size());
    if (auto decoded = decoder.decode(&bytes); !decoded) return decoded.error().code;
    out += bytes;
  }
  return decoder.done() ? "ok:" + out : "unfinished";
}

std::string decode(Form form, uint64_t size, std::string_view wire, size_t piece = 1 << 20) {
  return decode(AwsChunkedDecoder(options(form, size)), wire, piece);
}

TEST(AwsChunked, EveryFormSurvivesAnyCut) {
  EXPECT_TRUE(rc::check([] {
    const auto body = *rc::gen::arbitrary<std::string>();
    const auto chunk = *rc::gen::inRange<size_t>(1, 40);
    const auto piece = *rc::gen::inRange<size_t>(1, 100);
    const auto form =
        *rc::gen::element(Form::signed_chunks, Form::signed_trailer, Form::unsigned_trailer);
    RC_ASSERT(decode(form, body.size(), encode(form, body, chunk), piece) == "ok:" + body);
  }));
}

// Whatever single byte changes, a signed body is never taken for good.
TEST(AwsChunked, NoByteOfASignedBodyCanChange) {
  const std::string body = "some bytes that matter";
  const std::string wire = encode(Form::signed_trailer, body, 8);
  for (size_t i = 0; i < wire.size(); ++i)
    for (char flip : {'\x01', '\x20', '\x80'}) {
      std::string changed = wire;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const std::string got = decode(Form::signed_trailer, body.size(), changed);
      if (!got.starts_with("ok")) continue;
      // Letter case in a size or in a field's name is the only freedom.
      EXPECT_EQ(got, "ok:" + body) << i;
      EXPECT_EQ(lower_case(changed), lower_case(wire)) << i;
    }
}

TEST(AwsChunked, ChunksCannotBeDroppedDoubledOrSwapped) {
  const Form form = Form::signed_chunks;
  const std::string body = "aaaabbbb";
  const std::string wire = encode(form, body, 4);
  const size_t second = wire.find("4;", 1);
  const size_t last = wire.find("0;");
  const std::string one = wire.substr(0, second), two = wire.substr(second, last - second),
                    end = wire.substr(last);
  EXPECT_EQ(decode(form, 8, one + two + end), "ok:" + body);
  EXPECT_EQ(decode(form, 8, two + one + end), "SignatureDoesNotMatch");
  EXPECT_EQ(decode(form, 8, one + one + end), "SignatureDoesNotMatch");
  EXPECT_EQ(decode(form, 4, one + end), "SignatureDoesNotMatch");
  EXPECT_EQ(decode(form, 8, one + end), "IncompleteBody");
  EXPECT_EQ(decode(form, 8, one + two), "unfinished");
  EXPECT_EQ(decode(form, 8, one + two + end.substr(0, end.size() - 2)), "unfinished");
  EXPECT_EQ(decode(form, 8, one + two + end + "x"), "InvalidRequest");
}

TEST(AwsChunked, TheDecodedLengthIsHeld) {
  const std::string wire = encode(Form::signed_chunks, "12345", 5);
  EXPECT_EQ(decode(Form::signed_chunks, 4, wire), "IncompleteBody");
  EXPECT_EQ(decode(Form::signed_chunks, 6, wire), "IncompleteBody");
}

TEST(AwsChunked, TrailersAreThoseAnnounced) {
  const auto got = [](std::string_view trailer) {
    return decode(Form::unsigned_trailer, 1, "1\r\na\r\n0\r\n" + std::string(trailer));
  };
  const std::string field = std::string(kCrcName) + ":" + kCrc + "\r\n";
  EXPECT_EQ(got(field + "\r\n"), "ok:a");
  EXPECT_EQ(got("X-Amz-Checksum-CRC32: y/Q5Jg== \r\n\r\n"), "ok:a");
  // The form of AWS's documentation.
  EXPECT_EQ(got(std::string(kCrcName) + ":" + kCrc + "\n\r\n\r\n"), "ok:a");
  EXPECT_EQ(got("\r\n"), "MalformedTrailerError");
  EXPECT_EQ(got(field + field + "\r\n"), "MalformedTrailerError");
  EXPECT_EQ(got("x-amz-meta-a:b\r\n" + field + "\r\n"), "MalformedTrailerError");
  EXPECT_EQ(got("no colon\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(got(":v\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(got("x-amz-trailer-signature:00\r\n\r\n"), "MalformedTrailerError");
  EXPECT_EQ(decode(Form::signed_chunks, 0, encode(Form::signed_trailer, "", 1)),
            "MalformedTrailerError");
}

TEST(AwsChunked, ASignedTrailerNeedsItsSignature) {
  const std::string wire = encode(Form::signed_trailer, "abc", 8);
  const size_t at = wire.find("x-amz-trailer-signature");
  EXPECT_EQ(decode(Form::signed_trailer, 3, wire.substr(0, at) + "\r\n"), "MalformedTrailerError");
  EXPECT_EQ(
      decode(Form::signed_trailer, 3,
             wire.substr(0, at) + "x-amz-trailer-signature:" + std::string(64, '0') + "\r\n\r\n"),
      "SignatureDoesNotMatch");
}

TEST(AwsChunked, OnlyTheGrammarPasses) {
  for (const char* bad : {"x\r\n", "\r\n", "-1\r\na\r\n", "+1\r\na\r\n", " 1\r\na\r\n",
                          "0x1\r\na\r\n", "1\na\n0\n\n", "1\r\nab\r\n", "1\r\na0\r\n\r\n",
                          "1;ext=1\r\na\r\n", "10000000000000001\r\na\r\n", "1 \r\na\r\n"})
    EXPECT_EQ(decode(Form::unsigned_trailer, 1, bad), "InvalidRequest") << bad;
  EXPECT_EQ(decode(Form::unsigned_trailer, 1, "ffffffffffffffff\r\na\r\n"), "IncompleteBody");
  EXPECT_EQ(decode(Form::signed_chunks, 1, "1\r\na\r\n"), "SignatureDoesNotMatch");
}

TEST(AwsChunked, LinesAreBounded) {
  EXPECT_EQ(decode(Form::unsigned_trailer, 1, std::string(100'000, '0'), 1000), "InvalidRequest");
  EXPECT_EQ(decode(Form::unsigned_trailer, 0, "0\r\n" + std::string(100'000, 'a'), 1000),
            "InvalidRequest");
}

TEST(AwsChunked, NoiseNeverPasses) {
  EXPECT_TRUE(rc::check([] {
    const auto noise = *rc::gen::arbitrary<std::string>();
    const auto piece = *rc::gen::inRange<size_t>(1, 50);
    RC_ASSERT(!decode(Form::signed_chunks, noise.size(), noise, piece).starts_with("ok"));
  }));
}

}  // namespace
}  // namespace kura::s3
