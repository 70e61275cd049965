// BodyCache: the inline bodies of the newest records, in memory.
//
// Filled in log order, one block per append, and emptied from the oldest block on: a GET soon after
// its PUT touches no file. A block is the memory that the append was written from. Thread-safe.

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace kura::journal {

class BodyCache {
 public:
  struct Body {
    Offset offset;  // Of its record.
    std::string_view bytes;
  };

  explicit BodyCache(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  // The bodies lie in `memory`, which takes `bytes` and is kept as long as they are here.
  // REQUIRES: ascending offsets, greater than all before.
  void add(std::shared_ptr<const void> memory, uint64_t bytes, std::vector<Body> bodies);
  // The body of the record at `offset`, if it is here and has `length_bytes`.
  bool find(Offset offset, uint64_t length_bytes, std::string* out) const;
  uint64_t size_bytes() const;

 private:
  struct Block {
    std::shared_ptr<const void> memory;
    uint64_t bytes;
    std::vector<Body> bodies;  // Not empty.
  };

  const uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Block>> blocks_;  // Ascending offsets.
  uint64_t bytes_ = 0;
};

}  // namespace kura::journal
