#include "actors/disk/idle_sets.h"

#include <set>

#include "actors/disk/core.h"
#include "actors/disk/set_condition.h"

namespace kura::disk {
namespace {

// Less of it costs more to remove than to keep: 4 MiB in a set of the largest size. It bounds how
// often an idle set is exchanged for another one, and how often snapshots are taken for their room.
constexpr uint64_t kMembersPart = 64;

bool is_much_garbage(const DiskCore& core, const SegmentSet& set, uint64_t end,
                     uint64_t live_bytes) {
  return is_sparse(core, set, end, live_bytes) &&
         stored_bytes(set, end) - live_bytes >= set.member_bytes / kMembersPart;
}

}  // namespace

Task<Result<void>> rest_idle_sets(std::shared_ptr<DiskCore> core, const LiveBodies& live) {
  for (const auto& set : core->write_sets.idle(core->options.idle_ns)) {
    if (core->stopping) break;
    const uint64_t end = set->good_end();
    auto live_bytes = live_bytes_in(live, *core->ledger.state(), set->id());
    if (!live_bytes) co_return fail(live_bytes.error());
    if (end == kFirstStripeOffset || is_much_garbage(*core, set->set(), end, *live_bytes))
      core->write_sets.retire(set);
    else
      co_await core->write_sets.rest(set);
  }
  co_return Result<void>();
}

Result<std::vector<SetId>> garbage_under_snapshots(const DiskCore& core, const LiveBodies& live) {
  const auto state = core.ledger.state();
  std::set<SetId> out;
  for (const Snapshot& snapshot : state->snapshots) {
    std::set<SetId> under;
    for (const v1::Extent& extent : snapshot.body.extents()) under.insert(SetId(extent.set()));
    std::vector<SetId> sparse;
    uint64_t garbage_bytes = 0;
    for (SetId id : under) {
      auto known = state->sets.find(id);
      if (known == state->sets.end() || !known->second.sealed_bytes) continue;
      const uint64_t end = *known->second.sealed_bytes;
      auto live_bytes = live_bytes_in(live, *state, id);
      if (!live_bytes) return fail(live_bytes.error());
      if (!is_much_garbage(core, known->second, end, *live_bytes)) continue;
      sparse.push_back(id);
      garbage_bytes += stored_bytes(known->second, end) - *live_bytes;
    }
    if (garbage_bytes >= snapshot.size_bytes) out.insert(sparse.begin(), sparse.end());
  }
  return std::vector<SetId>(out.begin(), out.end());
}

}  // namespace kura::disk
