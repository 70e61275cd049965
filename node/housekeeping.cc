#include "node/housekeeping.h"

#include <algorithm>

#include "base/fail_point.h"
#include "base/limits.h"

namespace kura::node {
namespace {

constexpr uint64_t kDestageBytes = 16 * kMiB;
constexpr int64_t kPassPollNs = 10'000'000;
constexpr int64_t kMeasureNapNs = 1'000'000;
constexpr uint64_t kSnapshotRecordsBytes = 8 * kKiB;  // Its own and those of sets that it opens.

}  // namespace

Housekeeping::Housekeeping(Loop& loop, journal::EmbeddedJournal& journal, ViewFold& fold, Kv& kv,
                           ControlActors& control, Committer& committer, disk::DiskPool& disks,
                           HousekeepingOptions options)
    : loop_(loop),
      journal_(journal),
      fold_(fold),
      kv_(kv),
      control_(control),
      committer_(committer),
      disks_(disks),
      options_(std::move(options)),
      changed_ns_(loop.clock().monotonic_ns()),
      flushed_ns_(changed_ns_) {}

struct Housekeeping::Passing {
  explicit Passing(bool& flag_in) : flag(flag_in) { flag = true; }
  ~Passing() { flag = false; }
  bool& flag;
};

bool Housekeeping::is_idle() const {
  return journal_.bounds().end == seen_end_ &&
         loop_.clock().monotonic_ns() - changed_ns_ >= options_.idle_ns;
}

// At rest, and nothing but the log is in the way of anybody.
bool Housekeeping::is_thrifty() const {
  const size_t behind = segments_behind(journal_.segments(), control_.state()->snapshots);
  return is_idle() && committer_.accepts_growth() && behind <= options_.segments_max / 2;
}

bool Housekeeping::is_due() {
  const Offset end = journal_.bounds().end;
  if (end != seen_end_) {
    seen_end_ = end;
    changed_ns_ = loop_.clock().monotonic_ns();
  }
  const auto segments = journal_.segments();
  LogLook log;
  log.segments = segments.size();
  log.behind = segments_behind(segments, control_.state()->snapshots);
  log.out_of_space = !committer_.accepts_growth();
  log.idle = is_idle();
  log.settled = settled_end_ == end;
  return node::is_due(log, options_.segments_max);
}

Task<void> Housekeeping::run() {
  running_ = true;
  while (!stopping_) {
    co_await sleep_for(options_.interval_ns);
    if (stopping_) break;
    const bool due = is_due();
    if (kv_.room() != KvRoom::enough && !wait_for_room()) continue;
    if (full_since_ns_ && kv_.room() == KvRoom::enough) {
      options_.log("the metadata view has room again");
      full_since_ns_.reset();
    }
    if (loop_.clock().monotonic_ns() >= not_before_ns_) {
      Result<void> done;
      if (due) done = co_await pass(is_thrifty());
      // Also where a pass fails: what it waits for may last.
      Result<void> renewed = co_await renew_snapshot();
      if (done) done = renewed;
      if (is_flush_due())
        if (auto flushed = flush_view(); done) done = flushed;
      failures_ = done ? 0 : failures_ + 1;
      if (!done) {
        options_.log("housekeeping: " + done.error().detail);
        not_before_ns_ =
            loop_.clock().monotonic_ns() + retry_after_ns(failures_, options_.interval_ns);
      }
    }
    if (!committer_.accepts_growth() && kv_.room() == KvRoom::enough)
      committer_.set_accepts_growth(true);
  }
  running_ = false;
}

Task<Result<void>> Housekeeping::pass(bool thrifty) {
  while (passing_) co_await sleep_for(kPassPollNs);
  Passing passing(passing_);
  Offset target = journal_.bounds().start;
  for (const journal::SegmentSpan& segment : journal_.segments())
    if (segment.active) target = segment.start;
  if (target <= journal_.bounds().start) co_return Result<void>{};
  co_return co_await free_below(target, thrifty);
}

Task<Result<void>> Housekeeping::renew_snapshot() {
  while (passing_) co_await sleep_for(kPassPollNs);
  Passing passing(passing_);
  const disk::KeptSnapshots kept = co_await disks_.kept_snapshots();
  auto garbage = co_await disks_.garbage_under_snapshots();
  if (!garbage) co_return fail(garbage.error());
  const bool outlived =
      is_idle() && is_outlived(control_.state()->snapshots, journal_.bounds().end);
  if ((garbage->empty() && !outlived && !kept.outdone) || stopping_) co_return Result<void>{};
  co_return co_await take_snapshot();
}

Task<Result<void>> Housekeeping::destage_below(Offset target) {
  destaged_ = std::max(destaged_, journal_.bounds().start);
  while (destaged_ < target && !stopping_) {
    const Offset from = destaged_;
    Result<Offset> done = co_await disks_.destage(journal_, from, target, kDestageBytes);
    if (!done) co_return fail(done.error());
    if (*done <= from) co_return fail(Errc::unavailable, "destaging makes no progress");
    destaged_ = *done;
  }
  co_return Result<void>{};
}

bool Housekeeping::is_flush_due() const {
  ViewLook view;
  view.unflushed_bytes = fold_.position().end.value - flushed_.value;
  view.idle = is_idle();
  view.since_ns = loop_.clock().monotonic_ns() - flushed_ns_;
  return node::is_flush_due(view);
}

// The view goes on in memory until it gets some. True: all of it is on the drive, which lacks room
// to merge it; the log may be cut.
bool Housekeeping::wait_for_room() {
  const int64_t now_ns = loop_.clock().monotonic_ns();
  if (!full_since_ns_) {
    full_since_ns_ = now_ns;
    options_.log("the metadata view's drive is full; it waits for room");
  }
  const bool flushed = flush_view().has_value();
  if (kv_.room() != KvRoom::enough && now_ns - *full_since_ns_ >= options_.view_full_ns)
    options_.on_view_full();
  return flushed;
}

// On a full drive nothing is lost: what could not be flushed stays in memory.
Result<void> Housekeeping::flush_view() {
  const Offset end = fold_.position().end;
  before_step("view.flush");
  if (auto done = kv_.flush(); !done) {
    if (done.error().code != Errc::no_space) options_.on_view_failed(done.error());
    return done;
  }
  after_step("view.flush");
  flushed_ = end;
  flushed_ns_ = loop_.clock().monotonic_ns();
  return {};
}

Task<Result<void>> Housekeeping::free_below(Offset target, bool thrifty) {
  Result<void> destaged = co_await destage_below(target);
  // On full drives, what has left the log lets it be cut that far all the same.
  const bool some = destaged_ > journal_.bounds().start;
  if (!destaged && (destaged.error().code != Errc::no_space || !some)) co_return destaged;
  CutLimits limits{std::min(target, destaged_), destaged_, fold_.position().offset};
  if (auto done = flush_view(); !done) co_return done;
  // One that cannot be read covers nothing of what is cut.
  disk::KeptSnapshots kept = co_await disks_.kept_snapshots();
  const bool worth =
      !thrifty || is_worth_snapshot(kept.readable, journal_.bounds().start, limits.target);
  if (!stopping_ && worth && needs_snapshot(kept.readable, limits.target)) {
    Result<void> taken = co_await take_snapshot();
    if (!taken) co_return taken;
    kept = co_await disks_.kept_snapshots();
  }
  const auto below = cut_below(limits, kept.readable);
  if (below) {
    Result<void> cut = co_await journal_.truncate(*below);
    if (!cut) co_return cut;
  }
  const bool settled = destaged && (!worth || below == std::min(limits.target, limits.flushed));
  settled_end_ = settled ? journal_.bounds().end : Offset{};
  co_return destaged;
}

Task<Result<uint64_t>> Housekeeping::measure_snapshot() {
  auto rows = SnapshotWriter::open(kv_, options_.snapshot_chunk_bytes);
  if (!rows) co_return fail(rows.error());
  uint64_t bytes = 0;
  for (;;) {
    auto chunk = rows->next();
    if (!chunk) co_return fail(chunk.error());
    if (chunk->empty()) co_return bytes;
    bytes += chunk->size();
    co_await sleep_for(kMeasureNapNs);  // Others use the journal's loop.
  }
}

// The view may have grown or shrunk since the last one. Where twice of that finds room nobody has
// to measure it.
Task<Result<void>> Housekeeping::check_room_for_snapshot() {
  if (kv_.room() == KvRoom::none)
    co_return fail(Errc::no_space, "the metadata view's drive is full");
  Result<void> in_log = co_await journal_.ensure_room(kSnapshotRecordsBytes);
  if (!in_log) co_return in_log;
  const auto state = control_.state();
  const uint64_t last = state->snapshots.empty() ? 0 : state->snapshots.back().size_bytes;
  const uint64_t likely = 2 * std::max(last, snapshot_bytes_);
  if (co_await disks_.snapshot_room(likely) >= likely) co_return Result<void>{};
  Result<uint64_t> bytes = co_await measure_snapshot();
  if (!bytes) co_return fail(bytes.error());
  if (co_await disks_.snapshot_room(*bytes) >= *bytes) co_return Result<void>{};
  co_return fail(Errc::no_space, "the drives have no room for a snapshot of the metadata view");
}

Task<Result<void>> Housekeeping::take_snapshot() {
  auto writer = disks_.write_snapshot();
  if (!writer) co_return fail(writer.error());
  Result<void> fits = co_await check_room_for_snapshot();
  if (!fits) co_return fits;
  auto rows = SnapshotWriter::open(kv_, options_.snapshot_chunk_bytes);
  if (!rows) co_return fail(rows.error());
  Snapshot snapshot;
  for (;;) {
    auto bytes = rows->next();
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) break;
    snapshot.size_bytes += bytes->size();
    snapshot_bytes_ = snapshot.size_bytes;
    std::string chunk = std::move(*bytes);
    Result<void> appended = co_await (*writer)->append(std::move(chunk));
    if (!appended) co_return fail(appended.error());
  }
  before_step("snapshot.write");
  auto body = co_await (*writer)->finish();
  if (!body) co_return fail(body.error());
  after_step("snapshot.write");
  const SnapshotInfo info = rows->info();
  snapshot.offset = info.position.offset;
  snapshot.body = std::move(*body);
  snapshot.digest = info.digest;
  RecordSnapshot record;
  record.snapshot = snapshot;
  record.reservation = (*writer)->reservation();
  ControlCommand command = std::move(record);
  before_step("snapshot.record");
  auto recorded = co_await control_.record(std::move(command));
  if (!recorded) {
    // Nothing was written, or nothing that will ever count.
    disks_.blobs().release((*writer)->reservation());
    co_return fail(recorded.error());
  }
  after_step("snapshot.record");
  ++snapshots_;
  co_return Result<void>{};
}

}  // namespace kura::node
