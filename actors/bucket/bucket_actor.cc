#include "actors/bucket/bucket_actor.h"

#include "actors/bucket/bucket_actors.h"
#include "projections/metadata/partition_rows.h"

namespace kura {

BucketActor::behavior_type bucket_actor(BucketActor::stateful_pointer<BucketActorState> /*self*/,
                                        Partition* partition) {
  return {
      [partition](Claim) { partition->claim(); },
      [partition](const CommandBatch& m) { partition->submit(std::move(*m.commands)); },
      [partition](const FoldedBatch& m) { partition->on_folded(*m.folded); },
      [partition](const EpochLost& m) { partition->on_lost(m.epoch, m.code); },
      [partition](const ControlChange& m) { partition->apply_control(std::move(*m.update)); },
  };
}

struct BucketActors::Actor final : CommitObserver {
  Actor(PartitionId id, Loop& loop, Kv& kv, Committer& committer, PartitionOptions options,
        Epoch epoch)
      : partition(id, loop, kv, committer, std::move(options), epoch) {}

  void on_folded(std::vector<Folded> folded) override {
    caf::anon_send(handle, FoldedBatch{std::make_shared<std::vector<Folded>>(std::move(folded))});
  }
  void on_lost(Epoch epoch, Errc code) override { caf::anon_send(handle, EpochLost{epoch, code}); }

  Partition partition;
  BucketActor handle;
};

// What one loop submitted in this turn.
struct BucketActors::Gather {
  std::vector<std::vector<PendingCommand>> by_partition{kPartitions};
  std::vector<uint16_t> touched;
};

BucketActors::BucketActors(ActorHost& host, std::vector<Loop*> loops, Kv& kv, Committer& committer,
                           PartitionOptions options, const std::vector<Epoch>& epochs)
    : kv_(kv) {
  for (uint16_t p = 0; p < kPartitions; ++p) {
    Loop& loop = *loops[p % loops.size()];
    actors_.push_back(
        std::make_unique<Actor>(PartitionId{p}, loop, kv, committer, options, epochs[p]));
    actors_[p]->handle = spawn_on(host, loop, bucket_actor, &actors_[p]->partition);
    committer.observe(PartitionId{p}, actors_[p].get());
  }
}

BucketActors::~BucketActors() = default;

void BucketActors::claim_all() {
  for (auto& actor : actors_) caf::anon_send(actor->handle, Claim{});
}

BucketActors::Gather& BucketActors::gather() {
  std::lock_guard lock(mutex_);
  auto& gather = gathers_[Loop::current()];
  if (!gather) gather = std::make_unique<Gather>();
  return *gather;
}

void BucketActors::send_gathered(Gather& gather) {
  for (uint16_t p : gather.touched) {
    auto batch = std::make_shared<std::vector<PendingCommand>>();
    batch->swap(gather.by_partition[p]);
    caf::anon_send(actors_[p]->handle, CommandBatch{std::move(batch)});
  }
  gather.touched.clear();
}

Task<Result<Outcome>> BucketActors::submit(Command command) {
  std::string_view key = command.key;
  uint64_t bucket = command.bucket.value;
  if (auto* move = std::get_if<MoveBodies>(&command.action)) {
    INVARIANT(!move->moves.empty(), "a move names at least one body");
    key = move->moves[0].key();
    bucket = move->moves[0].bucket();
  }
  const uint16_t p = partition_of(BucketId{bucket}, key).value;
  co_return co_await suspend<Result<Outcome>>([&](Resolver<Result<Outcome>> reply) {
    Gather& mine = gather();
    if (mine.touched.empty()) Loop::current()->at_turn_end([this, &mine] { send_gathered(mine); });
    auto& list = mine.by_partition[p];
    if (list.empty()) mine.touched.push_back(p);
    list.push_back(PendingCommand{std::move(command), reply});
  });
}

Task<Result<void>> BucketActors::apply_control(Offset up_to,
                                               std::vector<std::vector<v1::BucketEffect>> effects) {
  struct Join {
    size_t missing = 0;
    Result<void> result;
    std::mutex mutex;
    Resolver<Result<void>> resolve;
  };
  auto join = std::make_shared<Join>();
  join->missing = actors_.size();
  co_return co_await suspend<Result<void>>([&](Resolver<Result<void>> resolve) {
    join->resolve = resolve;
    for (size_t p = 0; p < actors_.size(); ++p) {
      auto update = std::make_shared<ControlUpdate>();
      update->up_to = up_to;
      update->effects = effects[p];
      update->done = [join](Result<void> done) {
        bool last = false;
        {
          std::lock_guard lock(join->mutex);
          if (!done) join->result = done;
          last = --join->missing == 0;
        }
        if (last) join->resolve(join->result);
      };
      caf::anon_send(actors_[p]->handle, ControlChange{std::move(update)});
    }
  });
}

Result<bool> BucketActors::all_voted_yes(BucketId bucket, Offset operation) const {
  KvRows rows(kv_);
  bool all = true;
  for (uint16_t p = 0; p < kPartitions; ++p) {
    auto row = bucket_row(rows, PartitionId{p}, bucket);
    if (!row) return fail(row.error());
    if (!*row || (*row)->operation() != operation.value)
      return fail(Errc::unavailable, "a partition has not voted yet");
    all = all && (*row)->vote() == v1::BucketRow::YES;
  }
  return all;
}

}  // namespace kura
