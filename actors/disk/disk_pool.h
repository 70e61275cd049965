// DiskPool: the drives of one node and everything that lives on them in segment sets. The entry to
// actors/disk: it gives out the BlobStore, keeps redundancy (rebuild, scrub, repair) and frees
// space (compaction).
//
// All state belongs to the loop given at construction; calls may come from any loop unless they say
// otherwise. Reads run on the caller's loop.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/bucket/bucket_writer.h"
#include "actors/disk/live_bodies.h"
#include "actors/disk/set_ledger.h"
#include "base/blob_store.h"
#include "base/drive.h"
#include "base/ids.h"
#include "base/limits.h"
#include "base/loop.h"
#include "journal/journal.h"

namespace kura::disk {

struct DiskCore;
class Maintenance;

// A piece of the log that has less is not archived: its live bodies move one by one.
struct ArchiveLimits {
  uint64_t bytes_min = 256 * kKiB;  // Else it is not worth a record in the control log.
  // Live bytes of bodies. Not just what makes a set worth keeping, or it would soon be cleaned.
  uint32_t live_percent_min = 65;
};

struct DiskPoolOptions {
  ClusterId cluster;
  WriterId incarnation;  // Of this process: half of every reservation.
  JournalId journal;     // Whose log is archived here.

  // "EC:n" of the configuration; unset: by the number of drives (geometry.h).
  std::optional<uint32_t> standard_parity;
  std::optional<uint32_t> reduced_parity;

  uint64_t member_bytes_max = kMemberFileBytes;  // Small drives get less (placement.h).
  // Per drive, left free by clients beside the pool's own reserve: room for the log to grow.
  uint64_t reserve_extra_bytes = 0;
  // Written and not yet synced, of all striped uploads; each has 2 MiB in any case.
  uint64_t unsynced_bytes_max = 256 * kMiB;

  int64_t drive_timeout_ns = 10'000'000'000;  // A slower write, sync or read takes a drive offline.
  int64_t check_interval_ns = 2'000'000'000;  // Re-reading identities; 0: never.
  int64_t lost_after_ns = 900'000'000'000;    // Offline this long: rebuild on the other drives.
  int64_t maintenance_interval_ns = 1'000'000'000;  // Compaction and rebuild look around; 0: never.
  uint64_t scrub_bytes_per_second =
      50 * kMiB;                   // Of stored bytes, all drives together; 0: no limit.
  uint32_t live_percent_min = 50;  // A sealed set with less is compacted.
  ArchiveLimits archive;
  int64_t idle_ns = 15'000'000'000;  // A set that nobody writes to for so long gives room back.
  size_t open_files_max = 4096;
  // Nothing is removed, cut or mended in segment sets: the end of the journal, which would say what
  // may go, may itself not count.
  bool read_only = false;
};

// `drive` is null when the drive is known to the cluster but not there.
struct PoolDrive {
  DriveId id;
  std::shared_ptr<Drive> drive;  // Null: it is not here.
  std::string reason;            // Why not, for the operator; empty: it was not there.
};

struct DriveStatus {
  DriveId id;
  std::string label;
  bool online = false;
  std::string reason;  // Why it is offline.
  DriveSpace space;    // Zeros when offline.
};

struct ScrubCounters {
  uint64_t runs = 0;  // Completed.
  bool running = false;
  uint64_t sets = 0;
  uint64_t bytes = 0;
  // Of the run that runs, or of the last one: what it has read, and of how much when it began.
  uint64_t run_bytes = 0, run_bytes_planned = 0;
  uint64_t next_run_bytes = 0;       // That a run would read if it began now.
  uint64_t damaged_shards = 0;       // Found by scrub.
  uint64_t repaired_shards = 0;      // By scrub, by reads and by rebuild's sources.
  uint64_t lost_stripes = 0;         // With live bytes, found with too few shards to read them.
  uint64_t repaired_identities = 0;  // Files of drive identities, by checks of drives.
};

struct PoolStatus {
  std::vector<DriveStatus> drives;  // By id.
  uint32_t standard_parity = 0;
  uint32_t reduced_parity = 0;
  uint64_t sets_open = 0;
  uint64_t sets_sealed = 0;
  uint64_t sets_dropped = 0;             // Since the start of the process.
  uint64_t bytes_below_full_parity = 0;  // Live stored bytes in sets with a missing member. Exact.
  uint64_t bytes_unreadable = 0;  // Of these, in sets that lost more members than parity mends.
  uint64_t members_missing = 0;
  uint64_t members_rebuilt = 0;  // Since the start of the process.
  uint64_t bodies_moved =
      0;  // By compaction, out of sets and archives, since the start of the process.
  uint64_t reservations = 0;
  ScrubCounters scrub;
};

// The snapshots that the control state names.
struct KeptSnapshots {
  std::vector<Snapshot> readable;  // Enough members are here of all their sets. Oldest first.
  // One is less safe than one taken now would be, and does not get better by itself: it cannot be
  // read, has less parity than a new one would have, or lost members that are not rebuilt.
  bool outdone = false;
};

// What happens when a drive is forgotten now.
struct RemovalPlan {
  uint64_t moved_bytes = 0;       // Written to the other drives: what it held, or sets anew.
  uint64_t room_bytes = 0;        // Free on the others that are online.
  uint64_t unreadable_bytes = 0;  // Live stored bytes of which too much is missing without it.
  uint32_t standard_parity = 0, reduced_parity = 0;  // Of what is written from then on.
  bool takes_writes = false;                         // Enough drives are online for that.
};

class DiskPool {
 public:
  // `loop` and `ledger` outlive the pool. Does no I/O.
  DiskPool(Loop& loop, SetLedger& ledger, DiskPoolOptions options, std::vector<PoolDrive> drives);
  ~DiskPool();
  DiskPool(const DiskPool&) = delete;

  // Reads work as soon as the ledger's state names their sets; writes after start().
  BlobStore& blobs();
  // Inline bodies, from `log` as long as it has them, then from where it was archived. `log`
  // outlives them.
  std::unique_ptr<journal::InlineBodies> inline_bodies(journal::InlineBodies& log);

  // Writes the body of a snapshot. It lets the log be cut, which gives back more than it takes, so
  // it may use what clients leave free. Errors: unavailable. From any loop.
  Result<std::unique_ptr<BlobWriter>> write_snapshot();
  // How much of one of so many bytes finds room now.
  Task<uint64_t> snapshot_room(uint64_t bytes_max);

  // Removes leftovers of earlier processes. REQUIRES: the control partition is folded to its end.
  // Errors: corrupt (a drive holds sets that the journal has not opened yet; nothing was changed).
  Task<Result<void>> start();

  // Seals the sets that earlier processes had open, and begins compaction, rebuild and scrub. With
  // `read_only` it begins nothing; then status() knows what is live.
  // REQUIRES: start() returned, every partition is folded to its end; on the pool's loop; both
  // outlive stop().
  void begin_maintenance(const LiveBodies& live, BucketWriter& buckets);
  // Ends maintenance. What is open is sealed by the next process. Returns when no background work
  // is under way.
  Task<Result<void>> stop();

  // The event that names the reservation was folded, or void for ever: its blocks are free unless
  // the fold names them. Cheap; from any thread.
  void reservation_ended(const v1::Reservation& reservation);

  // A new, emptied-and-reformatted or returning drive whose identity the caller has checked. New
  // sets use it at once. One that is new takes over from those that are offline: their members are
  // rebuilt. Errors: exists (that id is online).
  Task<Result<void>> add_drive(PoolDrive drive);
  bool serves(DriveId drive) const;  // It is known, and online. From any thread.
  // What it held is rebuilt on the others, as of a drive that no cluster knows. Errors: exists (it
  // is online).
  Task<Result<void>> forget_drive(DriveId drive);
  // Why one that is offline is not used, although something is in its place. From any thread.
  void tell_why_offline(DriveId drive, std::string reason);
  // Changes nothing. REQUIRES: begin_maintenance. Errors: those of LiveBodies.
  Task<Result<RemovalPlan>> plan_removal(DriveId drive);
  // No more reads or writes there; open sets on it are failed over and sealed.
  Task<Result<void>> take_offline(DriveId drive, std::string reason);

  uint64_t reservations() const;         // Uploads whose blocks are kept. From any thread.
  std::vector<DriveId> offline() const;  // Of the drives it knows. From any thread.

  // Verifies every stripe of every set that is there now, and mends what it can; one that runs
  // already ends first. REQUIRES: begin_maintenance. Errors: unavailable (the pool stops).
  Task<Result<void>> scrub();
  // Sets that only snapshots keep from being dropped, though they are mostly garbage, and hold more
  // of it than a snapshot: those taken anew (write_snapshot) free more than they take. None before
  // begin_maintenance.
  Task<Result<std::vector<SetId>>> garbage_under_snapshots();
  Task<KeptSnapshots> kept_snapshots();
  // One look around of compaction and rebuild, without waiting for the interval. For
  // tests. REQUIRES: begin_maintenance.
  Task<Result<void>> maintain_now();

  // Asks the view for live bytes of degraded sets. Errors: those of LiveBodies.
  Task<Result<PoolStatus>> status();

  // Sees to it that the log may be cut below the offset returned (at most `below`, less when
  // `bytes_max` of it were read first): inline bodies of records before that are read from segment
  // sets, because they moved there or because that piece of the log is archived. Call again from
  // there. REQUIRES: begin_maintenance; on the journal's loop, one call at a time. Errors:
  // unavailable, no_space, those of the journal.
  Task<Result<Offset>> destage(journal::Journal& journal, Offset from, Offset below,
                               uint64_t bytes_max);

 private:
  std::shared_ptr<DiskCore> core_;
  std::unique_ptr<BlobStore> blobs_;
  std::shared_ptr<Maintenance> maintenance_;
};

}  // namespace kura::disk
