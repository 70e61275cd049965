// Housekeeping: keeps the journal short. It flushes the view, has old segments archived or
// their live small bodies moved, snapshots the view, and truncates below the lowest of all
// (journal/PROTOCOL.md, section 7). It also renews snapshots that keep room without need. A task on
// the journal loop.

#pragma once

#include <optional>

#include "actors/bucket/committer.h"
#include "actors/disk/disk_pool.h"
#include "actors/tenant/control_actor.h"
#include "journal/embedded/embedded_journal.h"
#include "node/housekeeping_rules.h"
#include "projections/metadata/snapshot.h"

namespace kura::node {

struct HousekeepingOptions {
  int64_t interval_ns = 1'000'000'000;
  int64_t idle_ns = 3'000'000'000;  // No append for so long: free what can be freed.
  size_t segments_max = 8;          // Of the log under load; see log_segments_max().
  uint64_t snapshot_chunk_bytes = kSnapshotChunkBytes;
  std::function<void(const std::string&)> log;
  std::function<void(Error)> on_view_failed;
  int64_t view_full_ns = 10'000'000'000;  // Its drive is full for so long: told again and again.
  std::function<void()> on_view_full;
};

class Housekeeping {
 public:
  // All references outlive it.
  Housekeeping(Loop& loop, journal::EmbeddedJournal& journal, ViewFold& fold, Kv& kv,
               ControlActors& control, Committer& committer, disk::DiskPool& disks,
               HousekeepingOptions options);

  Task<void> run();  // Until stop().
  void stop() { stopping_ = true; }
  bool running() const { return running_; }
  // Now; waits for one that runs. `thrifty`: without a snapshot that is not worth what it frees.
  Task<Result<void>> pass(bool thrifty = false);

  uint64_t snapshots() const { return snapshots_; }  // Since the start of the process.

 private:
  struct Passing;
  bool is_idle() const;
  bool is_due();
  bool is_thrifty() const;
  // One snapshot, if one that is kept keeps garbage with it, is large, or less safe than a new one
  // would be; the next call renews the other one.
  Task<Result<void>> renew_snapshot();
  Task<Result<void>> free_below(Offset target, bool thrifty);
  Result<void> flush_view();
  bool wait_for_room();
  bool is_flush_due() const;
  Task<Result<void>> destage_below(Offset target);
  // Whether one finds room, and its record in the log. Else nothing of it is to be written.
  Task<Result<void>> check_room_for_snapshot();
  Task<Result<uint64_t>> measure_snapshot();
  Task<Result<void>> take_snapshot();

  Loop& loop_;
  journal::EmbeddedJournal& journal_;
  ViewFold& fold_;
  Kv& kv_;
  ControlActors& control_;
  Committer& committer_;
  disk::DiskPool& disks_;
  const HousekeepingOptions options_;
  Offset destaged_;            // No body is read from the journal alone below this.
  Offset seen_end_;            // Of the log at the last look,
  int64_t changed_ns_ = 0;     // and when it changed.
  Offset settled_end_;         // End of the log after a pass that left nothing to free.
  Offset flushed_;             // End of what this process knows the view on its drive to hold,
  int64_t flushed_ns_ = 0;     // and since when.
  uint32_t failures_ = 0;      // Of passes, in a row;
  int64_t not_before_ns_ = 0;  // the next one waits for this.
  bool running_ = false;
  bool passing_ = false;
  bool stopping_ = false;
  uint64_t snapshots_ = 0;
  uint64_t snapshot_bytes_ = 0;           // Of the last one, as far as it came.
  std::optional<int64_t> full_since_ns_;  // The drive of the view.
};

}  // namespace kura::node
