// BodyCache: the inline bodies of the newest records, in memory.
//
// Filled in log order, one block per append, and emptied from the oldest block on: a GET soon after
// its PUT touches no file. Thread-safe.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/ids.h"
#include "journal/record.h"

namespace kura::journal {

class BodyCache {
 public:
  explicit BodyCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // REQUIRES: offsets greater than all before; as many offsets as records.
  void add(const std::vector<Record>& records, const std::vector<Offset>& offsets);
  // The body of the record at `offset`, if it is here and has `length_bytes`.
  bool find(Offset offset, uint64_t length_bytes, std::string* out) const;
  uint64_t size_bytes() const;

 private:
  struct Entry {
    uint64_t offset;
    uint32_t at;
    uint32_t length;
  };
  struct Block {
    std::string bodies;          // One behind the other.
    std::vector<Entry> entries;  // Ascending offsets; not empty.
  };

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Block>> blocks_;  // Ascending offsets.
  uint64_t bytes_ = 0;
};

}  // namespace kura::journal
