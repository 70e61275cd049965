#include "node/recovery_rules.h"

#include "journal/embedded/segment_format.h"

namespace kura::node {

bool is_whole(const journal::Bounds& log) {
  return log.start.value <= journal::kSegmentHeaderBytes;
}

bool view_fits(const ViewPosition& at, const journal::Bounds& log) {
  if (at.end.value == 0) return is_whole(log);
  return at.end >= log.start && at.end <= log.end;
}

}  // namespace kura::node
