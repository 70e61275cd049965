// What can be asked of the control partition, and the pure decision about it.

#pragma once

#include <string>
#include <variant>

#include "base/result.h"
#include "event.pb.h"
#include "projections/control/control_state.h"

namespace kura {

struct CreateCluster {
  ClusterId id;
};
struct AddDrive {
  DriveId drive;
  std::string label;
};
struct RemoveDrive {
  DriveId drive;
};
struct OpenSet {
  SegmentSet draft;  // Complete but for its id.
};
struct SealSet {
  SetId set;
  uint64_t length_bytes = 0;
};
struct ReplaceMember {
  SetId set;
  uint32_t member = 0;
  DriveId drive;
};
struct DropSet {
  SetId set;
};
struct CreateBucket {
  std::string name, owner, region;
};
struct BeginDeleteBucket {
  std::string name;
};
struct EndDeleteBucket {
  BucketId bucket;
  Offset operation;
  bool commit = false;  // Every partition voted yes.
};
struct CreateKey {
  AccessKey key;
};
struct DisableKey {
  std::string access_key;
};
struct RecordSnapshot {
  Snapshot snapshot;
  v1::Reservation reservation;
};

// A piece of the log lies in `piece.body` now.
struct ArchiveLog {
  ArchivedLog piece;
  bool again = false;  // It was archived, and its bytes were copied.
};
struct DropArchive {
  Offset from;
};

using ControlCommand =
    std::variant<CreateCluster, AddDrive, RemoveDrive, OpenSet, SealSet, ReplaceMember, DropSet,
                 CreateBucket, BeginDeleteBucket, EndDeleteBucket, CreateKey, DisableKey,
                 RecordSnapshot, ArchiveLog, DropArchive>;

// The event that the command becomes. Errors: bucket_exists, no_such_bucket, too_large
// (kBucketsMax), exists, not_found, invalid_argument, unavailable (the bucket is being deleted).
Result<v1::Event> decide_control(const ControlState& state, const ControlCommand& command,
                                 int64_t now_ms);

// The part of a snapshot's recovery that its body needs: the sets in which it lies.
void add_snapshot_sets(const ControlState& state, v1::SnapshotTaken& event);

}  // namespace kura
