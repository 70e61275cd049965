// The mirrors of a running journal. Whoever needs all of them asks restore(): it undoes a move that
// got half-way (settle_doubt), then refills what is missing, drive after drive. refill() copies the
// log and commits the set; move_off() is a refill in which full mirrors leave; shrink() commits
// fewer. prepare_spare() adds a segment, and moves off mirrors without room. How a set comes into
// force: embedded_sets.cc.

#include <algorithm>

#include "base/concurrently.h"
#include "base/counted.h"
#include "base/fail_point.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"
#include "journal/embedded/read_table.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {

Result<void> EmbeddedJournal::writable() const {
  if (read_only_ || closing_) return fail(Errc::unavailable, "the journal is not writable");
  return {};
}

void EmbeddedJournal::publish() {
  auto table = std::make_shared<ReadTable>();
  table->journal = set_.journal;
  for (const LogSegment& segment : segments_) {
    table->segments.push_back({segment.base, segment.limit(), segment.files});
  }
  std::lock_guard lock(table_mutex_);
  table_ = std::move(table);
}

std::shared_ptr<const EmbeddedJournal::ReadTable> EmbeddedJournal::table() const {
  std::lock_guard lock(table_mutex_);
  return table_;
}

// Forgets mirrors and drives that were sealed off.
void EmbeddedJournal::drop_failed() {
  bool changed = false;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      if (is_lost(*drive)) drive->fail(Error{Errc::timed_out, "it did not answer in time"});
    }
  }
  for (size_t i = mirrors_.size(); i-- > 0;) {
    if (!mirrors_[i]->failed) continue;
    failed_.push_back(line_of(*mirrors_[i]));
    const auto at = static_cast<ptrdiff_t>(i);
    mirrors_.erase(mirrors_.begin() + at);
    for (auto* segments : {&segments_, &spares_}) {
      for (LogSegment& segment : *segments) segment.files.erase(segment.files.begin() + at);
    }
    changed = true;
  }
  std::erase_if(others_, [&](const MirrorPtr& other) {
    if (other->failed) failed_.push_back(line_of(*other));
    return other->failed;
  });
  if (mirrors_.empty()) fatal_ = true;
  if (changed) publish();
}

// A merge may have replaced files of mirrors that stay.
void EmbeddedJournal::refresh_files(const MergedLog& log) {
  for (const LogSegment& merged : log.segments) {
    for (auto* segments : {&segments_, &spares_}) {
      for (LogSegment& segment : *segments) {
        if (segment.base != merged.base) continue;
        std::copy_n(merged.files.begin(), segment.files.size(), segment.files.begin());
      }
    }
  }
}

// For a copy of the log on a drive that is no mirror. Errors: no_space, before anything is copied;
// io_error.
Task<Result<void>> EmbeddedJournal::clear_for_copy(MirrorPtr drive) {
  Result<void> cleared = co_await remove_all_segments(drive);
  if (!cleared) co_return fail(Errc::io_error, cleared.error().detail);
  auto space = drive->drive->space();
  if (space && space->free_bytes < live_bytes())
    co_return fail(Errc::no_space, drive->drive->label() + " has no room for a copy of the log");
  co_return Result<void>();
}

// Fills the set up to parity + 1 mirrors once, not counting those that leave it. Errors: io_error
// when a drive was sealed off on the way (try again); unavailable; no_space; corrupt.
Task<Result<void>> EmbeddedJournal::refill(uint64_t known_end, uint32_t parity,
                                           std::vector<MirrorPtr> leaving) {
  const size_t need = parity + size_t{1} - (mirrors_.size() - leaving.size());
  std::stable_partition(others_.begin(), others_.end(),
                        [](const MirrorPtr& other) { return other->returning; });
  if (others_.size() < need) {
    co_return fail(Errc::unavailable, "the journal has " + std::to_string(mirrors_.size()) +
                                          " of " + counted(parity + 1, "mirror") +
                                          " and no drive to add");
  }
  before_step("journal.refill");
  MergeOrder order;
  order.journal = set_.journal;
  order.start = set_.start;
  order.write = true;
  order.known_end = known_end;
  order.sources = mirrors_;
  for (size_t i = 0; i < need; ++i) {
    MirrorPtr added = others_[i];
    if (added->returning) {
      order.sources.push_back(added);
      continue;
    }
    order.fresh.push_back(added);
  }
  std::vector<MirrorPtr> members = order.sources;
  members.insert(members.end(), order.fresh.begin(), order.fresh.end());
  MirrorSet next = set_;
  next.parity = parity;
  next.members.clear();
  for (const MirrorPtr& member : members) {
    if (std::find(leaving.begin(), leaving.end(), member) != leaving.end()) continue;
    next.members.push_back(member->id);
    if (!next.has_drive(member->id)) next.drives.push_back(member->id);
  }
  // Before anything is cleared, or copied for nothing each time that somebody appends.
  Result<void> enough = check_enough_for(next);
  if (!enough) co_return enough;
  Result<void> charged = co_await take_charge();
  if (!charged) co_return charged;
  const std::vector<MirrorPtr> fresh = order.fresh;
  for (const MirrorPtr& drive : fresh) {
    Result<void> emptied = co_await clear_for_copy(drive);
    if (!emptied) co_return emptied;
  }
  Result<MergedLog> merged = co_await merge_log(std::move(order));
  if (!merged) {
    for (const MirrorPtr& drive : fresh)
      if (!is_lost(*drive)) (void)co_await remove_all_segments(drive);
    co_return fail(merged.error());
  }
  if (merged->segments.back().end != known_end)
    co_return fail(Errc::corrupt, "the journal's mirrors do not hold what it ends with");
  refresh_files(*merged);
  Result<void> committed = co_await commit(std::move(next));
  in_doubt_ = !committed && !leaving.empty();
  if (!committed) co_return committed;
  counters_.replacements += need;
  mirrors_ = std::move(members);
  others_.erase(others_.begin(), others_.begin() + static_cast<ptrdiff_t>(need));
  for (const MirrorPtr& member : mirrors_) member->returning = false;
  segments_ = std::move(merged->segments);
  last_ = merged->last;
  for (const MirrorPtr& mirror : leaving) co_await let_go(mirror);
  publish();
  after_step("journal.refill");
  // The new mirrors lack what was prepared; begin anew.
  std::erase_if(spares_,
                [&](const LogSegment& spare) { return spare.base <= segments_.back().base; });
  co_return co_await drop_spares();
}

Task<Result<void>> EmbeddedJournal::drop_spares() {
  std::vector<LogSegment> spares = std::move(spares_);
  spares_.clear();
  for (const LogSegment& spare : spares) {
    const std::string name = segment_name(spare.base);
    for (const MirrorPtr& mirror : mirrors_) {
      Result<void> removed = co_await mirror->drive->remove(name);
      if (removed || removed.error().code == Errc::not_found) continue;
      mirror->fail(removed.error());
    }
  }
  for (const MirrorPtr& mirror : mirrors_) {
    if (is_lost(*mirror)) co_return fail(Errc::io_error, mirror->reason);
  }
  co_return Result<void>();
}

// A set without some of the mirrors of now may stand on some drives, and would come into force at
// the next start: nothing is acknowledged on these mirrors, and no copy that it names is cleared,
// before a later set names them again.
Task<Result<void>> EmbeddedJournal::settle_doubt() {
  if (!in_doubt_) co_return Result<void>();
  MirrorSet same = set_;
  Result<void> committed = co_await commit(std::move(same));
  in_doubt_ = !committed;
  co_return committed;
}

// Brings the mirror set to parity + 1 healthy mirrors that hold the log up to `known_end`.
Task<Result<void>> EmbeddedJournal::restore(uint64_t known_end, uint32_t parity) {
  size_t full_drives = 0;
  for (;;) {
    drop_failed();
    if (fatal_) co_return fail(Errc::unknown, "no mirror of the journal is left");
    Result<void> settled = co_await settle_doubt();
    if (!settled) co_return settled;
    if (mirrors_.size() > parity) co_return Result<void>();
    Result<void> filled = co_await refill(known_end, parity, {});
    if (filled) continue;
    if (filled.error().code == Errc::no_space && ++full_drives < others_.size()) {
      std::rotate(others_.begin(), others_.begin() + 1, others_.end());
      continue;
    }
    const size_t before = mirrors_.size() + others_.size();
    drop_failed();
    if (fatal_) co_return fail(Errc::unknown, "no mirror of the journal is left");
    // Without a drive less to try, another attempt would end the same way.
    if (mirrors_.size() + others_.size() == before) {
      co_return fail(Errc::unavailable, filled.error().detail);
    }
  }
}

// Goes down to parity + 1 mirrors.
Task<Result<void>> EmbeddedJournal::shrink(uint32_t parity) {
  MirrorSet next = set_;
  next.parity = parity;
  next.members.clear();
  for (size_t i = 0; i <= parity; ++i) next.members.push_back(mirrors_[i]->id);
  Result<void> committed = co_await commit(std::move(next));
  if (!committed) co_return committed;
  while (mirrors_.size() > parity + size_t{1}) co_await let_go(mirrors_.back());
  publish();
  co_return Result<void>();
}

// A mirror that the set in force does not name.
Task<void> EmbeddedJournal::let_go(MirrorPtr mirror) {
  const auto at = std::find(mirrors_.begin(), mirrors_.end(), mirror) - mirrors_.begin();
  mirrors_.erase(mirrors_.begin() + at);
  for (auto* segments : {&segments_, &spares_}) {
    for (LogSegment& segment : *segments) segment.files.erase(segment.files.begin() + at);
  }
  others_.push_back(mirror);
  Result<void> removed = co_await remove_all_segments(mirror);
  if (!removed) mirror->fail(removed.error());
}

uint64_t EmbeddedJournal::live_bytes() const {
  uint64_t bytes = 0;
  for (const LogSegment& segment : segments_) bytes += segment.capacity_bytes;
  return bytes;
}

// What a drive needs that takes the place of a mirror without room: the log, what is prepared
// behind it, and two segments more.
uint64_t EmbeddedJournal::bytes_of_mirror() const {
  return live_bytes() + (spares_.size() + 2) * options_.segment_bytes;
}

uint64_t EmbeddedJournal::room_bytes() const {
  uint64_t bytes = segments_.back().limit() - end();
  for (const LogSegment& spare : spares_) bytes += spare.capacity_bytes - kSegmentHeaderBytes;
  return bytes;
}

// Those of the other drives that have room for a mirror come first; how many that are.
size_t EmbeddedJournal::others_with_room_first() {
  const uint64_t wanted = bytes_of_mirror();
  auto has_room = [wanted](const MirrorPtr& other) {
    auto space = other->drive->space();
    return space && space->free_bytes >= wanted;
  };
  const auto without = std::stable_partition(others_.begin(), others_.end(), has_room);
  return static_cast<size_t>(without - others_.begin());
}

// Puts other drives in the place of mirrors that have no room. Errors: no_space (there are not
// enough with room; nothing has changed); as refill().
Task<Result<void>> EmbeddedJournal::move_off(std::vector<MirrorPtr> full) {
  if (others_with_room_first() < full.size())
    co_return fail(Errc::no_space, "no space for a journal segment");
  co_return co_await refill(end(), set_.parity, std::move(full));
}

Task<Result<void>> EmbeddedJournal::set_mirror_count(uint32_t mirror_count) {
  if (mirror_count == 0) co_return fail(Errc::invalid_argument, "a journal needs a mirror");
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  Result<void> done = co_await restore(end(), set_.parity);
  if (!done || mirror_count == set_.parity + 1) co_return done;
  if (mirror_count <= set_.parity) co_return co_await shrink(mirror_count - 1);
  // Before anything is written: whoever wants more mirrors asks until there is room.
  const size_t need = mirror_count - mirrors_.size();
  if (others_.size() >= need && others_with_room_first() < need)
    co_return fail(Errc::no_space, "too few other drives have room for a copy of it");
  done = co_await restore(end(), mirror_count - 1);
  if (!done) co_return done;
  if (spares_.empty()) in_background(prepare_spare_later());
  co_return done;
}

// One more segment behind the last one, on every mirror; on other drives where mirrors have no room
// for it. Errors: no_space, with nothing left of it; unavailable.
Task<Result<void>> EmbeddedJournal::prepare_spare() {
  for (bool moved = false;;) {
    Result<void> full = co_await restore(end(), set_.parity);
    if (!full) co_return full;
    const uint64_t base = spares_.empty() ? segments_.back().limit() : spares_.back().limit();
    using Created = Result<std::shared_ptr<File>>;
    std::vector<Task<Created>> creating;
    for (const MirrorPtr& mirror : mirrors_) {
      creating.push_back(create_segment(mirror, set_.journal, base, options_.segment_bytes));
    }
    std::vector<Created> created = co_await concurrently(std::move(creating));
    LogSegment spare{base, options_.segment_bytes, base + kSegmentHeaderBytes, {}};
    std::vector<MirrorPtr> without_room;
    for (size_t i = 0; i < mirrors_.size(); ++i) {
      if (created[i]) spare.files.push_back(*created[i]);
      if (!created[i] && created[i].error().code == Errc::no_space)
        without_room.push_back(mirrors_[i]);
    }
    if (spare.files.size() == mirrors_.size()) {
      spares_.push_back(std::move(spare));
      co_return Result<void>();
    }
    for (size_t i = 0; i < mirrors_.size(); ++i) {
      if (!created[i]) continue;
      const std::string name = segment_name(base);
      Result<void> removed = co_await mirrors_[i]->drive->remove(name);
      if (!removed) mirrors_[i]->fail(removed.error());
    }
    if (without_room.empty()) continue;
    if (moved) co_return fail(Errc::no_space, "no space for a journal segment");
    Result<void> another = co_await move_off(std::move(without_room));
    if (!another && another.error().code == Errc::no_space) co_return another;
    moved = true;
  }
}

Task<void> EmbeddedJournal::prepare_spare_later() {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (!writable() || !spares_.empty()) co_return;
  Result<void> made = co_await prepare_spare();
  (void)made;  // An append that needs it tries again and reports.
}

Task<void> EmbeddedJournal::restore_later() {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (!writable()) co_return;
  Result<void> restored = co_await restore(end(), set_.parity);
  if (restored && spares_.empty()) restored = co_await prepare_spare();
  (void)restored;  // The next append tries again and reports.
}

Task<Result<void>> EmbeddedJournal::truncate(Offset below) {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  size_t dead = 0;
  while (dead + 1 < segments_.size() && segments_[dead].end <= below.value) ++dead;
  if (dead == 0) co_return Result<void>();
  Result<void> done = co_await restore(end(), set_.parity);
  if (!done) co_return done;
  MirrorSet next = set_;
  next.start = segments_[dead].base;
  done = co_await commit(next);
  if (!done && done.error().code == Errc::no_space) {
    // The prepared segment is there for this: truncation gives it back many times over.
    done = co_await drop_spares();
    if (done) done = co_await commit(next);
  }
  drop_failed();
  if (!done) co_return done;
  for (size_t i = 0; i < dead; ++i) {
    const std::string name = segment_name(segments_[i].base);
    for (const MirrorPtr& mirror : mirrors_) {
      before_step("journal.segment.remove");
      Result<void> removed = co_await mirror->drive->remove(name);
      if (!removed && removed.error().code != Errc::not_found) mirror->fail(removed.error());
      if (removed) after_step("journal.segment.remove");
    }
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(dead));
  publish();
  drop_failed();
  if (degraded() || spares_.empty()) in_background(restore_later());
  co_return Result<void>();
}

}  // namespace kura::journal
