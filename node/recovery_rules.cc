#include "node/recovery_rules.h"

#include "base/limits.h"
#include "journal/embedded/segment_format.h"

namespace kura::node {
namespace {

constexpr uint64_t kRoomBytes = 64 * kMiB;  // Of a view that is small yet.

}  // namespace

bool is_whole(const journal::Bounds& log) {
  return log.start.value <= journal::kSegmentHeaderBytes;
}

bool view_fits(const ViewPosition& at, const journal::Bounds& log) {
  if (at.end.value == 0) return is_whole(log);
  return at.end >= log.start && at.end <= log.end;
}

bool has_room_for_view(uint64_t free_bytes, uint64_t view_bytes) {
  return free_bytes >= 2 * view_bytes + kRoomBytes;
}

}  // namespace kura::node
