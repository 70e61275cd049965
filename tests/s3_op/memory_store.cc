#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "projections/metadata/partition_rows.h"
#include "tests/s3_op/op_world.h"

namespace kura::s3 {

Task<Result<std::string>> MemoryInlineBodies::read_body(v1::JournalBody body) {
  co_await sleep_for(1000);
  auto it = bodies.find(body.offset());
  if (it == bodies.end()) co_return fail(Errc::not_found);
  co_return it->second;
}

class MemoryBlobWriter final : public BlobWriter {
 public:
  MemoryBlobWriter(MemoryBlobs& blobs, uint64_t reservation)
      : blobs_(blobs), reservation_(reservation) {}
  ~MemoryBlobWriter() override {
    if (!finished_) blobs_.active.erase(reservation_);
  }

  Task<Result<void>> append(std::string bytes) override {
    co_await sleep_for(1000);
    if (blobs_.fail_writes) co_return fail(*blobs_.fail_writes);
    bytes_ += bytes;
    co_return Result<void>{};
  }

  Task<Result<v1::Body>> finish() override {
    co_await sleep_for(1000);
    v1::Body body;
    for (size_t at = 0; at < bytes_.size(); at += blobs_.extent_bytes_max) {
      std::string piece = bytes_.substr(at, blobs_.extent_bytes_max);
      v1::Extent* extent = body.add_extents();
      extent->set_set(blobs_.next_set_);
      extent->set_stored_bytes(piece.size());
      extent->set_layout(v1::Extent::STRIPED);
      blobs_.sets[blobs_.next_set_++] = std::move(piece);
    }
    finished_ = true;
    co_return body;
  }

  v1::Reservation reservation() const override {
    v1::Reservation reservation;
    reservation.set_incarnation(std::string(16, 'i'));
    reservation.set_id(reservation_);
    return reservation;
  }

 private:
  MemoryBlobs& blobs_;
  uint64_t reservation_;
  std::string bytes_;
  bool finished_ = false;
};

namespace {

class MemoryBlobReader final : public BlobReader {
 public:
  MemoryBlobReader(std::string bytes, const MemoryBlobs& blobs)
      : bytes_(std::move(bytes)), blobs_(blobs) {}

  Task<Result<std::string>> next() override {
    co_await sleep_for(1000);
    if (blobs_.corrupt_after_bytes && given_ >= *blobs_.corrupt_after_bytes) {
      co_return fail(Errc::corrupt);
    }
    std::string piece = bytes_.substr(given_, blobs_.chunk_bytes_max);
    given_ += piece.size();
    co_return piece;
  }

 private:
  std::string bytes_;
  const MemoryBlobs& blobs_;
  uint64_t given_ = 0;
};

}  // namespace

Task<Result<std::unique_ptr<BlobWriter>>> MemoryBlobs::write(v1::StorageClass, uint64_t) {
  if (fail_writes) co_return fail(*fail_writes);
  active.insert(next_reservation_);
  co_return std::make_unique<MemoryBlobWriter>(*this, next_reservation_++);
}

Result<std::unique_ptr<BlobReader>> MemoryBlobs::read(const v1::Body& body, ByteRange range) {
  if (reads_that_moved > 0) {
    --reads_that_moved;
    return fail(Errc::not_found);
  }
  std::string bytes;
  for (const v1::Extent& extent : body.extents()) bytes += sets.at(extent.set());
  INVARIANT(range.offset_bytes + range.length_bytes <= bytes.size(), "a range within the body");
  return std::make_unique<MemoryBlobReader>(bytes.substr(range.offset_bytes, range.length_bytes),
                                            *this);
}

MemoryTenants::MemoryTenants(Kv& kv, Clock& clock) : kv_(kv), clock_(clock) {
  v1::Event event;
  event.mutable_cluster_created()->set_cluster_id(std::string(16, 'c'));
  record(event);
}

void MemoryTenants::record(const v1::Event& event) {
  auto next = std::make_shared<ControlState>(*state_);
  offset_ += 10;
  Result<void> applied = apply(*next, Offset{offset_}, event);
  INVARIANT(applied.has_value(), "a control event of a test applies");
  state_ = std::move(next);
}

void MemoryTenants::apply_to_partitions(const v1::BucketEffect& effect) {
  v1::Event event;
  event.mutable_control_applied()->set_up_to(offset_);
  *event.mutable_control_applied()->add_effects() = effect;
  KvRows below(kv_);
  Overlay rows(below);
  for (uint16_t p = 0; p < kPartitions; ++p) {
    Result<Outcome> folded = apply_event(rows, PartitionId{p}, Offset{offset_}, event);
    INVARIANT(folded.has_value(), "a control effect folds");
  }
  KvBatch batch;
  rows.move_to(batch);
  INVARIANT(kv_.write(batch).has_value(), "memory does not fail");
}

Task<Result<Bucket>> MemoryTenants::create_bucket(std::string name, std::string owner,
                                                  std::string region) {
  if (state_->find_bucket(name) != nullptr) co_return fail(Errc::bucket_exists);
  v1::Event event;
  event.mutable_bucket_created()->set_name(name);
  event.mutable_bucket_created()->set_owner(owner);
  event.mutable_bucket_created()->set_region(region);
  event.mutable_bucket_created()->set_created_at_ms(clock_.wall_ms());
  record(event);
  v1::BucketEffect effect;
  effect.set_kind(v1::BucketEffect::CREATED);
  effect.set_bucket(offset_);
  effect.set_name(name);
  apply_to_partitions(effect);
  co_return *state_->find_bucket(name);
}

Task<Result<void>> MemoryTenants::delete_bucket(std::string name) {
  const Bucket* bucket = state_->find_bucket(name);
  if (bucket == nullptr) co_return fail(Errc::no_such_bucket);
  uint64_t id = bucket->id.value;
  v1::Event deleting;
  deleting.mutable_bucket_deleting()->set_bucket(id);
  record(deleting);
  uint64_t operation = offset_;
  v1::BucketEffect effect;
  effect.set_kind(v1::BucketEffect::DELETING);
  effect.set_bucket(id);
  effect.set_operation(operation);
  apply_to_partitions(effect);
  bool all_yes = true;
  KvRows rows(kv_);
  for (uint16_t p = 0; p < kPartitions; ++p) {
    auto row = bucket_row(rows, PartitionId{p}, BucketId{id});
    INVARIANT(row && *row, "every partition knows the bucket");
    all_yes = all_yes && (*row)->vote() == v1::BucketRow::YES;
  }
  v1::Event end;
  if (all_yes) {
    end.mutable_bucket_deleted()->set_bucket(id);
    end.mutable_bucket_deleted()->set_operation(operation);
  } else {
    end.mutable_bucket_delete_abandoned()->set_bucket(id);
    end.mutable_bucket_delete_abandoned()->set_operation(operation);
  }
  record(end);
  effect.set_kind(all_yes ? v1::BucketEffect::DELETED : v1::BucketEffect::ABANDONED);
  apply_to_partitions(effect);
  if (!all_yes) co_return fail(Errc::bucket_not_empty);
  co_return Result<void>{};
}

Task<Result<void>> MemoryTenants::create_key(AccessKey) { co_return fail(Errc::unsupported); }
Task<Result<void>> MemoryTenants::disable_key(std::string) { co_return fail(Errc::unsupported); }

Task<Result<Outcome>> MemoryWriter::submit(Command command) {
  co_await sleep_for(1'000'000);
  if (fail_submits) co_return fail(*fail_submits);
  PartitionId partition = partition_of(command.bucket, command.key);
  KvRows below(kv_);
  Result<RequestTable> table = RequestTable::load(below, partition);
  if (!table) co_return fail(table.error());
  const RequestId& id = command.request_id;
  if (const RequestEntry* entry = id.is_nil() ? nullptr : table->find(id)) {
    if (entry->digest != command.request_digest) co_return fail(Errc::bad_request_id);
    co_return entry->outcome;
  }
  Result<KeyState> state = load(below, partition, command);
  if (!state) co_return fail(state.error());
  Stamp stamp{clock_.wall_ms(), part_bytes_min};
  Result<Decision> decision = decide(*state, command, stamp);
  if (!decision) co_return fail(decision.error());
  if (auto* outcome = std::get_if<Outcome>(&*decision)) co_return *outcome;

  auto& change = std::get<NewEvent>(*decision);
  offset_ += 100;
  ++events;
  if (!change.body.empty()) journal_.bodies[offset_] = change.body;
  journal::Record record;
  record.partition = partition;
  record.request_id = command.request_id;
  record.request_digest = command.request_digest;
  Overlay rows(below);
  Result<Outcome> outcome = fold_record(rows, Offset{offset_}, record, change.event);
  if (!outcome) co_return fail(outcome.error());
  KvBatch batch;
  rows.move_to(batch);
  if (auto written = kv_.write(batch); !written) co_return fail(written.error());
  co_return *outcome;
}

}  // namespace kura::s3
