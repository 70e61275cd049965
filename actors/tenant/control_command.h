// What can be asked of the control partition.

#pragma once

#include <string>
#include <variant>

#include "base/ids.h"
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

}  // namespace kura
