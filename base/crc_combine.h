// The CRC of A|B from the CRC of A, the CRC of B and the length of B, without the bytes: how the
// full-object checksum of a multipart upload follows from those of its parts (S3 User Guide,
// "Checking object integrity", full object checksums).
//
// For reflected CRCs whose initial value and final XOR are all ones, which all three are.

#pragma once

#include <cstdint>

namespace kura {

uint32_t crc32_combine(uint32_t a, uint32_t b, uint64_t b_bytes);   // ISO 3309, as in zlib.
uint32_t crc32c_combine(uint32_t a, uint32_t b, uint64_t b_bytes);  // Castagnoli, RFC 3720.
uint64_t crc64nvme_combine(uint64_t a, uint64_t b,
                           uint64_t b_bytes);  // NVM Express, NVM command set.

}  // namespace kura
