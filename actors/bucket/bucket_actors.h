// BucketActors: all bucket actors of the node, one for each partition, and the ways to them.
//
// A turn of a loop is the batch: commands submitted in one turn reach each actor as one message.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/bucket/bucket_writer.h"
#include "actors/bucket/partition.h"
#include "actors/loop_scheduler.h"

namespace kura {

class BucketActors final : public BucketWriter {
 public:
  // Actors are spread over `loops` in turn. `epochs`: the highest one folded, by partition. All
  // references outlive it.
  BucketActors(ActorHost& host, std::vector<Loop*> loops, Kv& kv, Committer& committer,
               PartitionOptions options, const std::vector<Epoch>& epochs);
  ~BucketActors() override;

  void claim_all();
  Task<Result<Outcome>> submit(Command command) override;

  // Gives each partition its effects (by partition) and waits until all are folded.
  // Errors: those of the Kv, too_large; the other partitions fold theirs, and these do as soon as
  // they can, before any later ones: nothing has to be given again.
  Task<Result<void>> apply_control(Offset up_to,
                                   std::vector<std::vector<v1::BucketEffect>> effects);
  // Whether every partition folded `operation` while the bucket was empty there. Errors: those of
  // the Kv; unavailable (one has not folded it yet).
  Result<bool> all_voted_yes(BucketId bucket, Offset operation) const;

 private:
  struct Actor;
  struct Gather;
  Gather& gather();
  void send_gathered(Gather& gather);

  Kv& kv_;
  std::vector<std::unique_ptr<Actor>> actors_;  // By partition.
  std::mutex mutex_;                            // Guards the map, not what is in it.
  std::map<Loop*, std::unique_ptr<Gather>> gathers_;
};

}  // namespace kura
