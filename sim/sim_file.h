// SimFile: one file of a simulated disk, with what a crash may take back.
//
// Reads see every write at once. Each write that no sync has covered keeps the bytes it replaced;
// crash() decides for each of them, sector by sector, whether the medium has it. Within one sector
// a later write is never there without the earlier ones, as a page cache writes whole pages.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/sim_random.h"
#include "sim/sparse_bytes.h"

namespace kura::sim {

// What a crash does to a write that was not synced. `mixed` draws one of the others per write.
enum class Unsynced : uint8_t { kept, dropped, torn, mixed };

struct SimFile {
  struct Write {
    uint64_t number = 0;
    uint64_t offset = 0;
    uint64_t length = 0;
    std::string before;   // What was there; empty: zeros.
    bool doomed = false;  // A failed sync lost it: no later sync makes it durable.
  };

  SparseBytes content;
  uint64_t size = 0;          // As reads see it.
  uint64_t durable_size = 0;  // At least this much remains after a crash.
  uint64_t writes = 0;        // Number of the last write.
  std::vector<Write> unsynced;
  std::vector<std::pair<uint64_t, uint64_t>> under_way;  // Ranges being written now: [from, to).

  void write(uint64_t offset, const std::vector<std::string_view>& pieces);
  // All writes up to `number` are durable, but for the doomed.
  void synced(uint64_t number);
  // The sync of all writes up to `number` failed; some are lost, and nobody is told which.
  void sync_failed(uint64_t number, SimRandom& random);
  void crash(Unsynced policy, uint64_t sector_bytes, SimRandom& random);
  // Both sizes; the bytes behind are gone.
  void truncate(uint64_t new_size);
};

}  // namespace kura::sim
