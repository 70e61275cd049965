#include "node/housekeeping_rules.h"

#include <algorithm>

#include "base/limits.h"

namespace kura::node {
namespace {

constexpr size_t kSegmentsLeast = 8, kSegmentsMost = 16;
constexpr uint32_t kDoublingsMax = 4;
constexpr uint64_t kOutlivedBytesMin = kMiB;  // Less is not worth an event.
constexpr int64_t kFlushNs = 60'000'000'000;
constexpr int64_t kIdleFlushNs = 10'000'000'000;  // Each makes a file, which somebody merges.
constexpr uint64_t kSmallFlushBytes = 8 * kMiB;  // It holds up the journal's loop for milliseconds.

}  // namespace

size_t log_segments_max(uint64_t smallest_drive_bytes, uint64_t segment_bytes) {
  return std::clamp<size_t>(smallest_drive_bytes / 8 / segment_bytes, kSegmentsLeast,
                            kSegmentsMost);
}

// Two snapshots lie in the log, so one for each half of it keeps it within the maximum.
bool is_due(const LogLook& log, size_t segments_max) {
  if (log.segments < 2) return false;
  if (log.behind > segments_max / 2 || log.out_of_space) return true;
  return log.idle && !log.settled;
}

bool is_flush_due(const ViewLook& view) {
  if (view.unflushed_bytes == 0) return false;
  if (view.idle) return view.since_ns >= kIdleFlushNs;
  return view.since_ns >= kFlushNs && view.unflushed_bytes <= kSmallFlushBytes;
}

size_t segments_behind(const std::vector<journal::SegmentSpan>& segments,
                       const std::vector<Snapshot>& snapshots) {
  if (snapshots.empty()) return segments.size();
  const Offset newest = snapshots.back().offset;
  return static_cast<size_t>(
      std::count_if(segments.begin(), segments.end(),
                    [newest](const journal::SegmentSpan& s) { return s.end > newest; }));
}

std::optional<Offset> snapshots_end(const std::vector<Snapshot>& snapshots) {
  if (snapshots.size() < 2) return std::nullopt;
  return snapshots[snapshots.size() - 2].offset;
}

bool needs_snapshot(const std::vector<Snapshot>& snapshots, Offset target) {
  const auto end = snapshots_end(snapshots);
  return !end || *end < target;
}

bool is_worth_snapshot(const std::vector<Snapshot>& snapshots, Offset start, Offset target) {
  const auto end = snapshots_end(snapshots);
  if (!end) return true;
  const Offset from = std::max(start, *end);
  return target > from && target.value - from.value >= snapshots.back().size_bytes / 2;
}

bool is_outlived(const std::vector<Snapshot>& snapshots, Offset end) {
  return std::any_of(snapshots.begin(), snapshots.end(), [end](const Snapshot& s) {
    return s.size_bytes >= kOutlivedBytesMin && end.value - s.offset.value >= s.size_bytes / 2;
  });
}

std::optional<Offset> cut_below(const CutLimits& limits, const std::vector<Snapshot>& snapshots) {
  const auto end = snapshots_end(snapshots);
  if (!end) return std::nullopt;
  return std::min({limits.target, limits.destaged, limits.flushed, *end});
}

int64_t retry_after_ns(uint32_t failures, int64_t interval_ns) {
  return interval_ns << std::min(failures, kDoublingsMax);
}

}  // namespace kura::node
