#include "actors/disk/destager.h"

#include "actors/disk/core.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr uint64_t kReadBytes = 2 * kMiB;  // Of journal at once.

// Where the inline body of a record would be named; none when the event carries no body.
Result<std::optional<v1::BodiesMoved_Move>> place_of(const journal::StoredRecord& stored) {
  v1::Event event;
  if (!event.ParseFromString(stored.record.payload))
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
    // Freeing its segment could lose what it holds.
    return fail(Errc::unsupported, "an event with a body that this version does not know");
  }
  body.set_offset(stored.offset.value);
  *place.mutable_from()->mutable_journal() = body;
  return place;
}

}  // namespace

Task<Result<Offset>> destage(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                             BucketWriter& buckets, journal::Journal& journal, Loop& journal_loop,
                             Offset from, Offset below, uint64_t bytes_max) {
  BodyMover mover(core, buckets, {core->parity(v1::STANDARD), Purpose::reclaim});
  Offset at = from;
  uint64_t read_bytes = 0;
  while (at < below && read_bytes < bytes_max) {
    if (core->stopping) co_return fail(Errc::unavailable, "stopping");
    Task<Result<std::vector<journal::StoredRecord>>> reading =
        journal.read(at, std::min(kReadBytes, bytes_max));
    auto records = co_await run_on(journal_loop, std::move(reading));
    if (!records) co_return fail(records.error());
    if (records->empty()) break;
    for (journal::StoredRecord& stored : *records) {
      if (stored.offset >= below) {
        at = below;
        break;
      }
      at = stored.end;
      read_bytes += stored.end.value - stored.offset.value;
      if (stored.record.kind != journal::RecordKind::event || stored.record.body.empty()) continue;
      auto place = place_of(stored);
      if (!place) co_return fail(place.error());
      auto is_live = live.is_live(**place);
      if (!is_live) co_return fail(is_live.error());
      if (!*is_live) continue;
      MovingBody body{std::move(**place), std::move(stored.record.body)};
      Result<void> added = co_await mover.add(std::move(body));
      if (!added) co_return fail(added.error());
    }
  }
  before_step("destage");
  Result<void> flushed = co_await mover.flush();
  if (!flushed) co_return fail(flushed.error());
  after_step("destage");
  co_return std::min(at, below);
}

}  // namespace kura::disk
