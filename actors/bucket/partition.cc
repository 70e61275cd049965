#include "actors/bucket/partition.h"

#include "base/chance.h"
#include "base/fail_point.h"
#include "base/limits.h"
#include "journal/record_codec.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/partition_rows.h"

namespace kura {
namespace {

constexpr int64_t kRetryNs = 100'000'000;
constexpr uint32_t kNoSpaceTriesMax = 50;  // 5 seconds: background work may make room meanwhile.

// Deletes and moves free space; all else makes the view or the sets grow.
bool frees_space(const Command& command) {
  return std::holds_alternative<DeleteObject>(command.action) ||
         std::holds_alternative<AbortUpload>(command.action) ||
         std::holds_alternative<MoveBodies>(command.action);
}

const v1::Reservation* reservation_of(const v1::Event& event) {
  switch (event.event_case()) {
    case v1::Event::kPutCommitted:
      return event.put_committed().has_reservation() ? &event.put_committed().reservation()
                                                     : nullptr;
    case v1::Event::kPartCommitted:
      return event.part_committed().has_reservation() ? &event.part_committed().reservation()
                                                      : nullptr;
    case v1::Event::kBodiesMoved:
      return event.bodies_moved().has_reservation() ? &event.bodies_moved().reservation() : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

Partition::Partition(PartitionId id, Loop& loop, Kv& kv, Committer& committer,
                     PartitionOptions options, Epoch epoch)
    : id_(id),
      loop_(loop),
      view_(kv),
      committer_(committer),
      options_(std::move(options)),
      epoch_(epoch) {}

void Partition::claim() {
  if (state_ != State::closed) return;
  state_ = State::claiming;
  epoch_ = Epoch{epoch_.value + 1};
  next_seq_ = 1;
  Proposal claim;
  claim.record.partition = id_;
  claim.record.kind = journal::RecordKind::claim;
  claim.record.epoch = epoch_;
  claim.record.writer = options_.writer;
  claim.may_use_reserve = true;
  before_step("partition.claim");
  proposals_.push_back(std::move(claim));
  flush();
}

void Partition::submit(std::vector<PendingCommand> commands) {
  for (PendingCommand& pending : commands) {
    if (under_way_.size() + waiting_.size() + held_.size() >= kPartitionPipelineMax) {
      pending.reply(fail(Errc::overloaded));
    } else if (state_ == State::open) {
      decide_one(std::move(pending));
    } else {
      waiting_.push_back(std::move(pending));
      if (!retry_timer_) claim();
    }
  }
  flush();
}

bool Partition::answer_from_table(PendingCommand& pending) {
  const RequestId id = pending.command.request_id;
  if (id.is_nil()) return false;
  if (const RequestEntry* entry = requests_.find(id)) {
    if (entry->digest == pending.command.request_digest)
      answer(std::move(pending), entry->outcome);
    else
      answer(std::move(pending), fail(Errc::bad_request_id));
    return true;
  }
  auto it = ids_under_way_.find(id);
  if (it == ids_under_way_.end()) return false;
  for (UnderWay& entry : under_way_) {
    if (entry.seq != it->second) continue;
    Result<Outcome> same = entry.outcome;
    if (entry.command->command.request_digest != pending.command.request_digest)
      same = fail(Errc::bad_request_id);
    entry.after.emplace_back(std::move(pending), std::move(same));
    return true;
  }
  return false;
}

void Partition::decide_one(PendingCommand pending) {
  if (state_ != State::open) return waiting_.push_back(std::move(pending));
  if (answer_from_table(pending)) return;
  const Command& command = pending.command;
  if (!committer_.accepts_growth() && !frees_space(command))
    return answer(std::move(pending), fail(Errc::no_space));
  auto state = load(overlay_, id_, command);
  if (!state) return answer(std::move(pending), fail(Errc::unavailable, state.error().detail));
  if (waits_for_control(*state, command)) return hold(std::move(pending));
  Stamp stamp;
  stamp.now_ms = loop_.clock().wall_ms();
  stamp.part_bytes_min = options_.part_bytes_min;
  auto decision = decide(*state, command, stamp);
  if (!decision) return answer(std::move(pending), fail(decision.error()));
  if (auto* outcome = std::get_if<Outcome>(&*decision))
    return answer(std::move(pending), std::move(*outcome));
  auto& fresh = std::get<NewEvent>(*decision);
  auto event = std::make_shared<const v1::Event>(std::move(fresh.event));
  auto outcome = propose(event, std::move(fresh.body), &command);
  if (!outcome) return answer(std::move(pending), fail(Errc::unavailable, outcome.error().detail));
  if (!command.request_id.is_nil()) ids_under_way_[command.request_id] = under_way_.back().seq;
  under_way_.back().command = std::move(pending);
}

// Draws the next seq, lays the event's rows on the overlay and queues the record.
Result<Outcome> Partition::propose(std::shared_ptr<const v1::Event> event, std::string body,
                                   const Command* command) {
  Proposal proposal;
  journal::Record& record = proposal.record;
  record.partition = id_;
  record.open = true;
  record.epoch = epoch_;
  record.writer = options_.writer;
  record.seen = folded_;
  record.payload = event->SerializeAsString();
  record.body = std::move(body);
  if (command) {
    record.request_id = command->request_id;
    record.request_digest = command->request_digest;
  }
  if (journal::encoded_size(record) > kRecordMax) return fail(Errc::too_large, "record");
  proposal.may_use_reserve = !command || frees_space(*command);
  proposal.event = event;

  overlay_.begin(next_seq_);
  auto outcome = apply_event(overlay_, id_, Offset{0}, *event);
  if (!outcome) {
    overlay_.undo();  // It may hold half of the event. Those under way before it stand.
    return fail(outcome.error());
  }
  record.seq = next_seq_++;
  UnderWay entry;
  entry.seq = record.seq;
  entry.event = std::move(event);
  entry.outcome = *outcome;
  under_way_.push_back(std::move(entry));
  proposals_.push_back(std::move(proposal));
  if (chance("partition.flush_early")) flush();
  return outcome;
}

void Partition::answer(PendingCommand pending, Result<Outcome> outcome) {
  if (under_way_.empty())
    pending.reply(std::move(outcome));
  else
    under_way_.back().after.emplace_back(std::move(pending), std::move(outcome));
}

void Partition::hold(PendingCommand pending) {
  const uint64_t id = ++last_held_;
  held_.push_back({std::move(pending), id});
  loop_.timer().after(options_.hold_ns, [this, id] {
    for (auto it = held_.begin(); it != held_.end(); ++it) {
      if (it->id != id) continue;
      it->command.reply(fail(Errc::unavailable, "the bucket is being changed"));
      held_.erase(it);
      return;
    }
  });
}

void Partition::release_held() {
  std::deque<Held> held;
  held.swap(held_);
  for (Held& one : held) decide_one(std::move(one.command));
}

void Partition::apply_control(ControlUpdate update) {
  waiting_control_.push_back(std::move(update));
  if (state_ == State::open)
    send_control();
  else if (!retry_timer_)
    claim();
  flush();
}

// One after the other and none left out: a position says that all before it is folded.
void Partition::send_control() {
  while (!waiting_control_.empty()) {
    ControlUpdate& update = waiting_control_.front();
    Result<void> sent = propose_control(update);
    if (!sent) {
      if (update.done) std::exchange(update.done, nullptr)(fail(sent.error()));
      return retry_later();
    }
    waiting_control_.pop_front();
  }
}

Result<void> Partition::propose_control(ControlUpdate& update) {
  // A start asks every partition for what one of them missed, and a lost append may have landed.
  auto known = control_position(overlay_, id_);
  if (!known) return fail(known.error());
  if (update.up_to <= *known) {
    if (update.done) update.done({});
    return {};
  }
  auto event = std::make_shared<v1::Event>();
  auto& applied = *event->mutable_control_applied();
  applied.set_up_to(update.up_to.value);
  for (const v1::BucketEffect& effect : update.effects) *applied.add_effects() = effect;
  auto outcome = propose(std::move(event), {}, nullptr);
  if (!outcome) return fail(outcome.error());
  under_way_.back().control = std::move(update);
  return {};
}

void Partition::on_folded(const std::vector<Folded>& folded) {
  for (const Folded& record : folded) {
    if (record.epoch != epoch_) continue;
    if (!record.effective) {
      on_lost(epoch_, Errc::unknown);
      return;
    }
    folded_ = record.offset;
    if (record.kind == journal::RecordKind::claim) {
      after_step("partition.claim");
      if (!become_open()) return;
      send_control();
      std::deque<PendingCommand> commands;
      commands.swap(waiting_);
      for (PendingCommand& pending : commands) decide_one(std::move(pending));
      continue;
    }
    INVARIANT(!under_way_.empty() && under_way_.front().seq == record.seq,
              "events are folded in the order of their seqs");
    UnderWay done = std::move(under_way_.front());
    under_way_.pop_front();
    overlay_.retire(record.seq);
    finish(std::move(done), record.offset);
  }
  flush();
}

// Everything before the claim is folded now, and nothing behind it was proposed.
bool Partition::become_open() {
  auto requests = RequestTable::load(view_, id_);
  if (!requests) {
    on_lost(epoch_, Errc::unavailable);
    return false;
  }
  requests_ = std::move(*requests);
  state_ = State::open;
  return true;
}

void Partition::finish(UnderWay done, Offset offset) {
  done.outcome.offset = offset;
  if (const v1::Reservation* reservation = reservation_of(*done.event))
    options_.reservation_ended(*reservation);
  if (done.command) {
    const Command& command = done.command->command;
    if (!command.request_id.is_nil()) {
      ids_under_way_.erase(command.request_id);
      requests_.add({command.request_id, command.request_digest, done.outcome});
    }
    done.command->reply(done.outcome);
  }
  for (auto& [pending, outcome] : done.after) pending.reply(std::move(outcome));
  if (done.control) {
    if (done.control->done) done.control->done({});
    release_held();
  }
}

void Partition::on_lost(Epoch epoch, Errc code) {
  if (epoch != epoch_ || state_ == State::closed) return;
  state_ = State::closed;
  overlay_.clear();
  ids_under_way_.clear();
  proposals_.clear();
  std::deque<PendingCommand> again;
  std::deque<ControlUpdate> control_again;
  for (UnderWay& entry : under_way_) {
    if (entry.command) again.push_back(std::move(*entry.command));
    if (entry.control) control_again.push_back(std::move(*entry.control));
    for (auto& [pending, outcome] : entry.after) again.push_back(std::move(pending));
  }
  under_way_.clear();
  for (ControlUpdate& update : waiting_control_) control_again.push_back(std::move(update));
  waiting_control_ = std::move(control_again);
  for (PendingCommand& pending : waiting_) again.push_back(std::move(pending));
  waiting_.clear();
  for (PendingCommand& pending : again) {
    const bool full = code == Errc::no_space &&
                      (!frees_space(pending.command) || ++pending.no_space >= kNoSpaceTriesMax);
    const bool refuse = code == Errc::unavailable || full;
    if (refuse)
      pending.reply(fail(code));
    else
      waiting_.push_back(std::move(pending));
  }
  if (!waiting_.empty() || !waiting_control_.empty()) retry_later();
}

void Partition::retry_later() {
  if (retry_timer_) return;
  retry_timer_ = true;
  loop_.timer().after(kRetryNs, [this] {
    retry_timer_ = false;
    if (state_ == State::open)
      send_control();
    else if (!waiting_.empty() || !waiting_control_.empty())
      claim();
    flush();
  });
}

void Partition::flush() {
  if (proposals_.empty()) return;
  std::vector<Proposal> proposals;
  proposals.swap(proposals_);
  committer_.propose(std::move(proposals));
}

}  // namespace kura
