#include "actors/disk/kept_snapshots.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/rebuild.h"
#include "actors/disk/set_condition.h"

namespace kura::disk {
namespace {

// Null: a set of it is gone.
std::optional<std::vector<SegmentSet>> sets_of(const ControlState& state,
                                               const Snapshot& snapshot) {
  std::vector<SegmentSet> out;
  for (const v1::Extent& extent : snapshot.body.extents()) {
    auto known = state.sets.find(SetId(extent.set()));
    if (known == state.sets.end()) return std::nullopt;
    out.push_back(known->second);
  }
  return out;
}

bool can_read(const DiskCore& core, const SegmentSet& set) {
  // What lies in an open set may be anywhere in it, and so may what is lost.
  const bool holes = set.sealed_bytes && core.lost_in.contains(set.id);
  return !holes && missing_members(core, set).size() <= set.parity_shards;
}

// A set opened now has full parity of today on drives that are all here.
bool is_outdone(DiskCore& core, const SegmentSet& set, const std::set<DriveId>& given_up) {
  if (!can_read(core, set) || set.parity_shards < core.parity(v1::STANDARD)) return true;
  if (!set.sealed_bytes) return false;
  const auto targets = rebuild_targets(core, set, given_up);
  for (uint32_t i : missing_members(core, set)) {
    const bool comes_back =
        std::any_of(targets.begin(), targets.end(),
                    [i](const RebuildTarget& target) { return target.member == i; });
    if (!comes_back && given_up.contains(set.members[i])) return true;
  }
  return false;
}

}  // namespace

KeptSnapshots look_at_snapshots(DiskCore& core, const std::set<DriveId>& given_up) {
  KeptSnapshots out;
  // None can be taken.
  const bool writes = core.drives.all_online().size() > core.parity(v1::STANDARD);
  const auto state = core.ledger.state();
  for (const Snapshot& snapshot : state->snapshots) {
    const auto sets = sets_of(*state, snapshot);
    const bool readable = sets && std::all_of(sets->begin(), sets->end(),
                                              [&](const auto& set) { return can_read(core, set); });
    if (readable) out.readable.push_back(snapshot);
    const bool outdone = !sets || std::any_of(sets->begin(), sets->end(), [&](const auto& set) {
      return is_outdone(core, set, given_up);
    });
    out.outdone = out.outdone || (outdone && writes);
  }
  return out;
}

}  // namespace kura::disk
