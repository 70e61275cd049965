// RequestTable: the results of the last kRequestTableMax requests of a partition, so that a retry
// is answered and not run again (journal/PROTOCOL.md, section 5, "Request ids").
//
// A fold of the log, bounded by count: the n-th request takes slot n modulo the size. The rows are
// the truth; this is their index in memory, by request id. Both follow from the same records.

#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "projections/metadata/outcome.h"
#include "projections/metadata/overlay.h"

namespace kura {

struct RequestEntry {
  RequestId id;
  uint64_t digest = 0;
  Outcome outcome;
};

class RequestTable {
 public:
  static Result<RequestTable> load(RowReader& rows, PartitionId partition);

  const RequestEntry* find(RequestId id) const;
  // The next entry in log order; call it for each record whose row was folded. The oldest leaves.
  void add(RequestEntry entry);
  // Requests below this offset may have left the table; 0: none has.
  Offset low() const;
  size_t size() const { return slots_.size(); }

 private:
  // Ids are random, and drawn by the node: any part of one is a hash.
  struct RandomBits {
    using is_avalanching = void;
    size_t operator()(const RequestId& id) const {
      size_t bits;
      std::memcpy(&bits, id.bytes.data(), sizeof(bits));
      return bits;
    }
  };

  uint64_t count_ = 0;               // Ever added.
  std::vector<RequestEntry> slots_;  // Slot i: entry i modulo kRequestTableMax.
  boost::unordered_flat_map<RequestId, uint32_t, RandomBits> by_id_;
};

// The row form of add().
Result<void> put_request(Rows& rows, PartitionId partition, const RequestEntry& entry);

}  // namespace kura
