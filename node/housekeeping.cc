#include "node/housekeeping.h"

#include <algorithm>

#include "base/fail_point.h"
#include "base/limits.h"
#include "projections/metadata/snapshot.h"

namespace kura::node {
namespace {

constexpr uint64_t kDestageBytes = 16 * kMiB;
constexpr int64_t kPassPollNs = 10'000'000;

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
      changed_ns_(loop.clock().monotonic_ns()) {}

bool Housekeeping::is_due() {
  const int64_t now_ns = loop_.clock().monotonic_ns();
  const Offset end = journal_.bounds().end;
  if (end != seen_end_) {
    seen_end_ = end;
    changed_ns_ = now_ns;
  }
  const size_t segments = journal_.segments().size();
  if (segments < 2) return false;
  if (segments > options_.segments_max || !committer_.accepts_growth()) return true;
  return now_ns - changed_ns_ >= options_.idle_ns && idle_done_ != end;
}

Task<void> Housekeeping::run() {
  running_ = true;
  while (!stopping_) {
    co_await sleep_for(options_.interval_ns);
    if (stopping_) break;
    if (is_due()) {
      Result<void> done = co_await pass();
      if (!done) options_.log("housekeeping: " + done.error().detail);
      idle_done_ = journal_.bounds().end;
    }
    if (!committer_.accepts_growth()) committer_.set_accepts_growth(true);
  }
  running_ = false;
}

Task<Result<void>> Housekeeping::pass() {
  while (passing_) co_await sleep_for(kPassPollNs);
  passing_ = true;
  struct Passing {
    bool& flag;
    ~Passing() { flag = false; }
  } passing{passing_};
  Offset target = journal_.bounds().start;
  for (const journal::SegmentSpan& segment : journal_.segments())
    if (segment.active) target = segment.start;
  if (target <= journal_.bounds().start) co_return Result<void>{};
  co_return co_await free_below(target);
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

// Truncation keeps two snapshots' worth of log, so that damage to the newest one costs time only.
Task<Result<void>> Housekeeping::free_below(Offset target) {
  Result<void> destaged = co_await destage_below(target);
  if (!destaged) co_return destaged;
  const ViewPosition flushed = fold_.position();
  before_step("view.flush");
  if (auto done = kv_.flush(); !done) {
    options_.on_view_failed(done.error());
    co_return done;
  }
  after_step("view.flush");
  for (int i = 0; i < 2 && !stopping_; ++i) {
    const auto state = control_.state();
    const auto& snapshots = state->snapshots;
    if (snapshots.size() >= 2 && snapshots[snapshots.size() - 2].offset >= target) break;
    Result<Offset> taken = co_await take_snapshot();
    if (!taken) co_return fail(taken.error());
  }
  const auto state = control_.state();
  if (state->snapshots.size() < 2) co_return Result<void>{};
  const Offset below = std::min(
      {target, destaged_, flushed.offset, state->snapshots[state->snapshots.size() - 2].offset});
  co_return co_await journal_.truncate(below);
}

Task<Result<Offset>> Housekeeping::take_snapshot() {
  auto rows = SnapshotWriter::open(kv_);
  if (!rows) co_return fail(rows.error());
  auto writer = co_await disks_.blobs().write(v1::STANDARD, 0);
  if (!writer) co_return fail(writer.error());
  Snapshot snapshot;
  for (;;) {
    auto bytes = rows->next();
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) break;
    snapshot.size_bytes += bytes->size();
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
  if (!recorded) co_return fail(recorded.error());
  after_step("snapshot.record");
  ++snapshots_;
  co_return snapshot.offset;
}

}  // namespace kura::node
