#include "actors/disk/archive.h"

#include <algorithm>

#include "actors/disk/archived_bodies.h"
#include "actors/disk/blob_reader.h"
#include "actors/disk/blob_writer.h"
#include "actors/disk/core.h"
#include "actors/disk/set_reader.h"
#include "base/fail_point.h"
#include "projections/metadata/accounts.h"

namespace kura::disk {
namespace {

constexpr size_t kSamples = 64;           // Right within a tenth or so, for bodies of like sizes.
constexpr uint64_t kBodiesPerTurn = 200;  // Looked up: a third of a millisecond of the pool's loop.

// Of a piece that was written. Errors: those of the ledger.
Task<Result<void>> record(std::shared_ptr<DiskCore> core, ArchivedLog piece,
                          v1::Reservation reservation, bool again) {
  before_step("archive.record");
  Result<void> recorded = co_await core->ledger.archive_log(std::move(piece), again);
  if (recorded) after_step("archive.record");
  // With an unknown outcome the bytes stay reserved until this process ends.
  if (recorded || !may_become_effective(recorded.error().code)) core->reservations.end(reservation);
  co_return recorded;
}

}  // namespace

BodyCursor::BodyCursor(const LogPiece& piece, const JournalId& journal)
    : piece_(piece), journal_(journal), behind_(piece.from) {
  if (!piece.chunks.empty()) rest_ = piece.chunks.front();
}

Result<bool> BodyCursor::next() {
  for (;;) {
    while (rest_.empty()) {
      if (chunk_ + 1 >= piece_.chunks.size()) return false;
      rest_ = piece_.chunks[++chunk_];
    }
    auto record = journal::locate_record(rest_, journal_, behind_);
    if (!record)
      return fail(Errc::corrupt, "no record at offset " + std::to_string(behind_.value) + ": " +
                                     journal::describe(record.error()));
    offset_ = behind_;
    record_ = *record;
    rest_.remove_prefix(record_.bytes.size());
    behind_ = Offset{offset_.value + record_.bytes.size()};
    if (!record_.body.empty()) return true;
  }
}

Result<v1::BodiesMoved_Move> place_of(Offset offset, const journal::RecordView& record) {
  v1::Event event;
  if (!event.ParseFromArray(record.payload.data(), static_cast<int>(record.payload.size())))
    return fail(Errc::corrupt, "event does not parse");
  v1::BodiesMoved_Move place;
  v1::JournalBody body;
  if (event.has_put_committed()) {
    const v1::PutCommitted& put = event.put_committed();
    place.set_bucket(put.bucket());
    place.set_key(put.key());
    place.set_version_id(put.version().version_id());
    body = put.version().body().journal();
  } else if (event.has_part_committed()) {
    const v1::PartCommitted& part = event.part_committed();
    place.set_bucket(part.bucket());
    place.set_key(part.key());
    place.set_upload_id(part.upload_id());
    place.set_part_number(part.part().number());
    body = part.part().body().journal();
  } else {
    // Freeing what holds it could lose it.
    return fail(Errc::unsupported, "an event with a body that this version does not know");
  }
  body.set_offset(offset.value);
  *place.mutable_from()->mutable_journal() = body;
  return place;
}

Task<Result<uint64_t>> move_live(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                 BucketWriter& buckets, const LogPiece& piece) {
  BodyMover mover(core, buckets, reclaim_target(*core));
  BodyCursor bodies(piece, core->options.journal);
  for (uint64_t looked = 1;; ++looked) {
    auto more = bodies.next();
    if (!more) co_return fail(more.error());
    if (!*more) break;
    if (core->stopping) co_return fail(Errc::unavailable, "stopping");
    if (looked % kBodiesPerTurn == 0) co_await next_turn();
    auto place = place_of(bodies.offset(), bodies.record());
    if (!place) co_return fail(place.error());
    auto is_live = live.is_live(*place);
    if (!is_live) co_return fail(is_live.error());
    if (!*is_live) continue;
    MovingBody body{std::move(*place), std::string(bodies.record().body)};
    Result<void> added = co_await mover.add(std::move(body));
    if (!added) co_return fail(added.error());
  }
  before_step("destage");
  Result<void> flushed = co_await mover.flush();
  if (!flushed) co_return fail(flushed.error());
  after_step("destage");
  co_return mover.moved();
}

Result<bool> is_worth_archiving(const DiskCore& core, const LiveBodies& live,
                                const LogPiece& piece) {
  if (piece.bytes() < core.options.archive.bytes_min) return false;
  const uint64_t bytes_wanted = piece.bytes() * core.options.archive.live_percent_min / 100;
  auto counted = live.live_log_bytes(log_piece(piece.from));
  if (!counted) return fail(counted.error());
  if (*counted < bytes_wanted) return false;  // It would be cleaned soon.
  uint64_t bodies = 0, body_bytes = 0;
  BodyCursor all(piece, core.options.journal);
  auto more = all.next();
  for (; more && *more; more = all.next()) {
    ++bodies;
    body_bytes += all.record().body.size();
  }
  if (!more) return more;
  const uint64_t stride = std::max<uint64_t>(1, bodies / kSamples);
  uint64_t seen = 0, sampled_bytes = 0, live_bytes = 0;
  BodyCursor some(piece, core.options.journal);
  for (more = some.next(); more && *more; more = some.next()) {
    if (seen++ % stride != 0) continue;
    auto place = place_of(some.offset(), some.record());
    if (!place) return fail(place.error());
    auto is_live = live.is_live(*place);
    if (!is_live) return is_live;
    sampled_bytes += some.record().body.size();
    if (*is_live) live_bytes += some.record().body.size();
  }
  if (sampled_bytes == 0) return false;
  return body_bytes * live_bytes / sampled_bytes >= bytes_wanted;
}

Task<Result<void>> archive(std::shared_ptr<DiskCore> core, LogPiece piece) {
  auto writer = make_blob_writer(core, reclaim_target(*core), piece.bytes());
  before_step("archive.write");
  for (std::string& chunk : piece.chunks) {
    Result<void> appended = co_await writer->append(std::move(chunk));
    if (!appended) co_return appended;
  }
  auto body = co_await writer->finish();
  if (!body) co_return fail(body.error());
  after_step("archive.write");
  ArchivedLog archived{piece.from, piece.to, std::move(*body)};
  v1::Reservation reservation = writer->reservation();
  co_return co_await record(core, std::move(archived), std::move(reservation), false);
}

Task<Result<void>> archive_again(std::shared_ptr<DiskCore> core, Target target,
                                 std::shared_ptr<const ArchivedLog> piece) {
  const uint64_t bytes = piece->to.value - piece->from.value;
  auto reader = make_blob_reader(core, piece->body, ByteRange{0, bytes});
  if (!reader) co_return fail(reader.error());
  auto writer = make_blob_writer(core, target, bytes);
  for (;;) {
    auto some = co_await (*reader)->next();
    if (!some) co_return fail(some.error());
    if (some->empty()) break;
    std::string taken = std::move(*some);
    Result<void> appended = co_await writer->append(std::move(taken));
    if (!appended) co_return appended;
  }
  auto body = co_await writer->finish();
  if (!body) co_return fail(body.error());
  ArchivedLog archived{piece->from, piece->to, std::move(*body)};
  v1::Reservation reservation = writer->reservation();
  Result<void> recorded = co_await record(core, std::move(archived), std::move(reservation), true);
  if (!recorded && recorded.error().code == Errc::not_found) co_return Result<void>();
  co_return recorded;
}

std::vector<Span> spans_of(const ControlState& state, const v1::Body& body, uint64_t at,
                           uint64_t bytes) {
  std::vector<Span> out;
  for (const v1::Extent& extent : body.extents()) {
    if (bytes == 0) break;
    if (at >= extent.stored_bytes()) {
      at -= extent.stored_bytes();
      continue;
    }
    if (extent.layout() == v1::Extent::PACKED) {
      out.push_back({SetId(extent.set()), extent.member(), extent.offset() + at,
                     std::min(bytes, extent.stored_bytes() - at)});
      bytes -= out.back().bytes;
      at = 0;
      continue;
    }
    const auto set = state.sets.find(SetId(extent.set()));
    if (set == state.sets.end() || extent.piece_bytes() == 0) break;
    const Striping shape{set->second.data_shards, extent.piece_bytes(), extent.stored_bytes()};
    while (bytes > 0 && at < extent.stored_bytes()) {
      const Striping::Part part = shape.part_at(at, bytes);
      const uint64_t payload = expected_row(set->second, extent, part.row).payload_offset();
      out.push_back({set->first, part.member, payload + part.skip, part.bytes});
      at += part.bytes;
      bytes -= part.bytes;
    }
    at = 0;
  }
  return out;
}

Result<bool> is_worth_cleaning(const DiskCore& core, const LiveBodies& live,
                               const ControlState& state, const ArchivedLog& piece) {
  const uint64_t counted = log_piece(piece.from);
  auto live_bytes = live.live_log_bytes(counted);
  if (!live_bytes) return fail(live_bytes.error());
  uint64_t archived_bytes = 0;
  const auto begin = std::lower_bound(
      state.archived.begin(), state.archived.end(), counted,
      [](const auto& other, uint64_t number) { return log_piece(other->from) < number; });
  for (auto it = begin; it != state.archived.end() && log_piece((*it)->from) == counted; ++it)
    archived_bytes += (*it)->to.value - (*it)->from.value;
  return *live_bytes * 100 < archived_bytes * core.options.live_percent_min;
}

namespace {

// What is in the piece is asked of the whole view, and what can be read moves. Errors: that of a
// body which cannot.
Task<Result<uint64_t>> move_named(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                  BucketWriter& buckets, std::shared_ptr<const ArchivedLog> piece) {
  BodyMover mover(core, buckets, reclaim_target(*core));
  std::optional<Error> unread;
  std::string after;
  do {
    if (core->stopping) co_return fail(Errc::unavailable, "stopping");
    auto page = live.bodies_in_log(piece->from, piece->to, after);
    if (!page) co_return fail(page.error());
    for (v1::BodiesMoved_Move& place : page->bodies) {
      v1::JournalBody where = place.from().journal();
      auto bytes = co_await read_archived(core, std::move(where));
      if (!bytes || place.key().empty()) {  // A part, which goes with its object.
        unread = bytes ? Error{Errc::unavailable, "a part of an upload is in a damaged piece"}
                       : bytes.error();
        continue;
      }
      MovingBody body{std::move(place), std::move(*bytes)};
      Result<void> added = co_await mover.add(std::move(body));
      if (!added) co_return fail(added.error());
    }
    after = page->next;
    co_await next_turn();
  } while (!after.empty());
  Result<void> flushed = co_await mover.flush();
  if (!flushed) co_return fail(flushed.error());
  if (unread) co_return fail(*unread);
  co_return mover.moved();
}

// Nothing is live in it. `moved`: so many bodies were.
Task<Result<void>> drop(std::shared_ptr<DiskCore> core, const ArchivedLog& piece, uint64_t moved) {
  core->counters.bodies_moved += moved;
  const Offset from = piece.from;
  before_step("archive.drop");
  Result<void> dropped = co_await core->ledger.drop_archive(from);
  if (dropped) after_step("archive.drop");
  co_return dropped;
}

}  // namespace

Task<Result<void>> clean(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                         BucketWriter& buckets, std::shared_ptr<const ArchivedLog> archived) {
  v1::Body body = archived->body;
  auto bytes = co_await read_range(core, std::move(body),
                                   ByteRange{0, archived->to.value - archived->from.value});
  if (!bytes) co_return fail(bytes.error());
  LogPiece piece{archived->from, archived->to, archived->to, {}};
  piece.chunks.push_back(std::move(*bytes));
  auto moved = co_await move_live(core, live, buckets, piece);
  if (!moved) co_return fail(moved.error());
  co_return co_await drop(core, *archived, *moved);
}

Task<Result<void>> clean_by_names(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                  BucketWriter& buckets,
                                  std::shared_ptr<const ArchivedLog> archived) {
  auto moved = co_await move_named(core, live, buckets, archived);
  if (!moved) co_return fail(moved.error());
  co_return co_await drop(core, *archived, *moved);
}

}  // namespace kura::disk
