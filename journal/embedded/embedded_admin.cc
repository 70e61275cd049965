// Drives that come and go, and what the journal tells about itself.

#include <algorithm>

#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"
#include "journal/embedded/segment_format.h"
#include "journal/record_codec.h"

namespace kura::journal {
namespace {

constexpr uint64_t kSetsBytes = 1 * kMiB;  // Enough for the sets of a start.

}  // namespace

std::vector<MirrorPtr> as_mirrors(const std::vector<JournalDrive>& drives, int64_t timeout_ns) {
  std::vector<MirrorPtr> mirrors;
  for (const JournalDrive& drive : drives) {
    mirrors.push_back(std::make_shared<Mirror>());
    Mirror& mirror = *mirrors.back();
    mirror.id = drive.id;
    mirror.given = drive.drive;
    mirror.bounds = std::make_shared<CallBounds>(timeout_ns);
    mirror.drive = bounded(drive.drive, mirror.bounds);
  }
  return mirrors;
}

// A healthy mirror was mounted anew between two appends. All that was acknowledged is on it, but
// its open files are of the old mount. False: the drive does not hold what this mirror holds.
Task<bool> EmbeddedJournal::reopen_mirror(size_t mirror, MirrorPtr anew) {
  std::vector<std::shared_ptr<File>> files;
  for (const auto* segments : {&segments_, &spares_}) {
    for (const LogSegment& segment : *segments) {
      const std::string name = segment_name(segment.base);
      auto file = co_await anew->drive->open(name);
      if (!file) co_return false;
      files.push_back(std::move(*file));
    }
  }
  if (last_ != 0) {
    const LogSegment* segment = find_segment(last_);
    const size_t index = static_cast<size_t>(segment - segments_.data());
    const uint64_t length = segment->end - last_;
    auto bytes = co_await files[index]->read(last_ - segment->base, length);
    if (!bytes || !parse_record(*bytes, set_.journal, Offset{last_})) co_return false;
  }
  if (is_lost(*mirrors_[mirror])) co_return false;
  auto file = files.begin();
  for (auto* segments : {&segments_, &spares_}) {
    for (LogSegment& segment : *segments) segment.files[mirror] = std::move(*file++);
  }
  mirrors_[mirror]->given = anew->given;
  mirrors_[mirror]->bounds = anew->bounds;
  mirrors_[mirror]->drive = anew->drive;
  publish();
  co_return true;
}

// Whether a process wrote there that is not of our history.
bool EmbeddedJournal::has_other_history(const Sighting& seen) const {
  MirrorSet ours = set_;
  ours.generation = std::max(set_.generation, last_tried_);
  return is_other_history(ours, seen);
}

Result<void> EmbeddedJournal::check_sighting(const Sighting& seen) const {
  if (seen.set && seen.set->generation > 0 && seen.set->journal != set_.journal)
    return fail(Errc::exists, seen.label + " belongs to another journal");
  // What its process acknowledged may be on this drive alone.
  if (has_other_history(seen))
    return fail(Errc::exists, seen.label + ": " + std::string(kOtherHistory));
  return {};
}

Task<Result<void>> EmbeddedJournal::check_drive(JournalDrive drive) {
  const std::vector<JournalDrive> one{drive};
  const MirrorPtr asked = as_mirrors(one, options_.drive_timeout_ns).front();
  const Sighting seen = co_await look(asked);
  if (asked->failed) co_return fail(Errc::io_error, asked->reason);
  co_return check_sighting(seen);
}

Task<Result<void>> EmbeddedJournal::add_drive(JournalDrive drive) {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  const std::vector<JournalDrive> one{drive};
  if (late_calls_.any_on(drive.id)) {
    co_return fail(Errc::unavailable,
                   drive.drive->label() + " has not ended a call from before it was given up");
  }
  const MirrorPtr added = as_mirrors(one, options_.drive_timeout_ns).front();
  late_calls_.watch(*added);
  Sighting seen = co_await look(added);
  if (added->failed) co_return fail(Errc::io_error, added->reason);
  for (size_t i = 0; i < mirrors_.size(); ++i) {
    const MirrorPtr mirror = mirrors_[i];
    if (mirror->id != drive.id || is_lost(*mirror)) continue;
    if (mirror->given == drive.drive) co_return Result<void>();
    // Its record may be older, where there was no room for a newer one: the log on it tells.
    bool same = seen.set && seen.set->journal == set_.journal && !has_other_history(seen);
    if (same) same = co_await reopen_mirror(i, added);
    if (same) co_return Result<void>();
    mirror->fail(Error{Errc::io_error, "the drive came back in another state"});
  }
  Result<void> ours = check_sighting(seen);
  if (!ours) co_return ours;
  // Still a mirror, whatever generation its record has, for no set that names it came into force
  // while it was away: what it holds may be needed, should the others fail while it is filled.
  added->returning = set_.has_member(drive.id) && seen.set && seen.set->journal == set_.journal;
  if (!added->returning) {
    Result<void> settled = co_await settle_doubt();
    if (!settled) co_return settled;
    Result<void> cleared = co_await remove_all_segments(added);
    if (!cleared) co_return cleared;
  }
  std::erase_if(others_, [&](const MirrorPtr& other) { return other->id == drive.id; });
  others_.push_back(added);
  Result<void> done = co_await restore(end(), set_.parity);
  if (fatal_) co_return done;
  MirrorSet next = set_;
  if (!next.has_drive(drive.id)) {
    next.drives.push_back(drive.id);
  }
  Result<void> committed = co_await commit(std::move(next));  // Else the drive has an older one.
  if (!committed) co_return committed;
  if (!set_.has_drive(drive.id))
    co_return fail(Errc::no_space,
                   drive.drive->label() + " has no room for a record of the journal");
  if (done && spares_.empty()) in_background(prepare_spare_later());
  co_return done;
}

Task<Result<void>> EmbeddedJournal::drive_failed(DriveId drive, std::string reason) {
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& mirror : *drives) {
      // At once, for an append that is under way.
      if (mirror->id == drive) mirror->fail(Error{Errc::io_error, reason});
    }
  }
  TurnQueue::Turn turn = co_await turns_.enter();
  if (!writable()) co_return Result<void>();
  Result<void> restored = co_await restore(end(), set_.parity);
  if (restored && spares_.empty()) in_background(prepare_spare_later());
  co_return restored;
}

bool EmbeddedJournal::lacks_mirrors() const {
  return degraded() || std::any_of(mirrors_.begin(), mirrors_.end(),
                                   [](const MirrorPtr& mirror) { return is_lost(*mirror); });
}

bool EmbeddedJournal::has_room() const {
  std::vector<DriveId> for_set;
  size_t for_log = 0;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      auto space = drive->drive->space();
      if (!space || space->free_bytes < kSetsBytes) continue;
      for_set.push_back(drive->id);
      const uint64_t wanted = drives == &mirrors_ ? options_.segment_bytes : bytes_of_mirror();
      if (space->free_bytes - kSetsBytes >= wanted) ++for_log;
    }
  }
  return binds(set_, for_set) && (room_bytes() >= kClaimsBytes || for_log > set_.parity);
}

Task<Result<void>> EmbeddedJournal::replace_lost() {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (!writable() || !(lacks_mirrors() || in_doubt_)) co_return Result<void>();
  Result<void> restored = co_await restore(end(), set_.parity);
  if (restored && spares_.empty()) in_background(prepare_spare_later());
  co_return restored;
}

Task<Result<void>> EmbeddedJournal::remove_drive(DriveId drive) {
  Result<void> done = co_await drive_failed(drive, "removed");
  if (!done) co_return done;
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  MirrorSet next = set_;
  if (next.has_member(drive)) co_return fail(Errc::unavailable, "the drive is still a mirror");
  if (std::erase(next.drives, drive) == 0) co_return Result<void>();
  co_return co_await commit(std::move(next));
}

JournalStatus EmbeddedJournal::status() const {
  JournalStatus status{counters_};
  for (const MirrorPtr& mirror : mirrors_) {
    if (!is_lost(*mirror)) status.mirrors.push_back({mirror->id, mirror->drive->label()});
  }
  for (const MirrorPtr& other : others_) {
    if (!is_lost(*other)) status.other_drives.push_back({other->id, other->drive->label()});
  }
  status.failed = failed_;
  status.mirrors_wanted = set_.parity + 1;
  status.generation = set_.generation;
  status.degraded = degraded() || lacks_room_;
  status.in_doubt = in_doubt_;
  status.fatal = fatal_;
  status.bounds = bounds();
  status.segments = segments_.size();
  for (const auto* segments : {&segments_, &spares_}) {
    for (const LogSegment& segment : *segments) status.disk_bytes += segment.capacity_bytes;
  }
  status.cached_body_bytes = cache_.size_bytes();
  return status;
}

std::vector<SegmentSpan> EmbeddedJournal::segments() const {
  std::vector<SegmentSpan> out;
  for (const LogSegment& segment : segments_) {
    out.push_back({Offset{segment.base + kSegmentHeaderBytes}, Offset{segment.end},
                   segment.base == segments_.back().base});
  }
  return out;
}

Task<void> EmbeddedJournal::close() {
  closing_ = true;
  while (background_ > 0) {
    TurnQueue::Turn turn = co_await turns_.enter();
    co_await next_turn();
  }
}

}  // namespace kura::journal
