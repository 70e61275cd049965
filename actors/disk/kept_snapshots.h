// How the view's snapshots lie in the sets: whether they can be read, and whether one that is taken
// now would be safer.

#pragma once

#include <set>

#include "actors/disk/disk_pool.h"
#include "actors/disk/write_sets.h"

namespace kura::disk {

// `given_up`: drives whose members do not come back by themselves. On the pool's loop.
KeptSnapshots look_at_snapshots(DiskCore& core, const std::set<DriveId>& given_up);

}  // namespace kura::disk
