// When housekeeping acts, and how far it cuts the log. Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "journal/embedded/embedded_journal.h"
#include "projections/control/control_state.h"

namespace kura::node {

// So many segments the log may have under load: an eighth of the smallest drive, 8 to 16. On a
// small drive a segment is 1/64, so the log leaves room for bodies; on a large one a longer log
// makes fewer snapshots, each of which costs the whole view.
size_t log_segments_max(uint64_t smallest_drive_bytes, uint64_t segment_bytes);

struct LogLook {
  size_t segments = 0;  // With the active one.
  size_t behind = 0;    // Of these, how many reach beyond the newest snapshot.
  bool out_of_space = false;
  bool idle = false;     // Nothing was appended for a while,
  bool settled = false;  // and the last pass then freed all there is to free.
};
bool is_due(const LogLook& log, size_t segments_max);

struct ViewLook {
  uint64_t unflushed_bytes = 0;  // Of log that the view on its drive does not hold.
  bool idle = false;             // As above.
  int64_t since_ns = 0;          // Since the last flush.
};
// Whether to flush the view so that the next start has less to replay. Where much is appended,
// passes do it.
bool is_flush_due(const ViewLook& view);

// Segments that reach beyond the newest snapshot: all of them without one.
size_t segments_behind(const std::vector<journal::SegmentSpan>& segments,
                       const std::vector<Snapshot>& snapshots);

// Here and below: of snapshots that can be read.

// Where the log may be cut: the older of two snapshots, so that damage to the newer one costs time
// only. None: there are not two.
std::optional<Offset> snapshots_end(const std::vector<Snapshot>& snapshots);

// One more snapshot, and a later one behind it, let the log be cut up to `target`. One for a pass:
// the next pass cuts up to it.
bool needs_snapshot(const std::vector<Snapshot>& snapshots, Offset target);

// At rest: whether the log that one more lets be cut is worth what it costs, which is the whole
// view.
bool is_worth_snapshot(const std::vector<Snapshot>& snapshots, Offset start, Offset target);

// At rest: whether one was taken of a view that may be much smaller by now. To empty a view takes
// as many bytes of log as half of it has, unless keys are long; fewer are not worth another
// snapshot.
bool is_outlived(const std::vector<Snapshot>& snapshots, Offset end);

struct CutLimits {
  Offset target;    // The active segment begins here.
  Offset destaged;  // No body is read from the log alone below.
  Offset flushed;   // The view on its drive holds what is below.
};
// Nothing is read below the result any more. None: nothing may be cut.
std::optional<Offset> cut_below(const CutLimits& limits, const std::vector<Snapshot>& snapshots);

// After so many failures in a row: they may cost a snapshot each.
int64_t retry_after_ns(uint32_t failures, int64_t interval_ns);

}  // namespace kura::node
