#include "actors/disk/destager.h"

#include <algorithm>

#include "actors/disk/archive.h"
#include "actors/disk/core.h"

namespace kura::disk {
namespace {

constexpr uint64_t kReadBytes = 2 * kMiB;  // Of journal at once.

// Where the piece that begins at `from` ends at the latest.
Offset end_of_piece(const ControlState& state, Offset from) {
  const Offset grid{(from.value / kLogPieceBytes + 1) * kLogPieceBytes};
  const auto next = std::find_if(state.archived.begin(), state.archived.end(),
                                 [from](const auto& archived) { return from <= archived->from; });
  return next == state.archived.end() ? grid : std::min(grid, (*next)->from);
}

// The records in [from, until), or up to the first gap of the log. None if that is right there.
Task<Result<LogPiece>> read_piece(journal::Journal& journal, Offset from, Offset until) {
  LogPiece out{from, from, from, {}};
  while (out.next < until && out.next == out.to) {
    auto raw = co_await journal.read_raw(out.next, until, kReadBytes);
    if (!raw) co_return fail(raw.error());
    if (raw->bytes.empty()) {
      out.next = raw->end;
      break;
    }
    if (raw->from != out.to && !out.chunks.empty()) break;
    if (out.chunks.empty()) out.from = raw->from;
    out.to = Offset{raw->from.value + raw->bytes.size()};
    out.next = raw->end;
    out.chunks.push_back(std::move(raw->bytes));
  }
  co_return out;
}

Task<Result<void>> leave_log(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                             BucketWriter& buckets, LogPiece piece) {
  auto worth = is_worth_archiving(*core, live, piece);
  if (!worth) co_return fail(worth.error());
  const uint64_t bytes = piece.bytes();
  if (*worth && core->write_sets.room(reclaim_target(*core), bytes) >= bytes)
    co_return co_await archive(core, std::move(piece));
  auto moved = co_await move_live(core, live, buckets, piece);
  if (!moved) co_return fail(moved.error());
  co_return Result<void>();
}

}  // namespace

Task<Result<Offset>> destage(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                             BucketWriter& buckets, journal::Journal& journal, Loop& journal_loop,
                             Offset from, Offset below, uint64_t bytes_max) {
  Offset at = from;
  while (at < below && at.value - from.value < bytes_max) {
    if (core->stopping) co_return fail(Errc::unavailable, "stopping");
    const auto state = core->ledger.state();
    if (auto archived = state->find_archived(at)) {
      at = archived->to;
      continue;
    }
    const Offset most{from.value + bytes_max};
    const Offset end = std::min(below, end_of_piece(*state, at));
    if (end > most && at > from) break;  // The next call has it whole.
    const Offset until = std::min(end, most);
    Task<Result<LogPiece>> reading = read_piece(journal, at, until);
    auto piece = co_await run_on(journal_loop, std::move(reading));
    if (!piece) co_return fail(piece.error());
    if (piece->next == at) break;
    at = piece->next;
    if (piece->bytes() == 0) continue;
    LogPiece taken = std::move(*piece);
    Result<void> left = co_await leave_log(core, live, buckets, std::move(taken));
    if (!left) co_return fail(left.error());
  }
  co_return std::min(at, below);
}

}  // namespace kura::disk
