#include "s3/codec/checksum.h"

// Of a small text OpenSSL's older interface costs a third: no context is made and fetched.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <zlib.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "s3/codec/crc_fold.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

struct Row {
  Algorithm algorithm;
  std::string_view name, header, element;
  size_t bytes;
};

constexpr Row kTable[] = {
    {v1::Checksum::CRC32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4},
    {v1::Checksum::CRC32C, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4},
    {v1::Checksum::CRC64NVME, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8},
    {v1::Checksum::SHA1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", 20},
    {v1::Checksum::SHA256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", 32},
};
// Of the x-amz-checksum- family, but not digests.
constexpr std::string_view kNotDigests[] = {"x-amz-checksum-algorithm", "x-amz-checksum-type",
                                            "x-amz-checksum-mode"};

const Row* row_of(Algorithm algorithm) {
  for (const Row& row : kTable)
    if (row.algorithm == algorithm) return &row;
  return nullptr;
}

std::string big_endian(uint64_t value, size_t bytes) {
  std::string out(bytes, '\0');
  for (size_t i = bytes; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
  return out;
}

// Fetched once: an implicit fetch costs more than hashing a small body.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
  INVARIANT(md != nullptr, "OpenSSL has the digest");
  return md;
}
const EVP_MD* md5() {
  static const EVP_MD* md = fetched("MD5");
  return md;
}
const EVP_MD* sha1() {
  static const EVP_MD* md = fetched("SHA1");
  return md;
}
const EVP_MD* sha256() {
  static const EVP_MD* md = fetched("SHA256");
  return md;
}

class EvpDigest : public Digest {
 public:
  explicit EvpDigest(const EVP_MD* md) : context_(EVP_MD_CTX_new()) {
    INVARIANT(context_ && EVP_DigestInit_ex2(context_, md, nullptr) == 1, "a digest begins");
  }
  EvpDigest(const EvpDigest&) = delete;
  ~EvpDigest() override { EVP_MD_CTX_free(context_); }
  void update(std::string_view bytes) override {
    INVARIANT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "a digest goes on");
  }
  std::string finish() override {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    INVARIANT(
        EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(out.data()), &length) == 1,
        "a digest ends");
    out.resize(length);
    return out;
  }

 private:
  EVP_MD_CTX* context_;
};

template <class State, State (*kUpdate)(State, std::string_view)>
class CrcDigest : public Digest {
 public:
  void update(std::string_view bytes) override { crc_ = kUpdate(crc_, bytes); }
  std::string finish() override { return big_endian(crc_, sizeof(State)); }

 private:
  State crc_ = 0;
};

constexpr FoldConstants kCrc32Fold = fold_constants(0xedb88320, 32);

uint32_t crc32_by_tables(uint32_t crc, std::string_view bytes) {
  return static_cast<uint32_t>(
      crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t crc32_update(uint32_t crc, std::string_view bytes) {
  if (bytes.size() >= kFoldBytesMin && can_fold()) {
    const std::string_view whole = bytes.substr(0, bytes.size() / 16 * 16);
    const std::array<char, 16> folded = fold(~crc, whole, kCrc32Fold);
    // zlib inverts before and after: state 0 is its ~0.
    crc = crc32_by_tables(~0u, std::string_view(folded.data(), folded.size()));
    bytes.remove_prefix(whole.size());
  }
  return crc32_by_tables(crc, bytes);
}

std::string digest_once(const EVP_MD* md, std::string_view bytes) {
  std::string out(static_cast<size_t>(EVP_MD_get_size(md)), '\0');
  INVARIANT(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()),
                       nullptr, md, nullptr) == 1,
            "OpenSSL hashes");
  return out;
}

}  // namespace

std::unique_ptr<Digest> make_digest(Algorithm algorithm) {
  switch (algorithm) {
    case v1::Checksum::CRC32:
      return std::make_unique<CrcDigest<uint32_t, crc32_update>>();
    case v1::Checksum::CRC32C:
      return std::make_unique<CrcDigest<uint32_t, crc32c_extend>>();
    case v1::Checksum::CRC64NVME:
      return std::make_unique<CrcDigest<uint64_t, crc64nvme_update>>();
    case v1::Checksum::SHA1:
      return std::make_unique<EvpDigest>(sha1());
    case v1::Checksum::SHA256:
      return std::make_unique<EvpDigest>(sha256());
    default:
      UNREACHABLE("an algorithm with a digest");
  }
}

std::string md5_of(std::string_view bytes) { return digest_once(md5(), bytes); }
std::string sha256_of(std::string_view bytes) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), &context);
  return out;
}

size_t digest_bytes(Algorithm algorithm) {
  const Row* row = row_of(algorithm);
  return row ? row->bytes : 0;
}
std::string_view algorithm_name(Algorithm algorithm) {
  const Row* row = row_of(algorithm);
  return row ? row->name : std::string_view();
}
std::string_view checksum_header(Algorithm algorithm) {
  const Row* row = row_of(algorithm);
  return row ? row->header : std::string_view();
}
std::string_view checksum_element(Algorithm algorithm) {
  const Row* row = row_of(algorithm);
  return row ? row->element : std::string_view();
}
std::string_view checksum_type_name(v1::Checksum::Type type) {
  if (type == v1::Checksum::COMPOSITE) return "COMPOSITE";
  return type == v1::Checksum::FULL_OBJECT ? "FULL_OBJECT" : "";
}

std::optional<Algorithm> algorithm_from(std::string_view name) {
  for (const Row& row : kTable)
    if (equal_ignoring_case(row.name, name)) return row.algorithm;
  return std::nullopt;
}

std::optional<v1::Checksum::Type> checksum_type_from(std::string_view name) {
  for (auto type : {v1::Checksum::COMPOSITE, v1::Checksum::FULL_OBJECT})
    if (equal_ignoring_case(checksum_type_name(type), name)) return type;
  return std::nullopt;
}

std::optional<Algorithm> algorithm_from_header(std::string_view header) {
  for (const Row& row : kTable)
    if (row.header == header) return row.algorithm;
  return std::nullopt;
}

std::string format_checksum(const v1::Checksum& checksum, uint32_t parts) {
  std::string out = base64_encode(checksum.value());
  if (checksum.type() == v1::Checksum::COMPOSITE && parts > 0) out += "-" + std::to_string(parts);
  return out;
}

std::optional<std::string> parse_checksum(Algorithm algorithm, std::string_view text) {
  std::optional<std::string> raw = base64_decode(text);
  if (!raw || raw->size() != digest_bytes(algorithm)) return std::nullopt;
  return raw;
}

namespace {

S3Result<void> take_header(const Headers::Field& field, AnnouncedChecksum* out) {
  const std::optional<Algorithm> algorithm = algorithm_from_header(field.first);
  if (!algorithm) {
    for (std::string_view name : kNotDigests)
      if (field.first == name) return {};
    return s3_fail("InvalidRequest", "The algorithm of " + field.first + " is not supported.");
  }
  if (out->algorithm != v1::Checksum::NONE)
    return s3_fail("InvalidRequest",
                   "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                   "allowed.");
  std::optional<std::string> raw = parse_checksum(*algorithm, field.second);
  if (!raw) return s3_fail("InvalidRequest", "Value for " + field.first + " header is invalid.");
  out->algorithm = *algorithm;
  out->value = std::move(*raw);
  return {};
}

S3Result<void> take_trailer(const Headers& headers, AnnouncedChecksum* out) {
  if (!headers.has("x-amz-trailer")) return {};
  const std::string name = lower_case(trim_spaces(headers.get("x-amz-trailer")));
  const std::optional<Algorithm> algorithm = algorithm_from_header(name);
  if (!algorithm || headers.count("x-amz-trailer") != 1)
    return s3_fail("InvalidRequest",
                   "The value specified in the x-amz-trailer header is not "
                   "supported");
  if (out->algorithm != v1::Checksum::NONE)
    return s3_fail("InvalidRequest",
                   "Expecting a single x-amz-checksum- header. Multiple checksum Types are not "
                   "allowed.");
  out->algorithm = *algorithm;
  out->trailer = true;
  return {};
}

}  // namespace

S3Result<AnnouncedChecksum> announced_checksum(const Headers& headers) {
  AnnouncedChecksum out;
  for (const Headers::Field& field : headers.all())
    if (field.first.starts_with("x-amz-checksum-"))
      if (auto taken = take_header(field, &out); !taken) return s3_fail(std::move(taken.error()));
  if (auto taken = take_trailer(headers, &out); !taken) return s3_fail(std::move(taken.error()));

  if (!headers.has("x-amz-sdk-checksum-algorithm")) return out;
  const std::optional<Algorithm> wanted =
      algorithm_from(headers.get("x-amz-sdk-checksum-algorithm"));
  if (!wanted || (out.algorithm != v1::Checksum::NONE && out.algorithm != *wanted))
    return s3_fail("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.");
  if (out.algorithm == v1::Checksum::NONE)
    return s3_fail("InvalidRequest",
                   "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* "
                   "or x-amz-trailer headers were found.");
  return out;
}

}  // namespace kura::s3
