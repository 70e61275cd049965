// Scrub: reads every byte of every set up to the last one that is durable, checks headers, payloads
// and parity, and repairs.

#pragma once

#include <cstdint>
#include <memory>

#include "actors/disk/disk_pool.h"

namespace kura::disk {

class Scrub {
 public:
  explicit Scrub(std::shared_ptr<DiskCore> core) : core_(std::move(core)) {}
  // One run over all sets that are there when it begins. Returns early when the pool stops.
  // REQUIRES: one run at a time.
  Task<void> run(const LiveBodies& live);
  uint64_t planned_bytes() const;  // Of a run that begins now.
  const ScrubCounters& counters() const { return counters_; }
  bool running() const { return counters_.running; }

 private:
  uint64_t end_of(const SegmentSet& set) const;
  Task<void> visit(const LiveBodies& live, SegmentSet set, uint64_t until);
  Task<SegmentSet> sealed(SetId id);
  // Returns the number of stripes with live bytes that cannot be read now.
  Task<Result<uint64_t>> scrub_set(const LiveBodies& live, SegmentSet set, uint64_t until);
  Task<void> check_file_headers(const SegmentSet& set);
  Task<void> keep_pace(uint64_t bytes);

  const std::shared_ptr<DiskCore> core_;
  ScrubCounters counters_;
  int64_t began_ns_ = 0;
  uint64_t paced_bytes_ = 0;
};

}  // namespace kura::disk
