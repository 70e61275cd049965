// ControlPartition: the one writer of the control partition, and the way to it: buckets and keys
// (Tenants), segment sets (SetLedger), drives and snapshots.
//
// Commands run one at a time, in the order of asking, on the loop given at construction. A change
// of buckets is answered when every data partition has folded it (journal/PROTOCOL.md, section 9).
// The actor that feeds it is in control_actor.h.

#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "actors/bucket/bucket_actors.h"
#include "actors/bucket/committer.h"
#include "actors/tenant/control_command.h"
#include "base/loop.h"

namespace kura {

struct ControlReply {
  Offset offset;                              // Of the event.
  std::shared_ptr<const ControlState> state;  // Right after it.
};

struct PendingControl {
  ControlCommand command;
  Resolver<Result<ControlReply>> reply;
};

class ControlPartition {
 public:
  struct Options {
    WriterId writer;
    std::function<void(const v1::Reservation&)> reservation_ended;
  };

  // `epoch`: the highest one folded. All references outlive it.
  ControlPartition(Loop& loop, ViewFold& fold, Committer& committer, Options options, Epoch epoch);
  // Before the first command about buckets.
  void set_partitions(BucketActors* partitions) { partitions_ = partitions; }

  void claim();
  void submit(PendingControl pending);
  void on_folded(const std::vector<Folded>& folded);
  void on_lost(Epoch epoch, Errc code);

  // Brings every data partition to the folded control state and ends deletions that a crash left
  // open. After the claims, before anything is served.
  Task<Result<void>> catch_up(Kv& kv);

 private:
  Task<void> run();
  Task<Result<ControlReply>> execute(ControlCommand command);
  Task<Result<ControlReply>> record(ControlCommand command);
  Task<Result<ControlReply>> create_bucket(CreateBucket command);
  Task<Result<ControlReply>> delete_bucket(BeginDeleteBucket command);
  Task<void> end_deletion_later(BucketId bucket, Offset operation);
  Task<Result<void>> end_deletion(BucketId bucket, Offset operation);
  // Errors: unavailable; the partitions fold it all the same, once the journal takes it.
  Task<Result<void>> tell(Offset up_to, std::vector<std::vector<v1::BucketEffect>> effects);
  Task<Result<void>> tell(Offset up_to, v1::BucketEffect effect);
  Task<Result<void>> be_open();

  Loop& loop_;
  ViewFold& fold_;
  Committer& committer_;
  const Options options_;
  BucketActors* partitions_ = nullptr;

  Epoch epoch_;
  uint64_t next_seq_ = 1;
  bool open_ = false;
  bool running_ = false;
  std::deque<PendingControl> queue_;
  // Of the record under way.
  std::optional<Resolver<Result<Offset>>> waiter_;
};

}  // namespace kura
