#include "actors/bucket/multipart_digest.h"

#include <openssl/evp.h>

#include "base/crc32c.h"
#include "base/crc_combine.h"

namespace kura {
namespace {

Result<std::string> digest(const EVP_MD* type, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(data.data(), data.size(), out, &size, type, nullptr) != 1)
    return fail(Errc::unsupported, "the crypto library refuses a digest that S3 needs");
  return std::string(reinterpret_cast<char*>(out), size);
}

// Bit by bit: the input is one word for each part.
uint32_t crc32(std::string_view data) {
  uint32_t crc = ~0u;
  for (char c : data) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

template <class Word>
Word from_big_endian(std::string_view bytes) {
  Word out = 0;
  for (char c : bytes) out = out << 8 | static_cast<uint8_t>(c);
  return out;
}

template <class Word>
std::string to_big_endian(Word value) {
  std::string out(sizeof(Word), '\0');
  for (size_t i = sizeof(Word); i-- > 0; value >>= 8) out[i] = static_cast<char>(value);
  return out;
}

size_t digest_bytes(v1::Checksum::Algorithm algorithm) {
  switch (algorithm) {
    case v1::Checksum::CRC32:
    case v1::Checksum::CRC32C:
      return 4;
    case v1::Checksum::CRC64NVME:
      return 8;
    case v1::Checksum::SHA1:
      return 20;
    case v1::Checksum::SHA256:
      return 32;
    default:
      return 0;
  }
}

Result<std::string> composite(v1::Checksum::Algorithm algorithm,
                              const std::vector<const v1::Part*>& parts) {
  std::string digests;
  for (const v1::Part* part : parts) digests += part->checksum().value();
  switch (algorithm) {
    case v1::Checksum::CRC32:
      return to_big_endian(crc32(digests));
    case v1::Checksum::CRC32C:
      return to_big_endian(crc32c(digests));
    case v1::Checksum::SHA1:
      return digest(EVP_sha1(), digests);
    case v1::Checksum::SHA256:
      return digest(EVP_sha256(), digests);
    default:
      return fail(Errc::invalid_argument, "no composite checksum of this algorithm");
  }
}

template <class Word>
std::string combined(const std::vector<const v1::Part*>& parts,
                     Word (*combine)(Word, Word, uint64_t)) {
  Word crc = 0;
  for (const v1::Part* part : parts)
    crc = combine(crc, from_big_endian<Word>(part->checksum().value()), part->size_bytes());
  return to_big_endian(crc);
}

Result<std::string> full_object(v1::Checksum::Algorithm algorithm,
                                const std::vector<const v1::Part*>& parts) {
  switch (algorithm) {
    case v1::Checksum::CRC32:
      return combined(parts, crc32_combine);
    case v1::Checksum::CRC32C:
      return combined(parts, crc32c_combine);
    case v1::Checksum::CRC64NVME:
      return combined(parts, crc64nvme_combine);
    default:
      return fail(Errc::invalid_argument, "no full-object checksum of this algorithm");
  }
}

}  // namespace

Result<std::string> multipart_etag(const std::vector<const v1::Part*>& parts) {
  std::string digests;
  for (const v1::Part* part : parts) digests += part->etag();
  return digest(EVP_md5(), digests);
}

v1::Checksum::Type checksum_type_or_default(v1::Checksum::Algorithm algorithm,
                                            v1::Checksum::Type type) {
  if (type != v1::Checksum::TYPE_UNSPECIFIED) return type;
  return algorithm == v1::Checksum::CRC64NVME ? v1::Checksum::FULL_OBJECT : v1::Checksum::COMPOSITE;
}

Result<v1::Checksum> multipart_checksum(v1::Checksum::Algorithm algorithm, v1::Checksum::Type type,
                                        const std::vector<const v1::Part*>& parts) {
  const size_t size = digest_bytes(algorithm);
  for (const v1::Part* part : parts) {
    const v1::Checksum& checksum = part->checksum();
    if (checksum.algorithm() != algorithm || checksum.value().size() != size)
      return fail(Errc::invalid_argument, "a part has no checksum of the upload's algorithm");
  }
  Result<std::string> value = type == v1::Checksum::FULL_OBJECT ? full_object(algorithm, parts)
                                                                : composite(algorithm, parts);
  if (!value) return fail(value.error());
  v1::Checksum out;
  out.set_algorithm(algorithm);
  out.set_type(type);
  out.set_value(*value);
  return out;
}

}  // namespace kura
