#include "actors/tenant/decide_control.h"

#include <algorithm>
#include <set>

#include "base/limits.h"

namespace kura {
namespace {

void describe_set(const SegmentSet& set, uint32_t id, v1::SetOpened& out) {
  out.set_set(id);
  out.set_data_shards(set.data_shards);
  out.set_parity_shards(set.parity_shards);
  for (const DriveId& drive : set.members) out.add_drive_ids(std::string(drive.view()));
  out.set_member_bytes(set.member_bytes);
  if (!set.incarnation.is_nil()) out.set_incarnation(std::string(set.incarnation.view()));
}

// The part of a snapshot's recovery that its body needs: the sets in which it lies.
void add_snapshot_sets(const ControlState& state, v1::SnapshotTaken& event) {
  std::set<uint32_t> needed;
  for (const v1::Extent& extent : event.body().extents()) needed.insert(extent.set());
  for (uint32_t id : needed) {
    auto it = state.sets.find(SetId{id});
    if (it == state.sets.end()) continue;
    describe_set(it->second, id, *event.add_sets());
  }
}

struct Decider {
  const ControlState& state;
  int64_t now_ms;
  v1::Event event;

  Result<v1::Event> operator()(const CreateCluster& c) {
    if (!state.cluster.is_nil()) return fail(Errc::exists, "the cluster exists");
    event.mutable_cluster_created()->set_cluster_id(std::string(c.id.view()));
    event.mutable_cluster_created()->set_created_at_ms(now_ms);
    return event;
  }
  Result<v1::Event> operator()(const AddDrive& c) {
    if (state.drives.count(c.drive)) return fail(Errc::exists, "the drive is known");
    event.mutable_drive_added()->set_drive_id(std::string(c.drive.view()));
    event.mutable_drive_added()->set_label(c.label);
    return event;
  }
  Result<v1::Event> operator()(const RemoveDrive& c) {
    if (!state.drives.count(c.drive)) return fail(Errc::not_found, "no such drive");
    event.mutable_drive_removed()->set_drive_id(std::string(c.drive.view()));
    return event;
  }
  Result<v1::Event> operator()(const OpenSet& c) {
    const SegmentSet& draft = c.draft;
    if (draft.data_shards == 0 || draft.members.size() != draft.data_shards + draft.parity_shards)
      return fail(Errc::invalid_argument, "members do not fit the geometry");
    auto& opened = *event.mutable_set_opened();
    describe_set(draft, state.next_set, opened);
    return event;
  }
  Result<v1::Event> operator()(const SealSet& c) {
    auto it = state.sets.find(c.set);
    if (it == state.sets.end()) return fail(Errc::not_found, "no such set");
    if (it->second.sealed_bytes) return fail(Errc::exists, "the set is sealed");
    event.mutable_set_sealed()->set_set(c.set.value);
    event.mutable_set_sealed()->set_length(c.length_bytes);
    return event;
  }
  Result<v1::Event> operator()(const ReplaceMember& c) {
    auto it = state.sets.find(c.set);
    if (it == state.sets.end()) return fail(Errc::not_found, "no such set");
    if (c.member >= it->second.members.size())
      return fail(Errc::invalid_argument, "no such member");
    auto& replaced = *event.mutable_set_member_replaced();
    replaced.set_set(c.set.value);
    replaced.set_member(c.member);
    replaced.set_drive_id(std::string(c.drive.view()));
    return event;
  }
  Result<v1::Event> operator()(const DropSet& c) {
    if (!state.sets.count(c.set)) return fail(Errc::not_found, "no such set");
    event.mutable_set_dropped()->set_set(c.set.value);
    return event;
  }
  Result<v1::Event> operator()(const CreateBucket& c) {
    if (state.find_bucket(c.name)) return fail(Errc::bucket_exists);
    if (state.buckets.size() >= kBucketsMax) return fail(Errc::too_large, "too many buckets");
    auto& created = *event.mutable_bucket_created();
    created.set_name(c.name);
    created.set_owner(c.owner);
    created.set_region(c.region);
    created.set_created_at_ms(now_ms);
    return event;
  }
  Result<v1::Event> operator()(const BeginDeleteBucket& c) {
    const Bucket* bucket = state.find_bucket(c.name);
    if (!bucket) return fail(Errc::no_such_bucket);
    if (bucket->deleting) return fail(Errc::unavailable, "the bucket is being deleted");
    event.mutable_bucket_deleting()->set_bucket(bucket->id.value);
    return event;
  }
  Result<v1::Event> operator()(const EndDeleteBucket& c) {
    auto name = state.bucket_names.find(c.bucket);
    const Bucket* bucket =
        name == state.bucket_names.end() ? nullptr : state.find_bucket(name->second);
    if (!bucket || bucket->deleting != c.operation)
      return fail(Errc::not_found, "that deletion is not open");
    if (c.commit) {
      event.mutable_bucket_deleted()->set_bucket(c.bucket.value);
      event.mutable_bucket_deleted()->set_operation(c.operation.value);
    } else {
      event.mutable_bucket_delete_abandoned()->set_bucket(c.bucket.value);
      event.mutable_bucket_delete_abandoned()->set_operation(c.operation.value);
    }
    return event;
  }
  Result<v1::Event> operator()(const CreateKey& c) {
    if (state.keys.count(c.key.access_key)) return fail(Errc::exists, "the access key exists");
    if (!c.key.bucket.empty() && !state.find_bucket(c.key.bucket))
      return fail(Errc::no_such_bucket);
    auto& created = *event.mutable_key_created();
    created.set_access_key(c.key.access_key);
    created.set_sealed_secret(c.key.sealed_secret);
    created.set_access(c.key.access);
    created.set_bucket(c.key.bucket);
    created.set_description(c.key.description);
    created.set_created_at_ms(now_ms);
    return event;
  }
  Result<v1::Event> operator()(const DisableKey& c) {
    auto it = state.keys.find(c.access_key);
    if (it == state.keys.end()) return fail(Errc::not_found, "no such access key");
    event.mutable_key_disabled()->set_access_key(c.access_key);
    return event;
  }
  Result<v1::Event> operator()(const RecordSnapshot& c) {
    auto& taken = *event.mutable_snapshot_taken();
    taken.set_offset(c.snapshot.offset.value);
    *taken.mutable_body() = c.snapshot.body;
    taken.set_size_bytes(c.snapshot.size_bytes);
    taken.set_digest(c.snapshot.digest);
    *taken.mutable_reservation() = c.reservation;
    add_snapshot_sets(state, taken);
    return event;
  }
  Result<v1::Event> operator()(const ArchiveLog& c) {
    const auto there = state.find_archived(c.piece.from);
    if (c.again && (!there || there->from != c.piece.from || there->to != c.piece.to))
      return fail(Errc::not_found, "that piece of the log is archived no more");
    const bool overlaps = std::any_of(
        state.archived.begin(), state.archived.end(),
        [&c](const auto& other) { return c.piece.from < other->to && other->from < c.piece.to; });
    if (!c.again && overlaps) return fail(Errc::exists, "that piece of the log is archived");
    auto& archived = *event.mutable_log_archived();
    archived.set_from(c.piece.from.value);
    archived.set_to(c.piece.to.value);
    *archived.mutable_body() = c.piece.body;
    return event;
  }
  Result<v1::Event> operator()(const DropArchive& c) {
    const auto there = state.find_archived(c.from);
    if (!there || there->from != c.from)
      return fail(Errc::not_found, "that piece of the log is archived no more");
    event.mutable_log_archive_dropped()->set_from(c.from.value);
    return event;
  }
};

}  // namespace

Result<v1::Event> decide_control(const ControlState& state, const ControlCommand& command,
                                 int64_t now_ms) {
  return std::visit(Decider{state, now_ms, {}}, command);
}

}  // namespace kura
