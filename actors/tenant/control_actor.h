// The actor of the control partition and the facades over it: Tenants for the protocol edges,
// SetLedger for the disk pool, and what the node itself records.

#pragma once

#include <memory>

#include "actors/disk/set_ledger.h"
#include "actors/loop_scheduler.h"
#include "actors/tenant/control_partition.h"
#include "actors/tenant/tenants.h"

namespace kura {

class ControlActors final : public Tenants, public SetLedger {
 public:
  // All references outlive it.
  ControlActors(ActorHost& host, Loop& loop, ViewFold& fold, Committer& committer,
                ControlPartition::Options options, Epoch epoch);
  ~ControlActors() override;

  void set_partitions(BucketActors* partitions);
  // See ControlPartition::catch_up. On the loop given at construction.
  Task<Result<void>> catch_up(Kv& kv);

  std::shared_ptr<const ControlState> state() const override;

  Task<Result<Bucket>> create_bucket(std::string name, std::string owner,
                                     std::string region) override;
  Task<Result<void>> delete_bucket(std::string name) override;
  Task<Result<void>> create_key(AccessKey key) override;
  Task<Result<void>> disable_key(std::string access_key) override;

  Task<Result<SegmentSet>> open_set(SegmentSet draft) override;
  Task<Result<void>> seal_set(SetId set, uint64_t length_bytes) override;
  Task<Result<void>> replace_member(SetId set, uint32_t member, DriveId drive) override;
  Task<Result<void>> drop_set(SetId set) override;
  Task<Result<void>> archive_log(ArchivedLog piece, bool again) override;
  Task<Result<void>> drop_archive(Offset from) override;

  // What the node records: the cluster, its drives, snapshots. Errors: of decide_control,
  // unavailable.
  Task<Result<ControlReply>> record(ControlCommand command);

 private:
  struct Actor;
  Task<Result<void>> record_only(ControlCommand command);

  Loop& loop_;
  ViewFold& fold_;
  std::unique_ptr<Actor> actor_;
};

}  // namespace kura
