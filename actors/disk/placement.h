// On which drives a new set opens, with which geometry and size. Pure.

#pragma once

#include <cstdint>
#include <vector>

#include "base/drive.h"
#include "base/ids.h"
#include "base/result.h"
#include "projections/control/control_state.h"

namespace kura::disk {

// Why a body is written. What frees space (copies, snapshots) may use the reserve of a full drive.
enum class Purpose : uint8_t { client, reclaim };

struct Candidate {
  DriveId id;
  DriveSpace space;
};

struct PlacementRules {
  uint32_t parity = 0;
  uint32_t rotation = 0;  // Turns member indexes, so that parity spreads over the drives.
  uint64_t member_bytes_max = 0;
  uint64_t reserve_extra_bytes = 0;
  Purpose purpose = Purpose::client;
};

// Member files of this size fit a drive: 1/32 of it, between 4 MiB and the maximum.
uint64_t member_bytes_for(const DriveSpace& space, uint64_t member_bytes_max);
// What clients leave free: two member files for compaction, destaging and snapshots, or 2% (at most
// 4 GiB) if that is more, as the file system needs room, too; and what the log may grow by.
uint64_t reserve_bytes(const DriveSpace& space, const PlacementRules& rules);

// A draft for SetLedger::open_set: full parity on every online drive that has room, at most
// kMembersMax of them. Errors: unavailable (fewer than m + 1 are online), no_space (fewer have
// room).
Result<SegmentSet> place_set(std::vector<Candidate> online, const PlacementRules& rules);
// How much of a body of so many bytes sets find room for, opened one after the other.
uint64_t body_room(std::vector<Candidate> online, PlacementRules rules, uint64_t bytes_max);

}  // namespace kura::disk
