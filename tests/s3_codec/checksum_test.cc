#include "s3/codec/checksum.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

std::string hex_of(Algorithm algorithm, std::string_view bytes) {
  auto digest = make_digest(algorithm);
  digest->update(bytes);
  return hex_encode(digest->finish());
}

// The check values of the CRC catalogue, and of FIPS 180-4.
TEST(Checksum, KnownValues) {
  EXPECT_EQ(hex_of(v1::Checksum::CRC32, "123456789"), "cbf43926");
  EXPECT_EQ(hex_of(v1::Checksum::CRC32C, "123456789"), "e3069283");
  EXPECT_EQ(hex_of(v1::Checksum::CRC64NVME, "123456789"), "ae8b14860a799888");
  EXPECT_EQ(hex_of(v1::Checksum::SHA1, "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_of(v1::Checksum::SHA256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(md5_of("abc")), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(Checksum, PiecesMakeTheWhole) {
  EXPECT_TRUE(rc::check([](const std::vector<std::string>& pieces) {
    std::string whole;
    for (const auto& piece : pieces) whole += piece;
    for (int i = v1::Checksum::CRC32; i <= v1::Checksum::SHA256; ++i) {
      auto digest = make_digest(static_cast<Algorithm>(i));
      for (const auto& piece : pieces) digest->update(piece);
      RC_ASSERT(hex_encode(digest->finish()) == hex_of(static_cast<Algorithm>(i), whole));
    }
  }));
}

// One bit at a time, straight from the polynomial.
uint64_t crc_by_bits(std::string_view bytes, uint64_t polynomial, uint64_t ones) {
  uint64_t crc = ones;
  for (char c : bytes) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
  }
  return crc ^ ones;
}

std::string hex_of_pieces(Algorithm algorithm, std::string_view bytes, size_t cut) {
  auto digest = make_digest(algorithm);
  digest->update(bytes.substr(0, cut));
  digest->update(bytes.substr(cut));
  return hex_encode(digest->finish());
}

std::string hex_number(uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(value));
  return text;
}

TEST(Checksum, CrcsAgreeWithTheirDefinitions) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<size_t>(0, 1200);
    const auto bytes = *rc::gen::container<std::string>(size, rc::gen::arbitrary<char>());
    const auto cut = *rc::gen::inRange<size_t>(0, size + 1);
    RC_ASSERT(hex_of_pieces(v1::Checksum::CRC64NVME, bytes, cut) ==
              hex_number(crc_by_bits(bytes, 0x9a6c9329ac4bc9b5, ~0ull), 16));
    RC_ASSERT(hex_of_pieces(v1::Checksum::CRC32, bytes, cut) ==
              hex_number(crc_by_bits(bytes, 0xedb88320, 0xffffffff), 8));
    RC_ASSERT(hex_of_pieces(v1::Checksum::CRC32C, bytes, cut) ==
              hex_number(crc_by_bits(bytes, 0x82f63b78, 0xffffffff), 8));
  }));
}

S3Result<AnnouncedChecksum> announced(std::vector<Headers::Field> fields) {
  Headers headers;
  for (auto& [name, value] : fields) headers.add(name, value);
  return announced_checksum(headers);
}

TEST(Checksum, AnnouncedInHeaderOrTrailer) {
  const auto header =
      announced({{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-sdk-checksum-algorithm", "crc32"}});
  ASSERT_TRUE(header);
  EXPECT_EQ(header->algorithm, v1::Checksum::CRC32);
  EXPECT_EQ(hex_encode(header->value), "cbf43926");
  const auto trailer = announced({{"x-amz-trailer", "X-Amz-Checksum-CRC64NVME"}});
  ASSERT_TRUE(trailer);
  EXPECT_TRUE(trailer->trailer);
  EXPECT_EQ(trailer->algorithm, v1::Checksum::CRC64NVME);
  EXPECT_EQ(announced({{"x-amz-checksum-mode", "ENABLED"}})->algorithm, v1::Checksum::NONE);
}

TEST(Checksum, ContradictionsAreRefused) {
  const std::vector<std::vector<Headers::Field>> bad = {
      {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-sha1", "x"}},
      {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-checksum-crc32", "y/Q5Jg=="}},
      {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-trailer", "x-amz-checksum-crc32"}},
      {{"x-amz-checksum-crc32", "y/Q5"}},
      {{"x-amz-checksum-crc32", "not base64"}},
      {{"x-amz-checksum-md4", "y/Q5Jg=="}},
      {{"x-amz-trailer", "x-amz-meta-a"}},
      {{"x-amz-sdk-checksum-algorithm", "CRC32"}},
      {{"x-amz-checksum-crc32", "y/Q5Jg=="}, {"x-amz-sdk-checksum-algorithm", "SHA1"}},
  };
  for (const auto& fields : bad) {
    const auto result = announced(fields);
    ASSERT_FALSE(result) << fields[0].first;
    EXPECT_EQ(result.error().code, "InvalidRequest");
  }
}

TEST(Checksum, CompositeValuesCountTheirParts) {
  v1::Checksum checksum;
  checksum.set_algorithm(v1::Checksum::CRC32);
  checksum.set_type(v1::Checksum::COMPOSITE);
  checksum.set_value("\xcb\xf4\x39\x26");
  EXPECT_EQ(format_checksum(checksum, 3), "y/Q5Jg==-3");
  checksum.set_type(v1::Checksum::FULL_OBJECT);
  EXPECT_EQ(format_checksum(checksum, 3), "y/Q5Jg==");
}

}  // namespace
}  // namespace kura::s3
