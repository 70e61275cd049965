// The CAF side of a bucket actor: its messages and its behaviour. The rules are in partition.h.

#pragma once

#include "actors/bucket/partition.h"
#include "actors/loop_scheduler_spawn.h"

namespace kura {

// Messages hold pointers because they never leave the process.
struct CommandBatch {
  std::shared_ptr<std::vector<PendingCommand>> commands;
};
struct FoldedBatch {
  std::shared_ptr<std::vector<Folded>> folded;
};
struct EpochLost {
  Epoch epoch;
  Errc code;
};
struct ControlChange {
  std::shared_ptr<ControlUpdate> update;
};
struct Claim {};

}  // namespace kura

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::CommandBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::FoldedBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::EpochLost)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::ControlChange)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(kura::Claim)

namespace kura {

using BucketActor = caf::typed_actor<caf::reacts_to<Claim>, caf::reacts_to<CommandBatch>,
                                     caf::reacts_to<FoldedBatch>, caf::reacts_to<EpochLost>,
                                     caf::reacts_to<ControlChange>>;

struct BucketActorState {
  static inline const char* name = "bucket";  // NOLINT(readability-identifier-naming): CAF's.
};

// `partition` outlives the actor.
BucketActor::behavior_type bucket_actor(BucketActor::stateful_pointer<BucketActorState> self,
                                        Partition* partition);

}  // namespace kura
