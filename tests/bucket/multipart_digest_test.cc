#include "actors/bucket/multipart_digest.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/crc32c.h"
#include "base/crc_combine.h"

namespace kura {
namespace {

template <class Word>
Word bitwise(Word polynomial, std::string_view data) {
  Word crc = ~Word{0};
  for (char c : data) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
  }
  return ~crc;
}

uint32_t crc32(std::string_view data) { return bitwise<uint32_t>(0xedb88320, data); }
uint64_t crc64nvme(std::string_view data) { return bitwise<uint64_t>(0x9a6c9329ac4bc9b5, data); }

template <class Word>
std::string big_endian(Word value) {
  std::string out(sizeof(Word), '\0');
  for (size_t i = sizeof(Word); i-- > 0; value >>= 8) out[i] = static_cast<char>(value);
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

TEST(CrcCombine, TheCheckValuesOfTheThreeCrcs) {
  // "123456789", from the catalogue of parametrised CRC algorithms.
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(crc64nvme("123456789"), 0xae8b14860a799888u);
  EXPECT_EQ(crc32_combine(crc32("1234"), crc32("56789"), 5), 0xcbf43926u);
  EXPECT_EQ(crc32c_combine(crc32c("1234"), crc32c("56789"), 5), 0xe3069283u);
  EXPECT_EQ(crc64nvme_combine(crc64nvme("1234"), crc64nvme("56789"), 5), 0xae8b14860a799888u);
}

TEST(CrcCombine, IsTheCrcOfBothTogether) {
  ASSERT_TRUE(rc::check([](const std::string& a, const std::string& b) {
    RC_ASSERT(crc32_combine(crc32(a), crc32(b), b.size()) == crc32(a + b));
    RC_ASSERT(crc32c_combine(crc32c(a), crc32c(b), b.size()) == crc32c(a + b));
    RC_ASSERT(crc64nvme_combine(crc64nvme(a), crc64nvme(b), b.size()) == crc64nvme(a + b));
  }));
}

TEST(CrcCombine, LongZerosNeedNoBytes) {
  // 2^32 + 1 bytes: the length must not be cut to 32 bits.
  const std::string block(1 << 20, '\0');
  uint32_t crc = crc32c("x");
  for (int i = 0; i < 4096; ++i) crc = crc32c_extend(crc, block);
  crc = crc32c_extend(crc, std::string_view("\0", 1));
  uint32_t zeros = crc32c(block);
  for (uint64_t size = 1 << 20; size < 1ull << 32; size *= 2)
    zeros = crc32c_combine(zeros, zeros, size);
  zeros = crc32c_combine(zeros, crc32c(std::string_view("\0", 1)), 1);
  EXPECT_EQ(crc32c_combine(crc32c("x"), zeros, (1ull << 32) + 1), crc);
}

v1::Part part(std::string_view body, v1::Checksum::Algorithm algorithm) {
  v1::Part out;
  out.set_size_bytes(body.size());
  out.mutable_checksum()->set_algorithm(algorithm);
  if (algorithm == v1::Checksum::CRC32) out.mutable_checksum()->set_value(big_endian(crc32(body)));
  if (algorithm == v1::Checksum::CRC32C)
    out.mutable_checksum()->set_value(big_endian(crc32c(body)));
  if (algorithm == v1::Checksum::CRC64NVME)
    out.mutable_checksum()->set_value(big_endian(crc64nvme(body)));
  return out;
}

TEST(MultipartDigest, FullObjectChecksumsEqualThoseOfTheWholeBody) {
  ASSERT_TRUE(rc::check([](const std::vector<std::string>& bodies) {
    std::string whole;
    for (const std::string& body : bodies) whole += body;
    for (auto algorithm : {v1::Checksum::CRC32, v1::Checksum::CRC32C, v1::Checksum::CRC64NVME}) {
      std::vector<v1::Part> parts;
      for (const std::string& body : bodies) parts.push_back(part(body, algorithm));
      std::vector<const v1::Part*> pointers;
      for (const v1::Part& p : parts) pointers.push_back(&p);
      const v1::Checksum sum =
          multipart_checksum(algorithm, v1::Checksum::FULL_OBJECT, pointers).value();
      RC_ASSERT(sum.value() == part(whole, algorithm).checksum().value());
      RC_ASSERT(sum.algorithm() == algorithm);
      RC_ASSERT(sum.type() == v1::Checksum::FULL_OBJECT);
    }
  }));
}

// Expected values: hashlib and zlib over the concatenated raw digests of the parts "hello" and
// "world".
TEST(MultipartDigest, EtagAndCompositeChecksumsOfTwoParts) {
  v1::Part a = part("hello", v1::Checksum::CRC32), b = part("world", v1::Checksum::CRC32);
  const std::vector<const v1::Part*> parts{&a, &b};
  auto set = [&](v1::Checksum::Algorithm algorithm, std::string x, std::string y) {
    a.mutable_checksum()->set_algorithm(algorithm), a.mutable_checksum()->set_value(x);
    b.mutable_checksum()->set_algorithm(algorithm), b.mutable_checksum()->set_value(y);
  };
  auto composite = [&](v1::Checksum::Algorithm algorithm) {
    return hex(multipart_checksum(algorithm, v1::Checksum::COMPOSITE, parts).value().value());
  };
  a.set_etag(std::string(16, '\x01')), b.set_etag(std::string(16, '\x02'));
  EXPECT_EQ(hex(multipart_etag(parts).value()), "a2178117d5e9ed5f7660ab3e6719c6a2");
  EXPECT_EQ(composite(v1::Checksum::CRC32), "c299fbb6");
  set(v1::Checksum::SHA1, std::string(20, '\x01'), std::string(20, '\x02'));
  EXPECT_EQ(composite(v1::Checksum::SHA1), "b26845963c2b15cb3a2f97ba8e865c508ab2569b");
  set(v1::Checksum::SHA256, std::string(32, '\x01'), std::string(32, '\x02'));
  EXPECT_EQ(composite(v1::Checksum::SHA256),
            "f818afd37a6dc3bc92fb44731011277006db4efa6e9023cd7468c02335d22a4d");
  // The check string of CRC-32C, cut in two words and one byte, cannot be digests; two words can.
  set(v1::Checksum::CRC32C, "1234", "5678");
  EXPECT_EQ(composite(v1::Checksum::CRC32C), hex(big_endian(crc32c("12345678"))));
}

TEST(MultipartDigest, RefusesPairsThatS3DoesNotHave) {
  v1::Part a = part("hello", v1::Checksum::CRC64NVME);
  EXPECT_EQ(multipart_checksum(v1::Checksum::CRC64NVME, v1::Checksum::COMPOSITE, {&a}).error().code,
            Errc::invalid_argument);
  EXPECT_EQ(multipart_checksum(v1::Checksum::CRC32, v1::Checksum::COMPOSITE, {&a}).error().code,
            Errc::invalid_argument);
  a.mutable_checksum()->set_algorithm(v1::Checksum::SHA256);
  a.mutable_checksum()->set_value(std::string(32, 'x'));
  EXPECT_EQ(multipart_checksum(v1::Checksum::SHA256, v1::Checksum::FULL_OBJECT, {&a}).error().code,
            Errc::invalid_argument);
  a.mutable_checksum()->set_value("short");
  EXPECT_FALSE(multipart_checksum(v1::Checksum::SHA256, v1::Checksum::COMPOSITE, {&a}));
}

}  // namespace
}  // namespace kura
