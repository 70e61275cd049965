#include "actors/tenant/control_partition.h"

#include <set>

#include "actors/tenant/decide_control.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"
#include "base/limits.h"
#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"

namespace kura {
namespace {

constexpr int64_t kTellNs = 10'000'000'000;
constexpr int64_t kEndRetryNs = 1'000'000'000;

v1::BucketEffect effect_of(v1::BucketEffect::Kind kind, const Bucket& bucket) {
  v1::BucketEffect effect;
  effect.set_kind(kind);
  effect.set_bucket(bucket.id.value);
  if (kind == v1::BucketEffect::CREATED) effect.set_name(bucket.name);
  if (bucket.deleting) effect.set_operation(bucket.deleting->value);
  return effect;
}

// What partition `p` must fold to know what control knows. A partition that missed a creation and
// the deletion behind it needs neither.
Result<std::vector<v1::BucketEffect>> missing_effects(const ControlState& control, RowReader& rows,
                                                      PartitionId p) {
  std::vector<v1::BucketEffect> effects;
  for (const auto& [id, name] : control.bucket_names) {
    const Bucket& bucket = *control.find_bucket(name);
    auto row = bucket_row(rows, p, id);
    if (!row) return fail(row.error());
    if (!*row) effects.push_back(effect_of(v1::BucketEffect::CREATED, bucket));
    const uint64_t deletion = bucket.deleting ? bucket.deleting->value : 0;
    const bool voted = *row && (*row)->vote() != v1::BucketRow::NONE;
    // A vote, of either kind, on a deletion that ended while this partition did not listen.
    const bool stale = voted && (*row)->operation() != deletion;
    if (stale) {
      auto end = effect_of(v1::BucketEffect::ABANDONED, bucket);
      end.set_operation((*row)->operation());
      effects.push_back(end);
    }
    if (bucket.deleting && (stale || !voted))
      effects.push_back(effect_of(v1::BucketEffect::DELETING, bucket));
  }
  const std::string prefix = row::bucket_key(p, BucketId{0}).substr(0, 1 + sizeof(uint16_t));
  auto known = rows.scan(prefix, SIZE_MAX);
  if (!known) return fail(known.error());
  for (const Row& row : *known) {
    auto id = row::decode_u64(std::string_view(row.key).substr(prefix.size()));
    if (!id) return fail(id.error());
    if (control.bucket_names.count(BucketId{*id})) continue;
    v1::BucketEffect gone;
    gone.set_kind(v1::BucketEffect::DELETED);
    gone.set_bucket(*id);
    v1::BucketRow stored;
    if (stored.ParseFromString(row.value)) gone.set_operation(stored.operation());
    effects.push_back(gone);
  }
  return effects;
}

}  // namespace

ControlPartition::ControlPartition(Loop& loop, ViewFold& fold, Committer& committer,
                                   Options options, Epoch epoch)
    : loop_(loop),
      fold_(fold),
      committer_(committer),
      options_(std::move(options)),
      epoch_(epoch) {}

void ControlPartition::submit(PendingControl pending) {
  queue_.push_back(std::move(pending));
  if (running_) return;
  running_ = true;
  spawn(loop_, run());
}

Task<void> ControlPartition::run() {
  while (!queue_.empty()) {
    PendingControl pending = std::move(queue_.front());
    queue_.pop_front();
    ControlCommand command = std::move(pending.command);
    Result<ControlReply> reply = co_await execute(std::move(command));
    pending.reply(std::move(reply));
  }
  running_ = false;
}

Task<Result<ControlReply>> ControlPartition::execute(ControlCommand command) {
  if (auto* creation = std::get_if<CreateBucket>(&command)) {
    CreateBucket create = std::move(*creation);
    co_return co_await create_bucket(std::move(create));
  }
  if (auto* deletion = std::get_if<BeginDeleteBucket>(&command)) {
    BeginDeleteBucket begin = std::move(*deletion);
    co_return co_await delete_bucket(std::move(begin));
  }
  if (const auto* end = std::get_if<EndDeleteBucket>(&command)) {
    Result<void> ended = co_await end_deletion(end->bucket, end->operation);
    if (!ended) co_return fail(ended.error());
    co_return ControlReply{end->operation, fold_.control()};
  }
  co_return co_await record(std::move(command));
}

Task<Result<ControlReply>> ControlPartition::create_bucket(CreateBucket command) {
  const std::string name = command.name;
  ControlCommand create = std::move(command);
  Result<ControlReply> reply = co_await record(std::move(create));
  if (!reply) co_return reply;
  v1::BucketEffect effect = effect_of(v1::BucketEffect::CREATED, *reply->state->find_bucket(name));
  Result<void> told = co_await tell(reply->offset, std::move(effect));
  if (!told) co_return fail(told.error());
  co_return reply;
}

void ControlPartition::claim() {
  epoch_ = Epoch{epoch_.value + 1};
  next_seq_ = 1;
  Proposal claim;
  claim.record.partition = kControlPartition;
  claim.record.kind = journal::RecordKind::claim;
  claim.record.epoch = epoch_;
  claim.record.writer = options_.writer;
  claim.may_use_reserve = true;
  std::vector<Proposal> proposals;
  proposals.push_back(std::move(claim));
  committer_.propose(std::move(proposals));
}

Task<Result<void>> ControlPartition::be_open() {
  if (open_) co_return Result<void>{};
  auto offset = co_await suspend<Result<Offset>>([this](Resolver<Result<Offset>> resolve) {
    waiter_ = resolve;
    claim();
  });
  if (!offset) co_return fail(offset.error());
  co_return Result<void>{};
}

// Decides, appends, and returns when the event is folded.
Task<Result<ControlReply>> ControlPartition::record(ControlCommand command) {
  Result<void> open = co_await be_open();
  if (!open) co_return fail(open.error());
  const auto state = fold_.control();
  auto event = decide_control(*state, command, loop_.clock().wall_ms());
  if (!event) co_return fail(event.error());
  auto shared = std::make_shared<const v1::Event>(std::move(*event));
  before_step("control.commit");
  auto offset = co_await suspend<Result<Offset>>([&](Resolver<Result<Offset>> resolve) {
    waiter_ = resolve;
    Proposal proposal;
    proposal.record.partition = kControlPartition;
    proposal.record.open = true;
    proposal.record.epoch = epoch_;
    proposal.record.writer = options_.writer;
    proposal.record.seen = state->applied;
    proposal.record.seq = next_seq_++;
    proposal.record.payload = shared->SerializeAsString();
    proposal.event = shared;
    proposal.may_use_reserve = true;
    std::vector<Proposal> proposals;
    proposals.push_back(std::move(proposal));
    committer_.propose(std::move(proposals));
  });
  if (!offset) co_return fail(offset.error());
  after_step("control.commit");
  if (shared->has_snapshot_taken())
    options_.reservation_ended(shared->snapshot_taken().reservation());
  co_return ControlReply{*offset, fold_.control()};
}

void ControlPartition::on_folded(const std::vector<Folded>& folded) {
  for (const Folded& record : folded) {
    if (record.epoch != epoch_ || !waiter_) continue;
    open_ = record.effective;  // A void one ends the epoch: the next command claims anew.
    auto waiter = *waiter_;
    waiter_.reset();
    if (record.effective)
      waiter(record.offset);
    else
      waiter(fail(Errc::unavailable, "the record is void"));
  }
}

void ControlPartition::on_lost(Epoch epoch, Errc code) {
  if (epoch != epoch_) return;
  open_ = false;
  if (!waiter_) return;
  auto waiter = *waiter_;
  waiter_.reset();
  waiter(fail(code, "the journal did not take the record"));
}

// A partition that cannot append must not hold up every command behind this one.
Task<Result<void>> ControlPartition::tell(Offset up_to,
                                          std::vector<std::vector<v1::BucketEffect>> effects) {
  Task<Result<void>> applied = partitions_->apply_control(up_to, std::move(effects));
  Result<void> told = co_await within<void>(std::move(applied), kTellNs);
  if (!told && told.error().code == Errc::timed_out)
    co_return fail(Errc::unavailable, "a partition has not folded the change yet");
  co_return told;
}

Task<Result<void>> ControlPartition::tell(Offset up_to, v1::BucketEffect effect) {
  std::vector<std::vector<v1::BucketEffect>> effects(kPartitions, {effect});
  co_return co_await tell(up_to, std::move(effects));
}

Task<Result<ControlReply>> ControlPartition::delete_bucket(BeginDeleteBucket command) {
  const std::string name = command.name;
  const auto before = fold_.control();
  const Bucket* known = before->find_bucket(name);
  if (known && known->deleting) {
    // Its votes are older than this request: they can end the deletion, but not refuse another one.
    Result<void> ended = co_await end_deletion(known->id, *known->deleting);
    if (ended) co_return ControlReply{*known->deleting, fold_.control()};
    if (ended.error().code != Errc::bucket_not_empty) co_return fail(ended.error());
  }
  ControlCommand begin = std::move(command);
  Result<ControlReply> begun = co_await record(std::move(begin));
  if (!begun) co_return begun;
  const Bucket bucket = *begun->state->find_bucket(name);
  v1::BucketEffect effect = effect_of(v1::BucketEffect::DELETING, bucket);
  Result<void> ended = co_await tell(begun->offset, std::move(effect));
  if (ended) ended = co_await end_deletion(bucket.id, begun->offset);
  if (!ended) {
    if (ended.error().code != Errc::bucket_not_empty)
      spawn(loop_, end_deletion_later(bucket.id, begun->offset));
    co_return fail(ended.error());
  }
  co_return ControlReply{begun->offset, fold_.control()};
}

// An open deletion keeps its bucket frozen: somebody has to end it, though nobody asks again.
Task<void> ControlPartition::end_deletion_later(BucketId bucket, Offset operation) {
  for (;;) {
    co_await sleep_for(kEndRetryNs);
    auto ended = co_await suspend<Result<ControlReply>>([&](Resolver<Result<ControlReply>> reply) {
      submit(PendingControl{EndDeleteBucket{bucket, operation}, reply});
    });
    if (ended || ended.error().code == Errc::bucket_not_empty ||
        ended.error().code == Errc::not_found)
      co_return;
  }
}

// Collects the votes, records the outcome and tells it. Errors: bucket_not_empty, not_found (that
// deletion is not open), unavailable.
Task<Result<void>> ControlPartition::end_deletion(BucketId bucket, Offset operation) {
  const auto state = fold_.control();
  auto name = state->bucket_names.find(bucket);
  if (name == state->bucket_names.end() || state->find_bucket(name->second)->deleting != operation)
    co_return fail(Errc::not_found, "that deletion is not open");
  Result<bool> empty = partitions_->all_voted_yes(bucket, operation);
  if (!empty) co_return fail(empty.error());
  ControlCommand end = EndDeleteBucket{bucket, operation, *empty};
  Result<ControlReply> ended = co_await record(std::move(end));
  if (!ended) co_return fail(ended.error());
  v1::BucketEffect effect;
  effect.set_kind(*empty ? v1::BucketEffect::DELETED : v1::BucketEffect::ABANDONED);
  effect.set_bucket(bucket.value);
  effect.set_operation(operation.value);
  Result<void> told = co_await tell(ended->offset, std::move(effect));
  if (!told) co_return told;
  if (!*empty) co_return fail(Errc::bucket_not_empty);
  co_return Result<void>{};
}

Task<Result<void>> ControlPartition::catch_up(Kv& kv) {
  before_step("control.catch_up");
  Result<void> opened = co_await be_open();
  if (!opened) co_return opened;
  const auto state = fold_.control();
  KvRows rows(kv);
  std::vector<std::vector<v1::BucketEffect>> effects;
  bool any = false;
  for (uint16_t p = 0; p < kPartitions; ++p) {
    auto missing = missing_effects(*state, rows, PartitionId{p});
    if (!missing) co_return fail(missing.error());
    any = any || !missing->empty();
    effects.push_back(std::move(*missing));
  }
  if (any) {
    Result<void> told = co_await tell(state->applied, std::move(effects));
    if (!told) co_return told;
  }
  for (const auto& [name, bucket] : state->buckets) {
    if (!bucket.deleting) continue;
    Result<void> ended = co_await end_deletion(bucket.id, *bucket.deleting);
    if (!ended && ended.error().code != Errc::bucket_not_empty) co_return ended;
  }
  after_step("control.catch_up");
  co_return Result<void>{};
}

}  // namespace kura
