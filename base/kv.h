// Kv: an ordered map of bytes with atomic batches; what a projection keeps its view in.
//
// Contract (tests/base/kv_contract.h): a batch is visible to every later read, all of it or
// nothing; after a crash the map holds a prefix of the batches, at least all up to the last flush.
// Keys are ordered as unsigned bytes. Thread-safe. Errors: io_error, corrupt, no_space; after an
// error the map may be dropped and rebuilt by its projection.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"

namespace kura {

class KvBatch {
 public:
  struct Change {
    std::string key;
    std::optional<std::string> value;  // None: remove.
  };
  void put(std::string key, std::string value) {
    changes_.push_back({std::move(key), std::move(value)});
  }
  void remove(std::string key) { changes_.push_back({std::move(key), std::nullopt}); }
  const std::vector<Change>& changes() const { return changes_; }  // A later one wins.
  void clear() { changes_.clear(); }

 private:
  std::vector<Change> changes_;
};

// Sees the map as it was when the iterator was made.
class KvIterator {
 public:
  virtual ~KvIterator() = default;
  virtual void seek(std::string_view key) = 0;  // To the first entry at or after `key`.
  virtual void next() = 0;
  virtual bool valid() const = 0;
  virtual std::string_view key() const = 0;    // Until the next move.
  virtual std::string_view value() const = 0;  // Until the next move.
  virtual Result<void> status() const = 0;     // Of a move that left it invalid; see outcome().

  // For whoever stopped moving: one that failed is invalid, as one at its end is.
  Result<void> outcome() const { return valid() ? Result<void>() : status(); }
};

// Whether what is written gets to the drive.
enum class KvRoom : uint8_t {
  enough,
  lacking,  // The drive is full. What is written stays in memory until a flush() succeeds.
  none,     // And so much of it does that no more should come.
};

class Kv {
 public:
  virtual ~Kv() = default;
  virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  virtual Result<void> write(const KvBatch& batch) = 0;
  virtual Result<void> flush() = 0;
  virtual std::unique_ptr<KvIterator> iterate() = 0;  // Must not outlive the map.
  // From any thread.
  virtual KvRoom room() const { return KvRoom::enough; }

  // Stored bytes are not what was written: whatever finds it calls `notify` once, on any thread. A
  // later process will not use this map, it opens an empty one.
  virtual void on_damage(std::function<void(Error)> notify) { (void)notify; }
  // Verifies every stored byte, past all caches; awaited before the map goes. Errors: corrupt,
  // io_error.
  virtual Task<Result<void>> verify() { co_return Result<void>(); }
};

}  // namespace kura
