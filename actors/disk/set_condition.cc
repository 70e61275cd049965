#include "actors/disk/set_condition.h"

#include "actors/disk/core.h"
#include "actors/disk/geometry.h"

namespace kura::disk {

std::vector<uint32_t> missing_members(const DiskCore& core, const SegmentSet& set) {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < set.members.size(); ++i)
    if (!core.drives.online(set.members[i]) || core.files.absent(set.id, i)) out.push_back(i);
  return out;
}

Result<uint64_t> live_bytes_in(const LiveBodies& live, const ControlState& state, SetId set) {
  auto bytes = live.live_bytes(set);
  if (!bytes) return bytes;
  for (const Snapshot& snapshot : state.snapshots)
    for (const v1::Extent& extent : snapshot.body.extents())
      if (extent.set() == set.value) *bytes += extent.stored_bytes();
  const auto archived = state.archived_bytes.find(set);
  if (archived != state.archived_bytes.end()) *bytes += archived->second;
  return bytes;
}

uint64_t stored_bytes(const SegmentSet& set, uint64_t end) {
  return (end - kFirstStripeOffset) * set.data_shards;
}

bool is_sparse(const DiskCore& core, const SegmentSet& set, uint64_t end, uint64_t live_bytes) {
  return live_bytes * 100 < stored_bytes(set, end) * core.options.live_percent_min;
}

}  // namespace kura::disk
