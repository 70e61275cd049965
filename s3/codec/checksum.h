// Digests of bodies, and S3's checksum headers (S3 User Guide, "Checking object integrity").
//
// Pure and streaming. CRC values are big-endian bytes, as S3 shows them.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "object.pb.h"
#include "s3/http/message.h"

namespace kura::s3 {

using Algorithm = v1::Checksum::Algorithm;

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(std::string_view bytes) = 0;
  virtual std::string finish() = 0;  // The raw value. Once.
};

// REQUIRES: `algorithm` is not NONE.
std::unique_ptr<Digest> make_digest(Algorithm algorithm);
std::string md5_of(std::string_view bytes);     // 16 raw bytes.
std::string sha256_of(std::string_view bytes);  // 32 raw bytes.

// CRC-64/NVME, reflected; start with 0. crc64nvme_update(crc64nvme_update(0, a), b) is that of ab.
uint64_t crc64nvme_update(uint64_t crc, std::string_view bytes);

size_t digest_bytes(Algorithm algorithm);                      // Length of the raw value; NONE: 0.
std::string_view algorithm_name(Algorithm algorithm);          // "CRC32C", as in XML and headers.
std::string_view checksum_header(Algorithm algorithm);         // "x-amz-checksum-crc32c"
std::string_view checksum_element(Algorithm algorithm);        // "ChecksumCRC32C"
std::string_view checksum_type_name(v1::Checksum::Type type);  // "COMPOSITE", "FULL_OBJECT"
// None: not one of S3's names (any case).
std::optional<Algorithm> algorithm_from(std::string_view name);
std::optional<v1::Checksum::Type> checksum_type_from(std::string_view name);
// From "x-amz-checksum-crc32c"; none: another header.
std::optional<Algorithm> algorithm_from_header(std::string_view header);

// base64(value), with "-parts" behind it for a COMPOSITE of `parts` > 0.
std::string format_checksum(const v1::Checksum& checksum, uint32_t parts = 0);
// The raw value of a base64 text of the right length; none otherwise.
std::optional<std::string> parse_checksum(Algorithm algorithm, std::string_view text);

// What the client announces about a request body: the value in a header (at most one), or, through
// x-amz-trailer, an algorithm whose value follows the body. Errors: InvalidRequest.
struct AnnouncedChecksum {
  Algorithm algorithm = v1::Checksum::NONE;
  std::string value;  // Raw; empty when it comes in the trailer.
  bool trailer = false;
};
S3Result<AnnouncedChecksum> announced_checksum(const Headers& headers);

}  // namespace kura::s3
