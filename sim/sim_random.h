// SimRandom: the randomness of a simulated run, a function of its seed alone.
//
// Streams are forked by name, so that one more draw in one part of the simulator (a fault, a
// latency) does not shift the draws of the others. No std:: distribution and no libm: both differ
// between libraries.

#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace kura::sim {

// The finalizer of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
inline uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// A fingerprint of bytes for traces and forks; not cryptographic.
inline uint64_t hash_bytes(std::string_view bytes, uint64_t seed = 0) {
  uint64_t h = mix64(seed ^ (bytes.size() * 0x9e3779b97f4a7c15ULL));
  while (bytes.size() >= 8) {
    uint64_t word;
    __builtin_memcpy(&word, bytes.data(), 8);
    h = (std::rotl(h, 27) ^ word) * 0x9fb21c651e98df25ULL;
    bytes.remove_prefix(8);
  }
  uint64_t last = 0;
  if (!bytes.empty()) __builtin_memcpy(&last, bytes.data(), bytes.size());
  return mix64(h ^ last);
}

class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : seed_(seed), state_(seed) {}

  // Another stream: a function of this one's seed and the name, not of what was drawn.
  SimRandom fork(std::string_view name, uint64_t number = 0) const {
    return SimRandom(mix64(hash_bytes(name, seed_) + number * 0xd6e8feb86659fd93ULL));
  }

  void fill(std::span<uint8_t> out) override {
    for (size_t i = 0; i < out.size(); i += 8) {
      uint64_t word = draw();
      for (size_t j = i; j < out.size() && j < i + 8; ++j, word >>= 8)
        out[j] = static_cast<uint8_t>(word);
    }
  }

  uint64_t draw() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t pick(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<__uint128_t>(draw()) * bound) >> 64);
  }
  // Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(pick(static_cast<uint64_t>(high - low) + 1));
  }
  bool happens(uint32_t per_million) { return pick(1'000'000) < per_million; }
  // Exponentially distributed to within 6 %, in integers: -log2 of a uniform draw, its mantissa
  // taken as linear.
  int64_t exponential(int64_t mean) {
    const uint64_t u = draw() | 1;
    const int zeros = std::countl_zero(u);
    const uint64_t fraction = ((u << zeros) >> 47) & 0xffff;  // 16 bits below the leading one.
    const int64_t log2_16 =
        (static_cast<int64_t>(zeros) << 16) + 0x10000 - static_cast<int64_t>(fraction);
    return (mean / 1000) * (log2_16 * 693 >> 16) + ((mean % 1000) * (log2_16 * 693 >> 16)) / 1000;
  }

 private:
  uint64_t seed_;
  uint64_t state_;
};

}  // namespace kura::sim
