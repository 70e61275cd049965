#include "actors/tenant/control_actor.h"

#include "actors/loop_scheduler_spawn.h"

namespace kura {

struct ControlMessage {
  std::shared_ptr<PendingControl> pending;
};
struct ControlFolded {
  std::shared_ptr<std::vector<Folded>> folded;
};
struct ControlLost {
  Epoch epoch;
  Errc code;
};

}  // namespace kura

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::ControlMessage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::ControlFolded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::ControlLost)

namespace kura {
namespace {

using ControlActor = caf::typed_actor<caf::reacts_to<ControlMessage>, caf::reacts_to<ControlFolded>,
                                      caf::reacts_to<ControlLost>>;

struct ControlActorState {
  static inline const char* name = "tenant";  // NOLINT(readability-identifier-naming): CAF's.
};

ControlActor::behavior_type control_actor(ControlActor::stateful_pointer<ControlActorState>,
                                          ControlPartition* partition) {
  return {
      [partition](const ControlMessage& m) { partition->submit(std::move(*m.pending)); },
      [partition](const ControlFolded& m) { partition->on_folded(*m.folded); },
      [partition](const ControlLost& m) { partition->on_lost(m.epoch, m.code); },
  };
}

}  // namespace

struct ControlActors::Actor final : CommitObserver {
  Actor(Loop& loop, ViewFold& fold, Committer& committer, ControlPartition::Options options,
        Epoch epoch)
      : partition(loop, fold, committer, std::move(options), epoch) {}

  void on_folded(std::vector<Folded> folded) override {
    caf::anon_send(handle, ControlFolded{std::make_shared<std::vector<Folded>>(std::move(folded))});
  }
  void on_lost(Epoch epoch, Errc code) override {
    caf::anon_send(handle, ControlLost{epoch, code});
  }

  ControlPartition partition;
  ControlActor handle;
};

ControlActors::ControlActors(ActorHost& host, Loop& loop, ViewFold& fold, Committer& committer,
                             ControlPartition::Options options, Epoch epoch)
    : loop_(loop),
      fold_(fold),
      actor_(std::make_unique<Actor>(loop, fold, committer, std::move(options), epoch)) {
  actor_->handle = spawn_on(host, loop, control_actor, &actor_->partition);
  committer.observe(kControlPartition, actor_.get());
}

ControlActors::~ControlActors() = default;

void ControlActors::set_partitions(BucketActors* partitions) {
  actor_->partition.set_partitions(partitions);
}

Task<Result<void>> ControlActors::catch_up(Kv& kv) { return actor_->partition.catch_up(kv); }

std::shared_ptr<const ControlState> ControlActors::state() const { return fold_.control(); }

Task<Result<ControlReply>> ControlActors::record(ControlCommand command) {
  co_return co_await suspend<Result<ControlReply>>([&](Resolver<Result<ControlReply>> reply) {
    auto pending = std::make_shared<PendingControl>();
    pending->command = std::move(command);
    pending->reply = reply;
    caf::anon_send(actor_->handle, ControlMessage{std::move(pending)});
  });
}

Task<Result<void>> ControlActors::record_only(ControlCommand command) {
  Result<ControlReply> reply = co_await record(std::move(command));
  if (!reply) co_return fail(reply.error());
  co_return Result<void>{};
}

Task<Result<Bucket>> ControlActors::create_bucket(std::string name, std::string owner,
                                                  std::string region) {
  ControlCommand command = CreateBucket{name, std::move(owner), std::move(region)};
  Result<ControlReply> reply = co_await record(std::move(command));
  if (!reply) co_return fail(reply.error());
  const Bucket* bucket = reply->state->find_bucket(name);
  INVARIANT(bucket != nullptr, "a created bucket is in the state right after its event");
  co_return *bucket;
}

Task<Result<void>> ControlActors::delete_bucket(std::string name) {
  ControlCommand command = BeginDeleteBucket{std::move(name)};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::create_key(AccessKey key) {
  ControlCommand command = CreateKey{std::move(key)};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::disable_key(std::string access_key) {
  ControlCommand command = DisableKey{std::move(access_key)};
  return record_only(std::move(command));
}

Task<Result<SegmentSet>> ControlActors::open_set(SegmentSet draft) {
  ControlCommand command = OpenSet{std::move(draft)};
  Result<ControlReply> reply = co_await record(std::move(command));
  if (!reply) co_return fail(reply.error());
  // Control commands run one at a time, so the set opened last is this one.
  co_return reply->state->sets.rbegin()->second;
}

Task<Result<void>> ControlActors::seal_set(SetId set, uint64_t length_bytes) {
  ControlCommand command = SealSet{set, length_bytes};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::replace_member(SetId set, uint32_t member, DriveId drive) {
  ControlCommand command = ReplaceMember{set, member, drive};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::drop_set(SetId set) {
  ControlCommand command = DropSet{set};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::archive_log(ArchivedLog piece, bool again) {
  ControlCommand command = ArchiveLog{std::move(piece), again};
  return record_only(std::move(command));
}

Task<Result<void>> ControlActors::drop_archive(Offset from) {
  ControlCommand command = DropArchive{from};
  return record_only(std::move(command));
}

}  // namespace kura
