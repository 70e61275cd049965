// The fold of the control partition: cluster, drives, segment sets, buckets, access keys.
//
// Small (kBucketsMax buckets, thousands of sets), so it lives in memory as an immutable value that
// any thread may hold; a new one replaces it when control records are folded. Its rows in the view
// (projections/metadata/rows.h) restore it at a restart.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "event.pb.h"

namespace kura {

struct Bucket {
  BucketId id;
  std::string name;
  std::string owner;   // Access key that created it.
  std::string region;  // LocationConstraint of the creation; empty: us-east-1.
  int64_t created_at_ms = 0;
  std::optional<Offset> deleting;  // The open BucketDeleting operation, if one is.
};

struct SegmentSet {
  SetId id;
  uint32_t data_shards = 0;              // k
  uint32_t parity_shards = 0;            // m
  std::vector<DriveId> members;          // k + m, by member index.
  uint64_t member_bytes = 0;             // Capacity of each member file.
  std::optional<uint64_t> sealed_bytes;  // Used bytes of each member file, once sealed.
  WriterId incarnation;  // Of the process that writes all of it; nil: of an older journal.
};

struct AccessKey {
  std::string access_key;
  std::string sealed_secret;
  v1::KeyCreated::Access access = v1::KeyCreated::READ_WRITE;
  std::string bucket;  // Empty: all buckets.
  std::string description;
  int64_t created_at_ms = 0;
  bool disabled = false;
};

struct Snapshot {
  Offset offset;
  v1::Body body;
  uint64_t size_bytes = 0;
  std::string digest;
};

// Records of the log in [from, to), byte by byte.
struct ArchivedLog {
  Offset from, to;
  v1::Body body;  // Its extents together have to - from stored bytes.
};

struct ControlState {
  ClusterId cluster;
  std::map<std::string, Bucket> buckets;  // By name; ordered for ListBuckets.
  std::map<BucketId, std::string> bucket_names;
  std::map<SetId, SegmentSet> sets;
  std::map<DriveId, std::string> drives;  // Label when added.
  std::map<std::string, AccessKey> keys;  // By access key.
  std::vector<Snapshot> snapshots;        // Oldest first; the newest two are kept.
  std::vector<std::shared_ptr<const ArchivedLog>> archived;  // By place; none overlap.
  std::map<SetId, uint64_t> archived_bytes;                  // Of these in each set, stored.
  uint32_t next_set = 1;
  Offset applied;  // Of the last control record folded.

  const Bucket* find_bucket(const std::string& name) const {
    auto it = buckets.find(name);
    return it == buckets.end() ? nullptr : &it->second;
  }
  // The piece that holds the record at `offset`; null: none does.
  std::shared_ptr<const ArchivedLog> find_archived(Offset offset) const;
};

// Changes `state` by one control event at `offset`. Pure. Errors: unsupported (unknown event),
// corrupt (an event that cannot apply): the control partition stops.
Result<void> apply(ControlState& state, Offset offset, const v1::Event& event);

}  // namespace kura
