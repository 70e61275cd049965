#include "actors/disk/body_mover.h"

#include <algorithm>
#include <map>

#include "actors/disk/blob_reader.h"
#include "actors/disk/blob_writer.h"
#include "actors/disk/core.h"
#include "base/concurrently.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr uint64_t kGatherBytesMax = 4 * kMiB;
constexpr size_t kGatherBodiesMax = 4096;
// A batch of moves is one record (kRecordMax) with room for its header.
constexpr uint64_t kEventBytesMax = kRecordMax / 2;
constexpr uint64_t kExtentBytesMax = 64;  // Of a serialized extent and its framing.
// Of these at a time: they may share an append, and clients wait no longer than for their fold.
constexpr ptrdiff_t kSubmitsMax = 3;

}  // namespace

Task<Result<void>> BodyMover::add(MovingBody body) {
  gathered_bytes_ += body.bytes.size();
  gathered_.push_back(std::move(body));
  if (gathered_bytes_ >= kGatherBytesMax || gathered_.size() >= kGatherBodiesMax)
    co_return co_await flush();
  co_return Result<void>();
}

std::vector<BodyMover::Batch> BodyMover::batches() const {
  std::map<PartitionId, Batch> open;
  std::vector<Batch> out;
  for (size_t i = 0; i < gathered_.size(); ++i) {
    const auto& place = gathered_[i].place;
    Batch& batch = open[partition_of(BucketId(place.bucket()), place.key())];
    const uint64_t bytes = place.ByteSizeLong() + kExtentBytesMax;
    if (!batch.bodies.empty() && batch.event_bytes + bytes > kEventBytesMax) {
      out.push_back(std::move(batch));
      batch = Batch{};
    }
    batch.bodies.push_back(i);
    batch.event_bytes += bytes;
  }
  for (auto& [partition, batch] : open) out.push_back(std::move(batch));
  return out;
}

Task<Result<void>> BodyMover::flush() {
  if (gathered_.empty()) co_return Result<void>();
  std::vector<Batch> all = batches();
  std::vector<SmallBody> bodies(gathered_.size());
  for (Batch& batch : all) {
    batch.reservation = core_->reservations.begin();
    for (size_t i : batch.bodies) {
      bodies[i].bytes = std::make_shared<std::string>(std::move(gathered_[i].bytes));
      bodies[i].reservation = batch.reservation;
    }
  }
  std::vector<MovingBody> gathered = std::move(gathered_);
  gathered_.clear();
  gathered_bytes_ = 0;
  auto extents = co_await core_->packed.put(target_, std::move(bodies));
  Result<void> outcome;
  if (!extents) outcome = fail(extents.error());
  for (auto first = all.begin(); first != all.end();) {
    const auto behind = first + std::min<ptrdiff_t>(kSubmitsMax, all.end() - first);
    std::vector<Task<Result<void>>> submits;
    for (; first != behind; ++first) {
      if (!outcome) {
        core_->reservations.end(first->reservation);
        continue;
      }
      std::vector<v1::BodiesMoved_Move> moves;
      for (size_t i : first->bodies) {
        moves.push_back(std::move(gathered[i].place));
        *moves.back().mutable_to()->add_extents() = std::move((*extents)[i]);
      }
      submits.push_back(submit(std::move(moves), core_->reservations.named(first->reservation)));
    }
    std::vector<Result<void>> submitted = co_await concurrently(std::move(submits));
    for (Result<void>& one : submitted)
      if (outcome) outcome = std::move(one);
  }
  co_return outcome;
}

Task<Result<void>> BodyMover::submit(std::vector<v1::BodiesMoved_Move> moves,
                                     v1::Reservation reservation) {
  const size_t count = moves.size();
  Command command;
  command.bucket = BucketId(moves.front().bucket());
  MoveBodies action;
  action.moves = std::move(moves);
  action.reservation = reservation;
  command.action = std::move(action);
  before_step("bodies.move");
  auto outcome = co_await buckets_.submit(std::move(command));
  if (outcome) after_step("bodies.move");
  // With an unknown outcome the copies stay reserved until this process ends.
  if (outcome || !may_become_effective(outcome.error().code)) core_->reservations.end(reservation);
  if (!outcome) co_return fail(outcome.error());
  moved_ += count;
  co_return Result<void>();
}

Result<void> BodyMover::leave(const Error& error) {
  // Not found: somebody else moved or deleted it.
  if (!unread_ && error.code != Errc::not_found) unread_ = error;
  return {};
}

Task<Result<void>> BodyMover::copy(v1::BodiesMoved_Move place) {
  uint64_t stored = 0;
  for (const v1::Extent& extent : place.from().extents()) stored += extent.stored_bytes();
  auto reader = make_blob_reader(core_, place.from(), ByteRange{0, stored});
  if (!reader) co_return leave(reader.error());
  std::unique_ptr<BlobWriter> writer;
  std::string small;
  if (stored > kPackedBodyMax) writer = make_blob_writer(core_, target_, stored);
  for (;;) {
    auto bytes = co_await (*reader)->next();
    if (!bytes) co_return leave(bytes.error());
    if (bytes->empty()) break;
    if (!writer) {
      small += *bytes;
      continue;
    }
    std::string taken = std::move(*bytes);
    Result<void> appended = co_await writer->append(std::move(taken));
    if (!appended) co_return appended;
  }
  if (!writer) {
    MovingBody body{std::move(place), std::move(small)};
    co_return co_await add(std::move(body));
  }
  auto to = co_await writer->finish();
  if (!to) co_return fail(to.error());
  *place.mutable_to() = std::move(*to);
  std::vector<v1::BodiesMoved_Move> moves;
  moves.push_back(std::move(place));
  v1::Reservation reservation = writer->reservation();
  co_return co_await submit(std::move(moves), std::move(reservation));
}

}  // namespace kura::disk
