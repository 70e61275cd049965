// Geometry: how many shards, and where each byte of a body lies in the member files of its set.
// Pure arithmetic, shared by writers and readers. Stored bytes depend on it.

#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/limits.h"
#include "object.pb.h"

namespace kura::disk {

// Shards are whole multiples of this, and start at one: isa-l's vectors.
inline constexpr uint64_t kShardAlignBytes = 64;
// Bytes of two bodies never share a block of this size, so that a write torn by a power cut
// cannot reach what was acknowledged before.
inline constexpr uint64_t kBlockBytes = 4096;
inline constexpr uint64_t kFirstStripeOffset = kBlockBytes;  // Behind the header of the file.

constexpr uint64_t align_up(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// Parity shards of new sets on a pool of `drives` drives, present or not: 1: 0; 2-3: 1; 4-7: 2; 8
// and more: 4. REDUCED_REDUNDANCY: 1 where there are two drives. `override_parity` ("EC:n") counts
// as far as at least one data shard is left.
uint32_t parity_for(uint32_t drives, v1::StorageClass storage_class,
                    std::optional<uint32_t> override_parity);

// The stripes of a STRIPED extent. Stripe i lies at offset + i * stride in every member; each has a
// header of kStripedHeaderBytes and k pieces of piece_bytes, the last one k pieces of
// last_piece_bytes, just enough for what is left. Piece c of stripe i is in data shard c.
struct Striping {
  uint32_t k = 0;
  uint64_t piece_bytes = 0;
  uint64_t stored_bytes = 0;

  uint64_t row_bytes() const { return k * piece_bytes; }
  uint64_t rows() const { return (stored_bytes + row_bytes() - 1) / row_bytes(); }
  uint64_t row_length(uint64_t row) const;   // Body bytes in the row.
  uint64_t shard_bytes(uint64_t row) const;  // Of each member, payload only.
  uint64_t row_offset(uint64_t row) const;   // From the first stripe, in each member.
  // Bytes of the body that lie together in one shard.
  struct Part {
    uint64_t row = 0;
    uint32_t member = 0;
    uint64_t skip = 0;  // Payload of the shard before them.
    uint64_t bytes = 0;
  };
  // The part that begins at byte `at` of the body, `bytes_max` of it at most. REQUIRES: at <
  // stored_bytes.
  Part part_at(uint64_t at, uint64_t bytes_max) const;
  uint64_t member_bytes() const;  // From the first stripe to the end of the last.
  // The largest part of `bytes_max` that takes at most `room` bytes of each member.
  static uint64_t fitting(uint32_t k, uint64_t piece_bytes, uint64_t bytes_max, uint64_t room);
};

// Of bytes whose rows lie from `offset` on, in pieces of kPieceBytes.
v1::Extent striped_extent(SetId set, uint64_t offset, uint64_t stored_bytes);

}  // namespace kura::disk
