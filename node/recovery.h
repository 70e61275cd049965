// The view at a start: opens what a drive holds of it, or rebuilds it from snapshot and log, and
// folds the tail. The same digest comes out either way.

#pragma once

#include <memory>
#include <vector>

#include "actors/bucket/view_fold.h"
#include "actors/disk/disk_pool.h"
#include "journal/journal.h"
#include "node/node.h"

namespace kura::node {

struct RecoveredView {
  std::unique_ptr<Kv> kv;
  std::unique_ptr<ViewFold> fold;
  size_t drive = 0;       // On which the view is.
  uint64_t replayed = 0;  // Records folded at this start.
  bool from_snapshot = false;
  bool built_anew = false;  // Nothing was there that fits this log.
};

struct RecoveryDrives {
  std::vector<size_t> usable;          // Indexes into ports.drives and ports.views.
  std::vector<disk::PoolDrive> by_id;  // For reading snapshots.
  disk::DiskPoolOptions pool;
  std::vector<WriterId> writers;  // Who wrote the journal before; see lost_end() in recovery.cc.
  // For a node that only reads: the end of the log may never have been acknowledged, and vanish
  // when other drives come back. A view that outlives this process must not be ahead of the log, so
  // what a drive holds of it is only read, and the tail stays in memory. Where that does not fit
  // the log, one is built beside it and never takes its place; a later start removes it.
  bool read_only = false;
};

// On the journal loop, before anything is appended. Of what drives hold the newest view that fits
// the log is resumed. What a drive holds is replaced only by a complete one. One on a full drive is
// resumed where no other drive has room: its tail stays in memory (Kv::room()). Errors: corrupt
// (also a log that has lost its end, as a view shows), unsupported (an event that this build does
// not know), unavailable (no drive takes the view), no_space, those of the journal.
Task<Result<RecoveredView>> recover_view(NodePorts& ports, journal::Journal& journal,
                                         RecoveryDrives drives);

// Removes what other drives than that of the view in use hold of views: it moved away from them, or
// was never finished there. A view goes only once the one in use is as new on its drive: one that
// is newer is of another log, or shows what this one has lost. REQUIRES: this start is not refused
// any more, and does not only read.
Task<void> remove_other_views(const NodePorts& ports, std::vector<size_t> drives,
                              const RecoveredView& used, int64_t timeout_ns);

// Whether the view, which is on a full `drive`, could be built on one of `others` instead.
bool another_takes_view(const NodePorts& ports, const std::vector<size_t>& others, size_t drive);

}  // namespace kura::node
