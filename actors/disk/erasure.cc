#include "actors/disk/erasure.h"

#include <isa-l/erasure_code.h>

#include <cstring>

#include "base/check.h"

namespace kura::disk {
namespace {

constexpr size_t kTableBytes = 32;  // isa-l: per coefficient.

unsigned char* bytes_of(const char* p) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(p));
}

// out[i] = sum over j of rows[i][j] * in[j]. isa-l takes int lengths.
void multiply(uint8_t* tables, uint32_t k, size_t rows, std::span<const char* const> in,
              std::span<char* const> out, size_t bytes) {
  INVARIANT(bytes <= INT32_MAX, "a shard is far below 2 GiB");
  std::vector<unsigned char*> sources, sums;
  for (const char* p : in) sources.push_back(bytes_of(p));
  for (char* p : out) sums.push_back(bytes_of(p));
  ec_encode_data(static_cast<int>(bytes), static_cast<int>(k), static_cast<int>(rows), tables,
                 sources.data(), sums.data());
}

}  // namespace

Code::Code(uint32_t k, uint32_t m)
    : k_(k), m_(m), matrix_((k + m) * k), tables_(m * k * kTableBytes) {
  INVARIANT(k >= 1 && k <= kDataShardsMax && m <= kParityShardsMax, "geometry within bounds");
  gf_gen_cauchy1_matrix(matrix_.data(), static_cast<int>(k + m), static_cast<int>(k));
  if (m > 0)
    ec_init_tables(static_cast<int>(k), static_cast<int>(m), &matrix_[k * k], tables_.data());
}

void Code::encode(std::span<const char* const> data, std::span<char* const> parity,
                  size_t bytes) const {
  INVARIANT(data.size() == k_ && parity.size() == m_, "one pointer per shard");
  if (m_ == 0 || bytes == 0) return;
  multiply(const_cast<uint8_t*>(tables_.data()), k_, m_, data, parity, bytes);
}

void Code::reconstruct(std::span<const uint32_t> have, std::span<const char* const> shards,
                       std::span<const uint32_t> want, std::span<char* const> out,
                       size_t bytes) const {
  INVARIANT(have.size() == k_ && shards.size() == k_ && want.size() == out.size(),
            "k shards give all others");
  if (want.empty() || bytes == 0) return;
  std::vector<uint8_t> chosen(k_ * k_), inverse(k_ * k_);
  for (uint32_t i = 0; i < k_; ++i) {
    INVARIANT(have[i] < members() && (i == 0 || have[i - 1] < have[i]), "distinct, ascending");
    std::memcpy(&chosen[i * k_], &matrix_[have[i] * k_], k_);
  }
  INVARIANT(gf_invert_matrix(chosen.data(), inverse.data(), static_cast<int>(k_)) == 0,
            "every k rows of a Cauchy code are independent");
  // Row w of the full matrix times the inverse gives member w from the shards at hand.
  std::vector<uint8_t> rows(want.size() * k_, 0);
  for (size_t w = 0; w < want.size(); ++w) {
    INVARIANT(want[w] < members(), "a member of the set");
    for (uint32_t c = 0; c < k_; ++c)
      for (uint32_t i = 0; i < k_; ++i)
        rows[w * k_ + c] ^= gf_mul(matrix_[want[w] * k_ + i], inverse[i * k_ + c]);
  }
  std::vector<uint8_t> tables(rows.size() * kTableBytes);
  ec_init_tables(static_cast<int>(k_), static_cast<int>(want.size()), rows.data(), tables.data());
  multiply(tables.data(), k_, want.size(), shards, out, bytes);
}

}  // namespace kura::disk
