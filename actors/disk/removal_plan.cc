#include "actors/disk/removal_plan.h"

#include <algorithm>

#include "actors/disk/erasure.h"
#include "actors/disk/set_condition.h"

namespace kura::disk {
namespace {

bool is_in(const std::vector<DriveId>& drives, DriveId drive) {
  return std::find(drives.begin(), drives.end(), drive) != drives.end();
}

// As rebuild_targets(): a drive that holds nothing of the set gets the member file. Where there is
// none, compaction writes what is live into sets of fewer members.
uint64_t moved_bytes(const DiskCore& core, const SegmentSet& set, uint64_t live_bytes,
                     const std::vector<DriveId>& others, uint32_t parity) {
  const bool spare = std::any_of(others.begin(), others.end(),
                                 [&set](DriveId drive) { return !is_in(set.members, drive); });
  if (spare) return set.sealed_bytes.value_or(core.write_sets.good_end(set.id));
  const uint64_t members = std::min<uint64_t>(others.size(), kMembersMax);
  return members > parity ? live_bytes * members / (members - parity) : live_bytes;
}

}  // namespace

Result<RemovalPlan> plan_removal(DiskCore& core, const LiveBodies& live, DriveId gone) {
  RemovalPlan plan;
  const uint32_t left = core.drive_count() - 1;
  plan.standard_parity = core.parity_of(left, v1::STANDARD);
  plan.reduced_parity = core.parity_of(left, v1::REDUCED_REDUNDANCY);
  std::vector<DriveId> others;
  for (const auto& entry : core.drives.all_online()) {
    if (entry.id == gone) continue;
    others.push_back(entry.id);
    if (auto space = entry.drive->space()) plan.room_bytes += space->free_bytes;
  }
  plan.takes_writes = others.size() > plan.standard_parity;
  const auto state = core.ledger.state();
  for (const auto& [id, set] : state->sets) {
    if (!is_in(set.members, gone)) continue;
    auto bytes = live_bytes_in(live, *state, id);
    if (!bytes) return fail(bytes.error());
    if (*bytes == 0) continue;  // It is dropped.
    size_t missing = missing_members(core, set).size();
    if (core.drives.online(gone)) ++missing;
    if (missing > set.parity_shards)
      plan.unreadable_bytes += *bytes;
    else
      plan.moved_bytes += moved_bytes(core, set, *bytes, others, plan.standard_parity);
  }
  return plan;
}

}  // namespace kura::disk
