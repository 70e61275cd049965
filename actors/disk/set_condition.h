// The condition of a set: which of its members are missing, and how much of what it stores lives.
// What rebuild, compaction, removal of drives and status judge by.

#pragma once

#include <cstdint>
#include <vector>

#include "actors/disk/live_bodies.h"
#include "projections/control/control_state.h"

namespace kura::disk {

struct DiskCore;

// Members of `set` that cannot be read now: their drive is offline or does not have the file.
std::vector<uint32_t> missing_members(const DiskCore& core, const SegmentSet& set);

// Stored bytes of the set that the fold names: bodies, kept snapshots, archived log.
Result<uint64_t> live_bytes_in(const LiveBodies& live, const ControlState& state, SetId set);

// What its data shards take up to `end` of each member file, where its last stripe ends.
uint64_t stored_bytes(const SegmentSet& set, uint64_t end);

// Whether copying out what lives in the set frees more than it takes. `end` as before.
bool is_sparse(const DiskCore& core, const SegmentSet& set, uint64_t end, uint64_t live_bytes);

}  // namespace kura::disk
