// What readers on any thread need of the log: an immutable picture that the journal replaces.

#pragma once

#include <algorithm>
#include <vector>

#include "journal/embedded/embedded_journal.h"

namespace kura::journal {

struct EmbeddedJournal::ReadTable {
  struct Segment {
    uint64_t base = 0;
    uint64_t limit = 0;
    std::vector<std::shared_ptr<File>> files;  // By mirror.
  };
  JournalId journal;
  std::vector<Segment> segments;  // Ascending.

  const Segment* find(uint64_t offset) const {
    auto after = std::upper_bound(segments.begin(), segments.end(), offset,
                                  [](uint64_t o, const Segment& s) { return o < s.base; });
    if (after == segments.begin()) return nullptr;
    const Segment& segment = *std::prev(after);
    return offset < segment.limit ? &segment : nullptr;
  }
};

}  // namespace kura::journal
