// Erasure code of a segment set: m parity shards over k data shards, any k of the k + m give all.
//
// Systematic, column by column: byte x of every shard depends only on bytes x of the data shards,
// so any sub-range at equal offsets can be coded alone. Parity row i, data column j has the Cauchy
// coefficient 1 / ((k + i) xor j) in GF(2^8) with the polynomial 0x11d (Blomer et al., "An
// XOR-Based Erasure-Resilient Coding Scheme", 1995). Stored bytes depend on it: it never changes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace kura::disk {

inline constexpr uint32_t kDataShardsMax = 16;
inline constexpr uint32_t kParityShardsMax = 4;
inline constexpr uint32_t kMembersMax = 16;  // k + m; wider sets gain little and fail more often.

class Code {
 public:
  // REQUIRES: 1 <= k <= kDataShardsMax, m <= kParityShardsMax.
  Code(uint32_t k, uint32_t m);

  uint32_t data_shards() const { return k_; }
  uint32_t parity_shards() const { return m_; }
  uint32_t members() const { return k_ + m_; }

  // data: k pointers; parity: m pointers, written. All to `bytes` bytes.
  void encode(std::span<const char* const> data, std::span<char* const> parity, size_t bytes) const;

  // have: k distinct members, ascending, with their shards in `shards`. want: members to compute
  // into `out`, in the same order. Any member may be wanted. Always succeeds: the code is MDS.
  void reconstruct(std::span<const uint32_t> have, std::span<const char* const> shards,
                   std::span<const uint32_t> want, std::span<char* const> out, size_t bytes) const;

 private:
  uint32_t k_;
  uint32_t m_;
  std::vector<uint8_t> matrix_;  // (k + m) rows of k coefficients; the first k are the identity.
  std::vector<uint8_t> tables_;  // isa-l's expansion of the parity rows.
};

}  // namespace kura::disk
