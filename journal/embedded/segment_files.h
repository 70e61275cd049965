// SegmentFiles: which mirror has which segments of a log.

#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "journal/embedded/segment_reader.h"

namespace kura::journal {

class SegmentFiles {
 public:
  // Of `mirrors`, from base `start` on. Errors: as list_journal().
  static Task<Result<SegmentFiles>> list(std::vector<MirrorPtr> mirrors, uint64_t start);

  bool has(uint64_t base) const { return bases_.contains(base); }
  // Base of the segment that comes after the one at `base`; none: there is none.
  std::optional<uint64_t> after(uint64_t base) const;
  // Base of the segment that `offset` is in. REQUIRES: there is one at or before it.
  uint64_t holding(uint64_t offset) const { return *std::prev(bases_.upper_bound(offset)); }

  // A reader for each mirror, in their order; missing() where it has no such file. Seals a mirror
  // off that cannot open what it has.
  Task<std::vector<SegmentReader>> open(uint64_t base);
  // The whole segments behind the one at `base`, from all mirrors. Seals a mirror off that fails.
  Task<Result<void>> remove_behind(uint64_t base);

 private:
  std::vector<MirrorPtr> mirrors_;
  std::vector<std::set<uint64_t>> held_;  // By mirror: bases of its files.
  std::set<uint64_t> bases_;              // Of any mirror.
};

}  // namespace kura::journal
