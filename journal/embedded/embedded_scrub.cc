// Scrubbing a running journal: damage that nobody reads would wait for its second half.

#include <algorithm>

#include "journal/embedded/embedded_journal.h"
#include "journal/embedded/journal_folder.h"
#include "journal/embedded/segment_format.h"

namespace kura::journal {

Task<Result<void>> EmbeddedJournal::scrub() {
  if (Result<void> may = writable(); !may) co_return may;
  Result<void> outcome = co_await scrub_mirror_sets();
  for (uint64_t from = 0; !closing_;) {
    auto next = std::find_if(segments_.begin(), segments_.end(),
                             [&](const LogSegment& segment) { return segment.base >= from; });
    if (next == segments_.end()) break;
    const uint64_t base = next->base;
    from = base + 1;
    Result<void> scrubbed = co_await scrub_segment(base);
    if (!scrubbed) outcome = scrubbed;
  }
  Result<void> spares = co_await scrub_spares();
  if (!spares) outcome = spares;
  if (outcome) ++counters_.scrubs;
  co_return outcome;
}

Task<Result<void>> EmbeddedJournal::scrub_mirror_sets() {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  std::vector<MirrorPtr> drives = mirrors_;
  drives.insert(drives.end(), others_.begin(), others_.end());
  const std::vector<Sighting> seen = co_await look_at_all(drives);
  const auto wrong =
      std::count_if(seen.begin(), seen.end(), [&](const Sighting& s) { return s.set != set_; });
  if (wrong == 0) co_return Result<void>();
  counters_.damages += wrong;
  MirrorSet same = set_;
  Result<void> written = co_await write_set(std::move(same), Quorum::binds);
  if (written) counters_.repairs += wrong;
  co_return written;
}

// Looks without the turn, so that appends go on; mends with it.
Task<Result<void>> EmbeddedJournal::scrub_segment(uint64_t base) {
  const LogSegment* segment = find_segment(base);
  LogSegment looked_at = *segment;
  Result<uint64_t> damaged = co_await check_segment(std::move(looked_at), false);
  if (damaged && *damaged == 0) co_return Result<void>();
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  Result<void> restored = co_await restore(end(), set_.parity);
  if (!restored) co_return restored;
  segment = find_segment(base);
  if (!segment || segment->base != base) co_return Result<void>();  // Truncated meanwhile.
  LogSegment mended = *segment;
  damaged = co_await check_segment(std::move(mended), true);
  if (damaged) co_return Result<void>();
  restored = co_await restore(end(), set_.parity);
  if (!restored) co_return restored;
  co_return fail(damaged.error());
}

// How much is wrong in one segment; mends it if `write`, with the turn held.
Task<Result<uint64_t>> EmbeddedJournal::check_segment(LogSegment segment, bool write) {
  MergeOrder order;
  order.journal = set_.journal;
  order.start = segment.base;
  order.known_end = segment.end;
  order.sources = mirrors_;
  order.write = write;
  Result<MergedLog> merged = co_await merge_log(std::move(order));
  if (!merged) co_return fail(merged.error());
  if (!merged->holes.empty()) co_return fail(Errc::corrupt, describe(merged->holes));
  if (write) {
    refresh_files(*merged);
    publish();
    counters_.damages += merged->damage_count;
    counters_.repairs += merged->damage_count;
  }
  co_return merged->damage_count;
}

Task<bool> EmbeddedJournal::is_prepared(LogSegment spare) {
  const std::string header =
      encode_segment_header({set_.journal, spare.base, spare.capacity_bytes});
  const std::string name = segment_name(spare.base);
  for (const MirrorPtr& mirror : mirrors_) {
    auto file = co_await mirror->drive->open(name);
    if (!file) co_return false;
    auto size = (*file)->size_bytes();
    auto bytes = co_await (*file)->read(0, kSegmentHeaderBytes);
    if (!size || *size != spare.capacity_bytes || !bytes || *bytes != header) co_return false;
  }
  co_return true;
}

// Nothing is in them yet, so a damaged one is made anew.
Task<Result<void>> EmbeddedJournal::scrub_spares() {
  TurnQueue::Turn turn = co_await turns_.enter();
  if (Result<void> may = writable(); !may) co_return may;
  bool right = true;
  for (size_t i = 0; i < spares_.size() && right; ++i) {
    LogSegment spare = spares_[i];
    right = co_await is_prepared(std::move(spare));
  }
  if (right) co_return Result<void>();
  ++counters_.damages;
  Result<void> done = co_await drop_spares();
  if (!done) done = co_await restore(end(), set_.parity);
  if (done) done = co_await prepare_spare();
  if (done) ++counters_.repairs;
  co_return done;
}

}  // namespace kura::journal
