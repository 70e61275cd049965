// Random: the only source of randomness. Secrets and ids in production come from the kernel.

#pragma once

#include <cstdint>
#include <span>

namespace kura {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<uint8_t> out) = 0;  // Thread-safe.

  uint64_t next() {
    uint8_t b[8];
    fill(b);
    uint64_t v = 0;
    for (uint8_t x : b) v = v << 8 | x;
    return v;
  }
  // Uniform in [0, bound). REQUIRES: bound > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }
  template <class UuidType>
  UuidType uuid() {
    UuidType id;
    fill(id.bytes);
    return id;
  }
};

}  // namespace kura
