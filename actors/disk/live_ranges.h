// LiveRanges: the bytes of a set's member files that hold something the fold names. Asked when a
// stripe cannot be read: a torn leftover of an upload that never ended is no loss.

#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "actors/disk/live_bodies.h"
#include "projections/control/control_state.h"

namespace kura::disk {

class LiveRanges {
 public:
  // Snapshots and archived log are named by the control state, all else by `live`.
  static Result<LiveRanges> of(const LiveBodies& live, const ControlState& state,
                               const SegmentSet& set);
  bool touches(uint64_t begin, uint64_t end) const;
  // Takes [begin, end) out; what is left at last was never covered.
  void cover(uint64_t begin, uint64_t end);
  bool empty() const { return ranges_.empty(); }
  uint64_t end() const;  // Behind the last range; 0 without any.
  uint64_t begin() const { return ranges_.begin()->first; }  // REQUIRES: not empty().

 private:
  void add(const SegmentSet& set, const v1::Body& body);
  std::map<uint64_t, uint64_t> ranges_;  // Begin to end; may overlap only by equal begins.
};

}  // namespace kura::disk
