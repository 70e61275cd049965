// CRCs by carry-less multiplication: a long message is folded into 16 bytes that have the same
// remainder (Intel, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction").
//
// For reflected CRCs of 32 and 64 bits. Pure.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace kura::s3 {

// Powers of x modulo the polynomial, as reflected 64-bit words. Moving a 128-bit register on by d
// bits multiplies its first half by x^(d + 63) and its second by x^(d - 1): the product of two
// reflected words stands one bit too high.
struct FoldConstants {
  uint64_t by_512_first, by_512_second;
  uint64_t by_128_first, by_128_second;
};

// `polynomial`: reflected, `bits` wide (32 or 64).
constexpr FoldConstants fold_constants(uint64_t polynomial, int bits) {
  const auto power = [&](int exponent) {
    uint64_t value = uint64_t{1} << (bits - 1);  // x^0: the first bit stands last.
    for (int i = 0; i < exponent; ++i) value = value >> 1 ^ (value & 1 ? polynomial : 0);
    return value << (64 - bits);
  };
  return {power(512 + 63), power(512 - 1), power(128 + 63), power(128 - 1)};
}

inline constexpr size_t kFoldBytesMin = 64;

bool can_fold();  // This processor has the instruction.

// The 16 bytes whose CRC from state 0 is that of `bytes` from `state` (both without the inversions
// before and after). REQUIRES: can_fold(); bytes.size() >= kFoldBytesMin and a multiple of 16.
std::array<char, 16> fold(uint64_t state, std::string_view bytes, const FoldConstants& constants);

}  // namespace kura::s3
