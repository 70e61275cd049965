// Fixed-width little-endian numbers in byte buffers, for the formats of this folder.

#pragma once

#include <cstdint>

namespace kura::journal {

template <class Int>
void put_le(char* out, Int value) {
  for (unsigned i = 0; i < sizeof(Int); ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
}

template <class Int>
Int get_le(const char* in) {
  uint64_t value = 0;
  for (unsigned i = 0; i < sizeof(Int); ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(in[i])) << (8 * i);
  }
  return static_cast<Int>(value);
}

}  // namespace kura::journal
