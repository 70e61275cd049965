// Compaction: frees sets and archived pieces of the log that are mostly garbage by copying what
// lives elsewhere, and drops sets that nothing names.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>

#include "actors/bucket/bucket_writer.h"
#include "actors/disk/live_bodies.h"
#include "actors/disk/write_sets.h"

namespace kura::disk {

class Compaction {
 public:
  Compaction(std::shared_ptr<DiskCore> core, const LiveBodies& live, BucketWriter& buckets)
      : core_(std::move(core)), live_(live), buckets_(buckets) {}

  // Looks at every sealed set once, and at some archived pieces; what fails is left for later.
  // Errors: of the view; else that of the last piece that could not be cleaned, none for sets.
  Task<Result<void>> pass();

 private:
  struct Candidate {
    SegmentSet set;
    uint64_t live_bytes = 0;
  };
  // Drops what is empty and returns what is worth copying, emptiest first.
  Task<Result<std::vector<Candidate>>> look_around();
  Task<Result<void>> copy_out(const Candidate& candidate);
  Task<Result<void>> copy_archives(SetId set, Target target);
  Task<Result<void>> clean_archives();

  const std::shared_ptr<DiskCore> core_;
  const LiveBodies& live_;
  BucketWriter& buckets_;
  std::set<SetId> empty_before_;          // Seen empty by the pass before.
  std::map<SetId, uint64_t> not_before_;  // Failed: left alone until this pass.
  uint64_t passes_ = 0;
  Offset cleaned_;  // Archived pieces are looked at in turn: those up to this one were.
  int64_t ask_view_not_before_ns_ = 0;           // See clean_by_names().
  std::map<Offset, uint64_t> clean_not_before_;  // As not_before_, by where a piece begins.
};

}  // namespace kura::disk
