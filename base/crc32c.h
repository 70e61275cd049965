// CRC-32C (Castagnoli; RFC 3720 appendix B.4): the checksum of every stored block and record.
//
// The processor's instruction where there is one, tables otherwise; both give the same value.

#pragma once

#include <cstdint>
#include <string_view>

namespace kura {

// The checksum of A|B, given the checksum `crc` of A: crc32c_extend(crc32c(a), b) == crc32c(a|b).
uint32_t crc32c_extend(uint32_t crc, std::string_view data);

// `seed` is the checksum of what stands before `data`; 0 for nothing.
inline uint32_t crc32c(std::string_view data, uint32_t seed = 0) {
  return crc32c_extend(seed, data);
}

namespace detail {
// The two ways, for the test that compares them. REQUIRES for the first: SSE4.2.
uint32_t crc32c_extend_sse42(uint32_t crc, std::string_view data);
uint32_t crc32c_extend_tables(uint32_t crc, std::string_view data);
}  // namespace detail

}  // namespace kura
