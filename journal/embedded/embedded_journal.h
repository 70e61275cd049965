// EmbeddedJournal: the journal of one node, one physical log mirrored on m + 1 of its n drives.
//
// An append is reported after every mirror of the current mirror set has synced it. A mirror that
// fails is replaced by a full copy on another drive, and a new mirror set is written to at least
// m + 1 drives, before anything more is acknowledged. With fewer than m + 1 drives online appends
// are unavailable and reads go on. Losing m drives loses nothing; the rules are in ../README.md.

#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/bounded_drive.h"
#include "base/limits.h"
#include "base/loop.h"
#include "base/turn.h"
#include "journal/embedded/body_cache.h"
#include "journal/embedded/journal_status.h"
#include "journal/embedded/late_calls.h"
#include "journal/embedded/merge.h"
#include "journal/embedded/mirror.h"
#include "journal/embedded/mirror_set.h"
#include "journal/journal.h"

namespace kura::journal {

struct JournalDrive {
  DriveId id;
  std::shared_ptr<Drive> drive;
};

inline constexpr int64_t kJournalDriveTimeoutNs = 10'000'000'000;

std::vector<MirrorPtr> as_mirrors(const std::vector<JournalDrive>& drives,
                                  int64_t timeout_ns = kJournalDriveTimeoutNs);

struct EmbeddedJournalOptions {
  JournalId journal;          // create(): its id.
  ClusterId cluster;          // create(): written down. open(): must fit, unless nil.
  WriterId writer;            // Of this process, and of no other one.
  uint32_t mirror_count = 0;  // m + 1. open(): 0 keeps what is; else changed as drives allow.
  uint64_t segment_bytes = kJournalSegmentBytes;  // Of new segments; a multiple of kSegmentAlign.
  uint64_t body_cache_bytes = 64 * kMiB;
  int64_t drive_timeout_ns = kJournalDriveTimeoutNs;  // A drive that takes longer has failed.
  bool ack_before_sync = false;  // A planted fault, for the simulator to find. Loses writes.
};

class EmbeddedJournal final : public Journal {
 public:
  using Opened = Result<std::unique_ptr<EmbeddedJournal>>;

  // A new journal on drives that have none; the first `mirror_count` become its mirrors. `loop` is
  // the current loop and outlives the journal, as in all of these. Errors: exists (a drive has a
  // journal), invalid_argument, no_space, io_error.
  static Task<Opened> create(Loop& loop, std::vector<JournalDrive> drives,
                             EmbeddedJournalOptions options);
  // The journal that these drives hold, recovered: every record that anybody will ever fold is on
  // every mirror when it returns. `drives`: all that are online. Errors, each one line that says
  // what to do: not_found (no journal here, or one whose creation was interrupted: create() it),
  // unavailable (too few drives), exists (drives of two journals), corrupt (data loss; names the
  // offsets), no_space (a mirror lacks a segment and has no room for it), io_error, unsupported.
  static Task<Opened> open(Loop& loop, std::vector<JournalDrive> drives,
                           EmbeddedJournalOptions options);
  // For reading a stopped node's drives: writes nothing, mends nothing, appends are unavailable.
  static Task<Opened> open_read_only(Loop& loop, std::vector<JournalDrive> drives);
  // Reads every byte of every mirror and changes nothing. Errors: as open(); loss is in the report.
  static Task<Result<VerifyReport>> verify(std::vector<JournalDrive> drives);

  ~EmbeddedJournal() override;

  JournalId id() const override { return set_.journal; }
  Bounds bounds() const override;
  Task<Result<std::vector<Offset>>> append(std::vector<Record>& records,
                                           AppendClass append_class) override;
  // Sees to it that so many bytes of class reserve find room: may replace mirrors and prepare a
  // segment. Errors: as append() has before it writes.
  Task<Result<void>> ensure_room(uint64_t bytes);
  Task<Result<std::vector<StoredRecord>>> read(Offset from, uint64_t bytes_max) override;
  Task<Result<RawRecords>> read_raw(Offset from, Offset below, uint64_t bytes_max) override;
  Task<Result<std::string>> read_body(v1::JournalBody body) override;
  bool try_read_body(const v1::JournalBody& body, std::string* out) override;
  Task<Result<void>> truncate(Offset below) override;

  const OpenReport& report() const { return report_; }
  JournalStatus status() const;
  // Those of which a start has to see enough, here or not.
  std::vector<DriveId> drives() const { return set_.drives; }
  // Whether the drive was one of them, whichever process removed it. Those that were removed
  // longest ago are forgotten, and are then of another history.
  bool was_removed(DriveId drive) const { return set_.has_removed(drive); }
  std::vector<SegmentSpan> segments() const;  // Ascending.

  // A drive came online: new, or back, also when nobody noticed that it was away. Replaces a
  // missing mirror at once. Errors: exists (of another journal or history), unavailable (there are
  // still too few, but this one is taken; or a call from before it was lost is still under way
  // there: it is not taken, ask again later), io_error.
  Task<Result<void>> add_drive(JournalDrive drive);
  // As add_drive() before it changes anything. Errors: exists, io_error.
  Task<Result<void>> check_drive(JournalDrive drive);
  // A drive is gone. Replaces the mirror, if it was one. Errors: unavailable (no drive to replace
  // it with: appends stay unavailable until one is added).
  Task<Result<void>> drive_failed(DriveId drive, std::string reason);
  // Whether a mirror was lost and not replaced yet.
  bool lacks_mirrors() const;
  // A change of the mirrors failed and may stand on some drives; no set that undoes it is in force
  // yet. Nothing is written meanwhile.
  bool is_in_doubt() const { return in_doubt_; }
  // Mends either of the two. Errors: as drive_failed().
  Task<Result<void>> replace_lost();
  // Why open() found no room for its set or its first records: it reads only then, and another
  // open() may find some once has_room().
  const std::optional<Error>& lacks_room() const { return lacks_room_; }
  bool has_room() const;
  // A drive will not come back: it no longer counts among the n.
  Task<Result<void>> remove_drive(DriveId drive);
  // m + 1 changes. Errors: no_space (for more mirrors; nothing was written), unavailable (too few
  // drives, or not writable), invalid_argument (no mirror at all).
  Task<Result<void>> set_mirror_count(uint32_t mirror_count);
  // Reads every byte of the live log on every mirror and every record of the mirror set, through
  // their paths, and mends what is wrong. Appends wait only while something is mended. Errors:
  // corrupt (a loss: names the offsets; the rest was still scrubbed), unavailable, io_error.
  Task<Result<void>> scrub();
  // Waits for background work; await it before the destruction of a journal in use.
  Task<void> close();

 private:
  static constexpr uint64_t kClaimsBytes = 64 * kKiB;  // Enough for the first records of a start.
  struct Part;
  struct Plan;
  struct ReadTable;

  EmbeddedJournal(Loop& loop, EmbeddedJournalOptions options)
      : loop_(loop), options_(options), cache_(options.body_cache_bytes) {}

  // create and open (embedded_open.cc).
  Task<Result<void>> format(std::vector<MirrorPtr> drives);
  Task<Result<void>> recover(std::vector<MirrorPtr> drives, std::vector<Sighting> sightings);
  void leave_other_history(std::vector<MirrorPtr>& drives, std::vector<Sighting>& sightings);
  void use_drives(const std::vector<MirrorPtr>& drives, const std::vector<Sighting>& sightings);
  Task<std::vector<MirrorPtr>> set_unproven_apart();
  Task<void> take_cleared(std::vector<MirrorPtr> drives);
  Task<Result<MergedLog>> merge_mirrors(std::vector<MirrorPtr>& fresh);
  Task<Result<void>> take_charge_of_start(std::vector<MirrorPtr> unproven,
                                          std::vector<Sighting> sightings);
  Task<Result<void>> renew_set(std::vector<MirrorPtr> fresh);
  void adopt(MergedLog log);

  // append (embedded_append.cc).
  Result<Plan> place_records(const std::vector<Record>& records) const;
  Result<Plan> plan_append(const std::vector<Record>& records) const;
  Task<Result<void>> make_room(size_t segments, AppendClass append_class);
  Task<Result<void>> write_everywhere(std::shared_ptr<const Plan> plan);
  Task<Result<void>> write_mirror(std::shared_ptr<const Plan> plan, size_t mirror);
  Task<bool> undo(const Plan& plan, PartitionId partition);
  Task<Result<void>> undo_mirror(const Plan& plan, std::string withdrawal, size_t mirror);
  const LogSegment* segment_at(uint64_t base) const;  // Live or prepared; else null.
  void cache_bodies(std::shared_ptr<const Plan> plan, const std::vector<Record>& records);
  void finish_append(std::shared_ptr<const Plan> plan, const std::vector<Record>& records,
                     int64_t started_ns);

  // Mirrors and segments (embedded_mirrors.cc). All with the turn held.
  // Whoever writes asks once its turn has come; scrub() also before it begins. Errors: unavailable
  // (opened to read, or closing).
  Result<void> writable() const;
  Task<Result<void>> restore(uint64_t known_end, uint32_t parity);
  Task<Result<void>> refill(uint64_t known_end, uint32_t parity, std::vector<MirrorPtr> leaving);
  size_t others_with_room_first();
  Task<Result<void>> move_off(std::vector<MirrorPtr> full);
  Task<void> let_go(MirrorPtr mirror);
  Task<Result<void>> settle_doubt();
  uint64_t live_bytes() const;
  uint64_t room_bytes() const;  // For records, without another segment.
  uint64_t bytes_of_mirror() const;
  Task<Result<void>> clear_for_copy(MirrorPtr drive);
  void refresh_files(const MergedLog& log);
  Task<Result<void>> drop_spares();
  Task<Result<void>> shrink(uint32_t parity);
  Task<Result<void>> prepare_spare();
  Task<void> prepare_spare_later();
  Task<void> restore_later();
  void drop_failed();
  void publish();
  std::shared_ptr<const ReadTable> table() const;

  // How a set comes into force (embedded_sets.cc). All with the turn held.
  Task<Result<void>> commit(MirrorSet next);
  Result<void> check_enough_for(MirrorSet next) const;
  void name_before(MirrorSet& next) const;
  void note_removed(MirrorSet& next) const;
  void note_lagging(MirrorSet& next) const;
  Task<Result<void>> make_witnesses(MirrorSet& next);
  Task<Result<void>> take_charge();
  Task<Result<void>> finish_change();
  // What a write must reach. binds: whoever starts later sees it, or is too few. suffices: m + 1 as
  // well, so it is in force.
  enum class Quorum : uint8_t { binds, suffices };
  Task<Result<void>> write_set(MirrorSet next, Quorum quorum);
  std::vector<DriveId> online() const;
  Error too_few_online() const;

  // Drives that come back (embedded_admin.cc).
  bool has_other_history(const Sighting& seen) const;
  Result<void> check_sighting(const Sighting& seen) const;
  Task<bool> reopen_mirror(size_t mirror, MirrorPtr anew);

  bool degraded() const { return mirrors_.size() < set_.parity + size_t{1}; }
  uint64_t end() const { return segments_.back().end; }

  // Reading (embedded_read.cc).
  Task<Result<std::string>> good_record(uint64_t offset);
  Task<Result<std::string>> good_body(v1::JournalBody body);
  void mend_later(uint64_t offset);  // Once, however many readers find it.
  Task<void> repair_later(uint64_t offset);
  Task<Result<void>> repair(uint64_t offset);
  const LogSegment* find_segment(uint64_t offset) const;
  void in_background(Task<void> task);
  Task<void> tracked(Task<void> task);

  // Scrubbing (embedded_scrub.cc).
  Task<Result<void>> scrub_mirror_sets();
  Task<Result<void>> scrub_segment(uint64_t base);
  Task<Result<uint64_t>> check_segment(LogSegment segment, bool write);
  Task<Result<void>> scrub_spares();
  Task<bool> is_prepared(LogSegment spare);

  Loop& loop_;
  const EmbeddedJournalOptions options_;
  // What this process goes on from: chosen at the start, then the last one that it wrote so that it
  // binds.
  MirrorSet set_;
  bool in_charge_ = false;   // This process has promised generations and set_ is one of them.
  uint64_t last_tried_ = 0;  // The highest generation that this process wrote to a drive.
  bool in_doubt_ = false;    // One above set_ may stand on drives, without mirrors of now.
  std::vector<MirrorPtr> mirrors_;  // Healthy members; LogSegment::files are by these.
  std::vector<MirrorPtr> others_;   // Online, no members (or returning ones).
  std::vector<std::string> failed_;
  LateCalls late_calls_;
  std::vector<LogSegment> segments_;  // Live, ascending; the last one is written to.
  std::vector<LogSegment> spares_;    // Prepared behind it; empty.
  uint64_t last_ = 0;                 // Offset of the last record.
  // Between the last block of the active segment's file and end(), if all of it was appended here.
  std::optional<std::string> tail_;
  bool read_only_ = false;
  std::optional<Error> lacks_room_;
  bool fatal_ = false;
  bool closing_ = false;
  size_t background_ = 0;
  std::set<uint64_t> repairing_;
  OpenReport report_;
  JournalCounters counters_;
  TurnQueue turns_;  // Whoever changes files or the mirror set.
  BodyCache cache_;
  mutable std::mutex table_mutex_;
  std::shared_ptr<const ReadTable> table_;  // For readers on any thread.
};

}  // namespace kura::journal
