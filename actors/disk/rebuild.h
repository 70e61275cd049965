// Rebuild: missing member files of sealed sets come back, whole files at a time, on another drive
// or on the one that lost them.

#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "actors/disk/live_bodies.h"
#include "actors/disk/write_sets.h"

namespace kura::disk {

struct RebuildTarget {
  uint32_t member = 0;
  DriveId drive;
};
// Where missing members can come back: drives that are online, hold nothing of the set, and have
// room. A member is left out while its drive may still return.
std::vector<RebuildTarget> rebuild_targets(DiskCore& core, const SegmentSet& set,
                                           const std::set<DriveId>& given_up);

// Writes the members anew, verifies every stripe of them and records the replacement. A crash
// leaves a file that the next start removes. Returns the number of stripes with live bytes that no
// members can give any more. Errors: unavailable (other members must come back first), no_space,
// those of the drives.
Task<Result<uint64_t>> rebuild_members(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                       SegmentSet set, std::vector<RebuildTarget> targets);

}  // namespace kura::disk
