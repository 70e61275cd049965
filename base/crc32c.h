// CRC-32C (Castagnoli; RFC 3720 appendix B.4): the checksum of every stored block and record.
//
// isa-l chooses among the processor's instructions at run time; every way gives the same value.

#pragma once

#include <cstdint>
#include <string_view>

namespace kura {

// The checksum of A|B, given the checksum `crc` of A: crc32c_extend(crc32c(a), b) == crc32c(a|b).
uint32_t crc32c_extend(uint32_t crc, std::string_view data);

inline uint32_t crc32c(std::string_view data) { return crc32c_extend(0, data); }

}  // namespace kura
