// Which small bodies share a stripe, and where in it each of them lies. Pure.
//
// A packed body lies contiguous in one data shard, so that reading it is one read. The other
// columns of its stripe cost as much room, so a body without company is striped over all of them
// instead.

#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"

namespace kura::disk {

struct PackItem {
  uint64_t bytes = 0;  // (0, kPackedBodyMax].
  ReservationId reservation;
};

struct PackedSlot {
  size_t item = 0;
  uint32_t member = 0;         // Data shard.
  uint64_t column_offset = 0;  // In the payload of that shard.
};

struct PackedStripe {
  std::vector<PackedSlot> slots;
  uint64_t shard_bytes = 0;                 // A multiple of kShardAlignBytes.
  std::vector<ReservationId> reservations;  // Distinct, ascending.
};

struct PackPlan {
  std::vector<PackedStripe> packed;
  std::vector<size_t> striped;  // Items better written as stripes of their own.
};

PackPlan plan_packing(const std::vector<PackItem>& items, uint32_t k);

}  // namespace kura::disk
