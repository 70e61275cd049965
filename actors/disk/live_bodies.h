// LiveBodies: what the fold still names in segment sets and in the journal. The disk pool asks it
// before it copies or frees a byte; view_live_bodies.h answers from the metadata view.
//
// From any thread; sees every acknowledged write. Errors: io_error, corrupt.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "event.pb.h"

namespace kura {

// Bodies of objects and parts with their place: `to` is empty.
struct LivePage {
  std::vector<v1::BodiesMoved_Move> bodies;
  std::string next;  // Pass it to go on; empty: there is nothing more.
};

// Whether a part of the body lies in the set.
inline bool touches(const v1::Body& body, SetId set) {
  for (const v1::Extent& extent : body.extents())
    if (extent.set() == set.value) return true;
  return false;
}

class LiveBodies {
 public:
  virtual ~LiveBodies() = default;
  // Stored bytes that the fold names in the set.
  virtual Result<uint64_t> live_bytes(SetId set) const = 0;
  // About so many bytes of inline bodies are live in the piece of the log (accounts.h).
  virtual Result<uint64_t> live_log_bytes(uint64_t piece) const = 0;
  // Bodies with at least one extent in the set, at most `bodies_max`, behind `after` ("" at first).
  virtual Result<LivePage> bodies_in(SetId set, const std::string& after,
                                     uint32_t bodies_max) const = 0;
  // Inline bodies in records of the log in [from, to), of a page of versions and parts behind
  // `after` ("" at first); those of parts without bucket and key. Passes over the whole view.
  virtual Result<LivePage> bodies_in_log(Offset from, Offset to,
                                         const std::string& after) const = 0;
  // Whether the version or part that `place` names still has the body `place.from`.
  virtual Result<bool> is_live(const v1::BodiesMoved_Move& place) const = 0;
};

}  // namespace kura
