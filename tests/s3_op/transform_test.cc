#include "s3/op/transform.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>

#include "sim/sim_random.h"

namespace kura::s3 {
namespace {

constexpr auto kIdentity = v1::Envelope::IDENTITY;
constexpr auto kPadding = v1::Envelope::TEST_PADDING;

std::string bytes_of(uint64_t size, uint64_t seed) {
  sim::SimRandom random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random.draw());
  return out;
}

// Through the encoder in pieces of `piece` bytes.
std::string encode(v1::Envelope::Transform transform, const std::string& plain, size_t piece) {
  Encoder encoder(transform);
  std::string stored;
  for (size_t at = 0; at < plain.size(); at += piece)
    stored += encoder.feed(plain.substr(at, piece));
  return stored + encoder.finish();
}

Result<std::string> decode(v1::Envelope::Transform transform, uint64_t plain_bytes, ByteRange range,
                           const std::string& stored, size_t piece) {
  Decoder decoder(transform, plain_bytes, range);
  std::string plain;
  for (size_t at = 0; at < stored.size(); at += piece) {
    Result<std::string> out = decoder.feed(stored.substr(at, piece));
    if (!out) return out;
    plain += *out;
  }
  if (auto complete = decoder.finish(); !complete) return fail(complete.error());
  return plain;
}

TEST(Transform, StoredSizes) {
  EXPECT_EQ(stored_bytes(kIdentity, 12345), 12345u);
  EXPECT_EQ(stored_bytes(kPadding, 0), 0u);
  EXPECT_EQ(stored_bytes(kPadding, 1), 17u);
  EXPECT_EQ(stored_bytes(kPadding, 65536), 65552u);
  EXPECT_EQ(stored_bytes(kPadding, 65537), 65569u);
}

TEST(Transform, EveryRangeOfEveryBodyComesBack) {
  rc::check([] {
    auto transform = *rc::gen::element(kIdentity, kPadding);
    // Sizes around block borders as often as others.
    uint64_t size = *rc::gen::oneOf(rc::gen::inRange<uint64_t>(0, 200'000),
                                    rc::gen::map(rc::gen::inRange<uint64_t>(0, 9), [](uint64_t n) {
                                      return (n / 3 + 1) * kTransformBlockBytes + n % 3 - 1;
                                    }));
    uint64_t offset = *rc::gen::inRange<uint64_t>(0, size + 1);
    uint64_t length = *rc::gen::inRange<uint64_t>(0, size - offset + 1);
    size_t write_piece = *rc::gen::inRange<size_t>(1, 100'000);
    size_t read_piece = *rc::gen::inRange<size_t>(1, 100'000);
    std::string plain = bytes_of(size, size * 31 + offset);
    std::string stored = encode(transform, plain, write_piece);
    RC_ASSERT(stored.size() == stored_bytes(transform, size));

    ByteRange range{offset, length};
    ByteRange needed = stored_range(transform, size, range);
    RC_ASSERT(needed.offset_bytes + needed.length_bytes <= stored.size());
    // No more than the blocks that the range touches.
    RC_ASSERT(needed.length_bytes <= length + 2 * (kTransformBlockBytes + kTransformPadBytes) +
                                         kTransformPadBytes * (length / kTransformBlockBytes));
    if (length == 0) return;
    Result<std::string> got =
        decode(transform, size, range, stored.substr(needed.offset_bytes, needed.length_bytes),
               read_piece);
    RC_ASSERT(got.has_value());
    RC_ASSERT(*got == plain.substr(offset, length));
  });
}

TEST(Transform, WrongPaddingIsCorrupt) {
  std::string plain = bytes_of(200'000, 1);
  std::string stored = encode(kPadding, plain, 1000);
  ByteRange all{0, plain.size()};
  ASSERT_TRUE(decode(kPadding, plain.size(), all, stored, 999));

  std::string damaged = stored;
  damaged[kTransformBlockBytes + 5] ^= 1;
  EXPECT_EQ(decode(kPadding, plain.size(), all, damaged, 999).error().code, Errc::corrupt);
  // The second block where the first belongs: every pad names its block.
  std::string shifted = stored.substr(kTransformBlockBytes + kTransformPadBytes);
  EXPECT_EQ(decode(kPadding, plain.size(), all, shifted, 999).error().code, Errc::corrupt);
  EXPECT_EQ(decode(kPadding, plain.size(), all, stored + "x", 999).error().code, Errc::corrupt);
}

TEST(Transform, MissingBytesAreCorrupt) {
  for (auto transform : {kIdentity, kPadding}) {
    std::string plain = bytes_of(70'000, 2);
    std::string stored = encode(transform, plain, 70'000);
    for (size_t cut : {size_t{1}, size_t{16}, size_t{5000}}) {
      auto got = decode(transform, plain.size(), {0, plain.size()},
                        stored.substr(0, stored.size() - cut), 8192);
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error().code, Errc::corrupt);
    }
  }
}

TEST(Transform, UnknownOnesAreUnsupported) {
  v1::Envelope envelope;
  EXPECT_TRUE(check_transform(envelope));
  envelope.set_transform(v1::Envelope::AES_256_GCM);
  auto refused = check_transform(envelope);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
}

}  // namespace
}  // namespace kura::s3
