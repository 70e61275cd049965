// RocksKv: the real Kv, in one RocksDB column family without write-ahead log.
//
// The journal is the log, so a second one would only cost. After a crash the map holds what its
// last memtable flush held. That is a prefix of the batches: a batch goes into one memtable whole,
// memtables are filled one after the other, and RocksDB enters their files into its manifest in
// that order, also when several are flushed at once (one column family, so no atomic_flush).
//
// A failing drive ends the map, never the process: from the first background error on, every write
// and flush fails with it, until the map is closed and opened again (which finds the last flush) or
// destroyed and rebuilt. A full drive is no failing one: writes are refused with no_space
// (Kv::room()) until a flush() finds room, and what was written before is kept. Block checksums are
// verified by every read; a map that was found damaged is not opened again (Kv::on_damage), an
// empty one takes its place.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/kv.h"

namespace kura {

struct RocksKvOptions {
  uint64_t cache_bytes = 64ull << 20;  // Blocks, with the indexes and filters of all tables.
  // Up to four exist at once. Small, because LIST walks the superseded versions in it, and a lookup
  // misses the processor's caches in a large one.
  uint64_t memtable_bytes = 8ull << 20;
  int background_jobs = 2;  // Threads of the process that flush and compact.
  // Gets RocksDB's warnings, from any thread. Not a file beside the map: on a full drive RocksDB
  // ends the process when it writes there after a write that failed.
  std::function<void(const std::string& line)> log;
};

// Opens or creates the map in the folder `path`, whose parent must exist. One opener at a time.
// Errors: corrupt (destroy and rebuild it), no_space, io_error.
Result<std::unique_ptr<Kv>> open_rocks_kv(const std::string& path,
                                          const RocksKvOptions& options = {});

// As open_rocks_kv(), of a map that is there: it makes none.
Result<std::unique_ptr<Kv>> open_rocks_kv_again(const std::string& path,
                                                const RocksKvOptions& options = {});

// The map as it is, without room for anything. It is only read; its files may be removed meanwhile,
// as by one that is opened beside it. Errors: io_error, corrupt.
Result<std::unique_ptr<Kv>> open_rocks_kv_to_read(const std::string& path,
                                                  const RocksKvOptions& options = {});

// Removes the map at `path` with its folder; nothing there is success. It must not be open.
Result<void> destroy_rocks_kv(const std::string& path);

}  // namespace kura
