// What lies behind the last good record of a segment: nothing, a torn append, or proof of a loss.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "journal/embedded/segment_reader.h"

namespace kura::journal {

struct TailScan {
  struct Range {
    uint64_t at;  // In the file.
    uint64_t length;
  };
  std::vector<Range> not_zero;    // What a write left there, in blocks.
  std::optional<uint64_t> proof;  // Offset of the first valid record that proves that something
                                  // acknowledged was at `log_end` or behind it.

  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const Range& range : not_zero) sum += range.length;
    return sum;
  }
};

// Scans one copy of the segment at `base` from file position `at` to `until`. A record proves a
// loss when its append began behind `log_end`: that append was sent only after everything before it
// was synced on every mirror. A record of an append that began at `log_end` or before is part of
// what was torn.
Task<TailScan> scan_tail(SegmentReader& reader, JournalId journal, uint64_t base, uint64_t at,
                         uint64_t until, uint64_t log_end);

}  // namespace kura::journal
