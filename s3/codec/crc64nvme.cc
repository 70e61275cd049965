// CRC-64/NVME (NVM Express NVM Command Set Specification, 64b CRC): polynomial 0xad93d23594c93659,
// reflected, all ones before and after. Folded where the processor can; else, and for the rest,
// eight bytes a step through tables.

#include <array>
#include <cstring>

#include "s3/codec/checksum.h"
#include "s3/codec/crc_fold.h"

namespace kura::s3 {
namespace {

constexpr uint64_t kPolynomial = 0x9a6c9329ac4bc9b5;  // Bit-reflected.

using Tables = std::array<std::array<uint64_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (uint64_t byte = 0; byte < 256; ++byte) {
    uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k)
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint64_t before = tables[k - 1][byte];
      tables[k][byte] = before >> 8 ^ tables[0][before & 0xff];
    }
  return tables;
}

constexpr Tables kTables = make_tables();

constexpr FoldConstants kFold = fold_constants(kPolynomial, 64);

uint64_t by_tables(uint64_t state, std::string_view bytes) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);  // Little-endian, as the reflected form wants it.
    word ^= state;
    state = 0;
    for (size_t k = 0; k < 8; ++k) state ^= kTables[7 - k][word >> (8 * k) & 0xff];
  }
  for (; left > 0; --left, ++p)
    state = state >> 8 ^ kTables[0][(state ^ static_cast<uint8_t>(*p)) & 0xff];
  return state;
}

}  // namespace

uint64_t crc64nvme_update(uint64_t crc, std::string_view bytes) {
  uint64_t state = ~crc;
  if (bytes.size() >= kFoldBytesMin && can_fold()) {
    const std::string_view whole = bytes.substr(0, bytes.size() / 16 * 16);
    const std::array<char, 16> folded = fold(state, whole, kFold);
    state = by_tables(0, std::string_view(folded.data(), folded.size()));
    bytes.remove_prefix(whole.size());
  }
  return ~by_tables(state, bytes);
}

}  // namespace kura::s3
