// DiskCore: what the parts of the disk pool share. One per pool; kept alive by whatever still works
// for it.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>

#include "actors/disk/disk_pool.h"
#include "actors/disk/drive_table.h"
#include "actors/disk/packed_committer.h"
#include "actors/disk/repair.h"
#include "actors/disk/reservations.h"
#include "actors/disk/set_files.h"
#include "actors/disk/write_sets.h"

namespace kura::disk {

struct Counters {
  std::atomic<uint64_t> sets_dropped{0};
  std::atomic<uint64_t> members_rebuilt{0};
  std::atomic<uint64_t> bodies_moved{0};
  std::atomic<uint64_t> repaired_shards{0};
  std::atomic<uint64_t> repaired_identities{0};  // Files that hold one.
  std::atomic<uint64_t> writers{0};              // Striped uploads under way.
};

struct DiskCore : std::enable_shared_from_this<DiskCore> {
  DiskCore(Loop& loop_in, SetLedger& ledger_in, DiskPoolOptions options_in)
      : loop(loop_in),
        ledger(ledger_in),
        options(options_in),
        files(ledger, drives, options.open_files_max, options.drive_timeout_ns),
        reservations(options.incarnation),
        write_sets(*this),
        packed(*this),
        repairs(*this) {}

  Loop& loop;
  SetLedger& ledger;
  const DiskPoolOptions options;
  DriveTable drives;
  SetFiles files;
  Reservations reservations;
  Counters counters;
  WriteSets write_sets;    // Pool's loop.
  PackedCommitter packed;  // Pool's loop.
  RepairQueue repairs;
  // Live bytes of these were found beyond repair, by rebuild or scrub. On the pool's loop.
  std::set<SetId> lost_in;
  std::atomic<bool> stopping{false};
  size_t background = 0;  // Tasks of spawn_on under way. On the pool's loop.

  uint32_t drive_count() const;  // Of the pool, present or not.
  uint32_t parity(v1::StorageClass storage_class) const;
  uint32_t parity_of(uint32_t drives, v1::StorageClass storage_class) const;  // With so many.
  // A drive that did not answer in time, or failed a call, is not used any more.
  void drive_failed(DriveId drive, const Error& error);
};

// Of what moves out of the log, or lets it be cut: that gives back more than it takes, so it may
// use what clients leave free.
Target reclaim_target(const DiskCore& core);

// Runs `work` on the pool's loop, keeping the core alive. On the pool's loop.
void spawn_on(const std::shared_ptr<DiskCore>& core, Task<void> work);

}  // namespace kura::disk
