#include "actors/disk/geometry.h"

#include <algorithm>

#include "actors/disk/erasure.h"
#include "actors/disk/stripe.h"

namespace kura::disk {

uint32_t parity_for(uint32_t drives, v1::StorageClass storage_class,
                    std::optional<uint32_t> override_parity) {
  if (drives <= 1) return 0;
  const uint32_t most = std::min(drives - 1, kParityShardsMax);
  if (override_parity) return std::min(*override_parity, most);
  if (storage_class == v1::REDUCED_REDUNDANCY) return 1;
  return drives <= 3 ? 1 : drives <= 7 ? 2 : 4;
}

uint64_t Striping::row_length(uint64_t row) const {
  return std::min(row_bytes(), stored_bytes - row * row_bytes());
}

uint64_t Striping::shard_bytes(uint64_t row) const {
  const uint64_t length = row_length(row);
  if (length == row_bytes()) return piece_bytes;
  return align_up((length + k - 1) / k, kShardAlignBytes);
}

uint64_t Striping::row_offset(uint64_t row) const {
  return row * (kStripedHeaderBytes + piece_bytes);
}

Striping::Part Striping::part_at(uint64_t at, uint64_t bytes_max) const {
  const uint64_t row = at / row_bytes(), in_row = at % row_bytes();
  const uint64_t in_shard = shard_bytes(row), skip = in_row % in_shard;
  return {row, static_cast<uint32_t>(in_row / in_shard), skip,
          std::min({in_shard - skip, row_length(row) - in_row, bytes_max})};
}

uint64_t Striping::member_bytes() const {
  if (stored_bytes == 0) return 0;
  const uint64_t last = rows() - 1;
  return row_offset(last) + kStripedHeaderBytes + shard_bytes(last);
}

uint64_t Striping::fitting(uint32_t k, uint64_t piece_bytes, uint64_t bytes_max, uint64_t room) {
  const Striping all{k, piece_bytes, bytes_max};
  if (all.member_bytes() <= room) return bytes_max;
  return room / (kStripedHeaderBytes + piece_bytes) * all.row_bytes();
}

v1::Extent striped_extent(SetId set, uint64_t offset, uint64_t stored_bytes) {
  v1::Extent extent;
  extent.set_set(set.value);
  extent.set_offset(offset);
  extent.set_stored_bytes(stored_bytes);
  extent.set_layout(v1::Extent::STRIPED);
  extent.set_piece_bytes(static_cast<uint32_t>(kPieceBytes));
  return extent;
}

}  // namespace kura::disk
