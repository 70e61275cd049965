// Room that is kept without need: reserved in sets that nobody writes to, or by garbage that stands
// in sets which compaction cannot empty, because they are open or snapshots lie in them.

#pragma once

#include <memory>
#include <vector>

#include "actors/disk/live_bodies.h"
#include "actors/disk/write_sets.h"

namespace kura::disk {

// Of the sets that are idle (DiskPoolOptions::idle_ns): seals what is mostly garbage, for
// compaction to empty; cuts the files of the others. Errors: of the view.
Task<Result<void>> rest_idle_sets(std::shared_ptr<DiskCore> core, const LiveBodies& live);

// See DiskPool::garbage_under_snapshots(). Errors: of the view.
Result<std::vector<SetId>> garbage_under_snapshots(const DiskCore& core, const LiveBodies& live);

}  // namespace kura::disk
