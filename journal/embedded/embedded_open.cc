// Creating and recovering the embedded journal.

#include <algorithm>

#include "base/counted.h"
#include "base/fail_point.h"
#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"
#include "journal/embedded/read_table.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {
namespace {

Result<void> check_options(const EmbeddedJournalOptions& options) {
  if (options.segment_bytes <= kSegmentHeaderBytes || options.segment_bytes > kGiB ||
      options.segment_bytes % kSegmentAlign != 0) {
    return fail(Errc::invalid_argument,
                "journal segments of " + std::to_string(options.segment_bytes) + " bytes");
  }
  if (options.writer.is_nil()) return fail(Errc::invalid_argument, "a journal without a writer");
  return {};
}

}  // namespace

EmbeddedJournal::~EmbeddedJournal() = default;

Task<EmbeddedJournal::Opened> EmbeddedJournal::create(Loop& loop, std::vector<JournalDrive> drives,
                                                      EmbeddedJournalOptions options) {
  Result<void> done = check_options(options);
  if (!done) co_return fail(done.error());
  if (options.mirror_count == 0 || options.mirror_count > drives.size()) {
    co_return fail(Errc::invalid_argument, counted(options.mirror_count, "journal mirror") +
                                               " on " + counted(drives.size(), "drive"));
  }
  std::unique_ptr<EmbeddedJournal> journal(new EmbeddedJournal(loop, options));
  std::vector<MirrorPtr> mirrors = as_mirrors(drives, options.drive_timeout_ns);
  done = co_await journal->format(std::move(mirrors));
  if (!done) co_return fail(done.error());
  co_return std::move(journal);
}

// Generation 0 goes to every drive first: a creation that was interrupted is then told from a
// journal that lost its drives.
Task<Result<void>> EmbeddedJournal::format(std::vector<MirrorPtr> drives) {
  std::vector<Sighting> sightings = co_await look_at_all(drives);
  for (const Sighting& seen : sightings) {
    if (seen.problem) co_return fail(seen.problem->code, seen.label + ": " + seen.problem->detail);
    if (seen.set && seen.set->generation > 0) {
      co_return fail(Errc::exists, seen.label + " holds a journal already");
    }
  }
  MirrorSet set;
  set.journal = options_.journal;
  set.cluster = options_.cluster;
  set.parity = options_.mirror_count - 1;
  set.promised = kGenerationsPromised;
  set.writer = options_.writer;
  for (size_t i = 0; i < drives.size(); ++i) {
    set.drives.push_back(drives[i]->id);
    if (i <= set.parity) set.members.push_back(drives[i]->id);
    (i <= set.parity ? mirrors_ : others_).push_back(drives[i]);
    late_calls_.watch(*drives[i]);
  }
  before_step("journal.format");
  Result<void> done = co_await write_set(set, Quorum::suffices);
  if (!done) co_return done;
  in_charge_ = true;
  LogSegment first{0, options_.segment_bytes, kSegmentHeaderBytes, {}};
  for (const MirrorPtr& drive : drives) {
    if (is_lost(*drive)) co_return fail(Errc::io_error, line_of(*drive));
    done = co_await remove_all_segments(drive);
    if (!done) co_return done;
  }
  for (const MirrorPtr& mirror : mirrors_) {
    auto file = co_await create_segment(mirror, set.journal, first.base, first.capacity_bytes);
    if (!file) co_return fail(file.error());
    first.files.push_back(*file);
  }
  set_ = set;
  segments_.push_back(std::move(first));
  done = co_await prepare_spare();
  if (!done) co_return done;
  done = co_await commit(set);
  if (!done) co_return done;
  after_step("journal.format");
  report_.generation = set_.generation;
  publish();
  co_return Result<void>();
}

Task<EmbeddedJournal::Opened> EmbeddedJournal::open(Loop& loop, std::vector<JournalDrive> drives,
                                                    EmbeddedJournalOptions options) {
  Result<void> done = check_options(options);
  if (!done) co_return fail(done.error());
  std::unique_ptr<EmbeddedJournal> journal(new EmbeddedJournal(loop, options));
  std::vector<MirrorPtr> mirrors = as_mirrors(drives, options.drive_timeout_ns);
  std::vector<Sighting> sightings = co_await look_at_all(mirrors);
  done = co_await journal->recover(std::move(mirrors), std::move(sightings));
  if (!done) co_return fail(done.error());
  if (options.mirror_count != 0 && !journal->read_only_ && !journal->degraded()) {
    // Too few drives for more mirrors: the count stays as it is until some are added.
    done = co_await journal->set_mirror_count(options.mirror_count);
  }
  co_return std::move(journal);
}

Task<EmbeddedJournal::Opened> EmbeddedJournal::open_read_only(Loop& loop,
                                                              std::vector<JournalDrive> drives) {
  const EmbeddedJournalOptions options;
  std::unique_ptr<EmbeddedJournal> journal(new EmbeddedJournal(loop, options));
  journal->read_only_ = true;
  std::vector<MirrorPtr> mirrors = as_mirrors(drives, options.drive_timeout_ns);
  std::vector<Sighting> sightings = co_await look_at_all(mirrors);
  Result<void> done = co_await journal->recover(std::move(mirrors), std::move(sightings));
  if (!done) co_return fail(done.error());
  co_return std::move(journal);
}

// Members that show no readable set may be of another history. Where the others have the whole log
// they are not asked, and hold no set before they are cleared.
Task<std::vector<MirrorPtr>> EmbeddedJournal::set_unproven_apart() {
  MergeOrder order;
  order.journal = set_.journal;
  order.start = set_.start;
  std::vector<MirrorPtr> unproven;
  for (const MirrorPtr& mirror : mirrors_)
    (mirror->proven ? order.sources : unproven).push_back(mirror);
  if (unproven.empty() || order.sources.empty()) co_return std::vector<MirrorPtr>();
  const std::vector<MirrorPtr> proven = order.sources;
  Result<MergedLog> merged = co_await merge_log(std::move(order));
  if (!merged || !merged->holes.empty()) co_return std::vector<MirrorPtr>();
  mirrors_ = proven;
  co_return unproven;
}

// As drives to be filled. REQUIRES: this process is in charge.
Task<void> EmbeddedJournal::take_cleared(std::vector<MirrorPtr> drives) {
  for (const MirrorPtr& drive : drives) {
    Result<void> cleared = co_await remove_all_segments(drive);
    if (cleared) others_.insert(others_.begin(), drive);
  }
}

// Merges the members that are online, and new mirrors in place of the others if there are enough
// drives. Fills `fresh` with those.
Task<Result<MergedLog>> EmbeddedJournal::merge_mirrors(std::vector<MirrorPtr>& fresh) {
  for (size_t full_drives = 0;;) {
    drop_failed();
    if (mirrors_.empty()) {
      co_return fail(Errc::unavailable, "no drive with a current copy of the journal is online");
    }
    fresh.clear();
    const bool enough = mirrors_.size() + others_.size() > set_.parity;
    // Before this process is in charge another set may be in force, which needs what they hold.
    if (in_charge_ && enough && full_drives <= others_.size()) {
      for (size_t i = 0; mirrors_.size() + fresh.size() <= set_.parity; ++i) {
        fresh.push_back(others_[i]);
      }
    }
    bool cleared = true;
    for (const MirrorPtr& drive : fresh) {
      Result<void> removed = co_await remove_all_segments(drive);
      cleared = cleared && removed.has_value();
    }
    if (!cleared) continue;
    MergeOrder order;
    order.journal = set_.journal;
    order.start = set_.start;
    order.sources = mirrors_;
    order.fresh = fresh;
    order.write = !read_only_;
    Result<MergedLog> merged = co_await merge_log(std::move(order));
    if (merged) co_return merged;
    for (const auto* drives : {&mirrors_, &others_}) {
      for (const MirrorPtr& drive : *drives) cleared = cleared && !is_lost(*drive);
    }
    if (!cleared) continue;  // One less to try with.
    if (merged.error().code != Errc::no_space || fresh.empty()) co_return merged;
    // Another drive may have the space; without one, reads go on.
    ++full_drives;
    std::rotate(others_.begin(), others_.begin() + 1, others_.end());
  }
}

void EmbeddedJournal::adopt(MergedLog log) {
  report_.records = log.records;
  report_.repaired_bytes = log.repaired_bytes;
  report_.cut_bytes = log.cut_bytes;
  report_.damage_count = log.damage_count;
  report_.damages = std::move(log.damages);
  counters_.damages += log.damage_count;
  if (!read_only_) counters_.repairs += log.damage_count;
  segments_ = std::move(log.segments);
  last_ = log.last;
}

// Makes the set that fits the drives of now the one in force, if it is not yet.
Task<Result<void>> EmbeddedJournal::renew_set(std::vector<MirrorPtr> fresh) {
  MirrorSet next = set_;
  if (!fresh.empty()) next.members.clear();
  for (const MirrorPtr& mirror : mirrors_) {
    if (!fresh.empty()) next.members.push_back(mirror->id);
  }
  for (const MirrorPtr& mirror : fresh) {
    next.members.push_back(mirror->id);
    report_.replaced.push_back(mirror->drive->label());
    std::erase(others_, mirror);
    mirrors_.push_back(mirror);
  }
  const bool same = std::is_permutation(next.members.begin(), next.members.end(),
                                        set_.members.begin(), set_.members.end());
  if (same) next.members = set_.members;
  for (const auto* drives : {&mirrors_, &others_}) {
    for (const MirrorPtr& drive : *drives) {
      if (!next.has_drive(drive->id)) next.drives.push_back(drive->id);
    }
  }
  const bool shown = std::all_of(fresh.begin(), fresh.end(),
                                 [](const MirrorPtr& drive) { return drive->is_signed; });
  if (next == set_ && shown) co_return Result<void>();
  co_return co_await commit(std::move(next));
}

// If there are drives enough for an append. With fewer this process writes no history: it may not
// be the only one that goes on with so few.
Task<Result<void>> EmbeddedJournal::take_charge_of_start(std::vector<MirrorPtr> unproven,
                                                         std::vector<Sighting> sightings) {
  auto enough = [&] {
    int64_t here = 0;
    for (const auto* drives : {&mirrors_, &others_, &unproven})
      here += std::count_if(drives->begin(), drives->end(),
                            [](const MirrorPtr& drive) { return !is_lost(*drive); });
    return here > set_.parity;
  };
  if (read_only_ || !enough()) co_return Result<void>();
  // Also a whole record of an older set is not what stood there.
  const auto damaged =
      std::count_if(sightings.begin(), sightings.end(), [this](const Sighting& seen) {
        return seen.problem.has_value() || (seen.set && !same_set(*seen.set, set_));
      });
  counters_.damages += damaged;
  Result<void> taken = co_await take_charge();
  if (taken) counters_.repairs += damaged;
  if (taken || !enough()) co_return Result<void>();
  co_return taken;
}

// Nothing is read from the drives of another history, and nothing written to them.
void EmbeddedJournal::leave_other_history(std::vector<MirrorPtr>& drives,
                                          std::vector<Sighting>& sightings) {
  for (size_t i = sightings.size(); i-- > 0;) {
    if (!is_other_history(set_, sightings[i])) continue;
    report_.other_history.push_back(sightings[i].drive);
    drives.erase(drives.begin() + static_cast<ptrdiff_t>(i));
    sightings.erase(sightings.begin() + static_cast<ptrdiff_t>(i));
  }
}

void EmbeddedJournal::use_drives(const std::vector<MirrorPtr>& drives,
                                 const std::vector<Sighting>& sightings) {
  for (size_t i = 0; i < drives.size(); ++i) {
    const MirrorPtr& drive = drives[i];
    const std::optional<MirrorSet>& shown = sightings[i].set;
    drive->proven = shown && shown->journal == set_.journal && set_.knows(shown->writer);
    (set_.has_member(drive->id) ? mirrors_ : others_).push_back(drive);
    late_calls_.watch(*drive);
  }
}

Task<Result<void>> EmbeddedJournal::recover(std::vector<MirrorPtr> drives,
                                            std::vector<Sighting> sightings) {
  Result<MirrorSet> chosen = choose_mirror_set(sightings);
  if (!chosen) co_return fail(chosen.error());
  set_ = std::move(*chosen);
  leave_other_history(drives, sightings);
  note_writers(set_, sightings);
  report_.writers = set_.writers;
  report_.writers.push_back(set_.writer);
  for (const Sighting& seen : sightings)
    if (seen.set) set_.promised = std::max(set_.promised, seen.set->promised);
  if (!options_.cluster.is_nil() && options_.cluster != set_.cluster) {
    co_return fail(Errc::exists, "the journal belongs to cluster " + to_hex(set_.cluster));
  }
  use_drives(drives, sightings);
  std::vector<MirrorPtr> unproven = co_await set_unproven_apart();
  Result<void> taken = co_await take_charge_of_start(unproven, sightings);
  const bool full = !taken && taken.error().code == Errc::no_space;
  if (!taken && !full) co_return taken;
  if (in_charge_) co_await take_cleared(unproven);
  std::vector<MirrorPtr> fresh;
  Result<MergedLog> merged = co_await merge_mirrors(fresh);
  if (!merged) co_return fail(merged.error());
  if (!merged->holes.empty()) {
    co_return fail(Errc::corrupt, "records are lost on every mirror: " + describe(merged->holes));
  }
  // The segments that were prepared are gone now, and there is room. Where there is not even then,
  // this process is not in charge, and writes nothing.
  if (full) taken = co_await take_charge_of_start(std::move(unproven), std::move(sightings));
  if (!taken && taken.error().code != Errc::no_space) co_return taken;
  if (!taken) {
    lacks_room_ = taken.error();
    read_only_ = true;
  }
  const bool enough = mirrors_.size() + fresh.size() > set_.parity;
  adopt(std::move(*merged));
  if (read_only_) {
    publish();
    co_return Result<void>();
  }
  if (enough) {
    Result<void> renewed = co_await renew_set(std::move(fresh));
    if (!renewed) co_return renewed;
  }
  fatal_ = false;
  for (const auto* group : {&mirrors_, &others_}) {
    if (!in_charge_) break;
    for (const MirrorPtr& drive : *group) {
      const bool member = group == &mirrors_;
      Task<Result<void>> cleaning =
          member ? remove_segments_below(drive, set_.start) : remove_all_segments(drive);
      Result<void> cleaned = co_await std::move(cleaning);
      if (!cleaned) drive->fail(cleaned.error());
    }
  }
  publish();
  if (enough) {
    Result<void> spare = co_await prepare_spare();
    if (!spare && spare.error().code == Errc::unknown) co_return spare;
    if (!spare && spare.error().code == Errc::no_space && room_bytes() < kClaimsBytes) {
      lacks_room_ = spare.error();
      read_only_ = true;
    }
  }
  report_.generation = set_.generation;
  report_.degraded = degraded();
  co_return Result<void>();
}

}  // namespace kura::journal
