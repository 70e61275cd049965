// Content: what a written body looks like, as a function of small numbers, so that every byte that
// a read returns can be checked and every write is told apart from all others.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sim/sim_random.h"

namespace kura::sim {

struct Content {
  struct Piece {
    uint64_t seed = 0;  // Unique in a run.
    uint64_t size_bytes = 0;
    bool operator==(const Piece&) const = default;
  };
  std::vector<Piece> pieces;
  bool operator==(const Content&) const = default;

  uint64_t size_bytes() const {
    uint64_t sum = 0;
    for (const Piece& piece : pieces) sum += piece.size_bytes;
    return sum;
  }

  // REQUIRES: the range lies within the content.
  std::string bytes(uint64_t offset, uint64_t length) const {
    std::string out(length, '\0');
    uint64_t begin = 0;
    for (const Piece& piece : pieces) {
      const uint64_t from = std::max(begin, offset);
      const uint64_t to = std::min(begin + piece.size_bytes, offset + length);
      if (from < to) fill(piece.seed, from - begin, out.data() + (from - offset), to - from);
      begin += piece.size_bytes;
    }
    return out;
  }
  std::string bytes() const { return bytes(0, size_bytes()); }

 private:
  static void fill(uint64_t seed, uint64_t offset, char* out, uint64_t length) {
    while (length > 0) {
      const uint64_t word = mix64(seed * 0x9e3779b97f4a7c15ULL + offset / 8);
      const uint64_t in_word = offset % 8;
      const uint64_t n = std::min<uint64_t>(8 - in_word, length);
      std::memcpy(out, reinterpret_cast<const char*>(&word) + in_word, n);
      out += n;
      offset += n;
      length -= n;
    }
  }
};

}  // namespace kura::sim
