#include "projections/control/control_state.h"

#include <algorithm>

namespace kura {
namespace {

tl::unexpected<Error> does_not_apply(const char* why) { return fail(Errc::corrupt, why); }

Result<void> cluster_created(ControlState& state, const v1::ClusterCreated& event) {
  if (!state.cluster.is_nil()) return does_not_apply("the cluster was created twice");
  if (event.cluster_id().size() != 16) return does_not_apply("cluster id of another length");
  state.cluster = uuid_from<ClusterId>(event.cluster_id());
  return {};
}

Result<void> drive_added(ControlState& state, const v1::DriveAdded& event) {
  if (event.drive_id().size() != 16) return does_not_apply("drive id of another length");
  const auto id = uuid_from<DriveId>(event.drive_id());
  if (!state.drives.emplace(id, event.label()).second)
    return does_not_apply("a drive was added twice");
  return {};
}

Result<void> drive_removed(ControlState& state, const v1::DriveRemoved& event) {
  if (event.drive_id().size() != 16) return does_not_apply("drive id of another length");
  if (state.drives.erase(uuid_from<DriveId>(event.drive_id())) == 0)
    return does_not_apply("a drive that is not there was removed");
  return {};
}

Result<void> set_opened(ControlState& state, const v1::SetOpened& event) {
  if (event.set() < state.next_set) return does_not_apply("a set id was used twice");
  if (event.set() == UINT32_MAX) return does_not_apply("a set id without one behind it");
  if (event.data_shards() == 0 ||
      uint64_t{event.data_shards()} + event.parity_shards() != uint64_t(event.drive_ids_size()))
    return does_not_apply("a set without its members");
  SegmentSet set;
  set.id = SetId{event.set()};
  set.data_shards = event.data_shards();
  set.parity_shards = event.parity_shards();
  set.member_bytes = event.member_bytes();
  for (const std::string& id : event.drive_ids()) {
    if (id.size() != 16) return does_not_apply("drive id of another length");
    set.members.push_back(uuid_from<DriveId>(id));
  }
  if (!event.incarnation().empty() && event.incarnation().size() != 16)
    return does_not_apply("id of a process of another length");
  if (!event.incarnation().empty()) set.incarnation = uuid_from<WriterId>(event.incarnation());
  state.next_set = event.set() + 1;
  state.sets.emplace(set.id, std::move(set));
  return {};
}

Result<void> set_sealed(ControlState& state, const v1::SetSealed& event) {
  auto set = state.sets.find(SetId{event.set()});
  if (set == state.sets.end() || set->second.sealed_bytes)
    return does_not_apply("a set that is not open was sealed");
  if (event.length() > set->second.member_bytes)
    return does_not_apply("a set was sealed behind its end");
  set->second.sealed_bytes = event.length();
  return {};
}

Result<void> set_member_replaced(ControlState& state, const v1::SetMemberReplaced& event) {
  auto set = state.sets.find(SetId{event.set()});
  if (set == state.sets.end() || event.member() >= set->second.members.size() ||
      event.drive_id().size() != 16)
    return does_not_apply("a member that is not there was replaced");
  set->second.members[event.member()] = uuid_from<DriveId>(event.drive_id());
  return {};
}

Result<void> set_dropped(ControlState& state, const v1::SetDropped& event) {
  if (state.sets.erase(SetId{event.set()}) == 0)
    return does_not_apply("a set that is not there was dropped");
  return {};
}

Result<void> bucket_created(ControlState& state, Offset offset, const v1::BucketCreated& event) {
  Bucket bucket;
  bucket.id = BucketId{offset.value};
  bucket.name = event.name();
  bucket.owner = event.owner();
  bucket.region = event.region();
  bucket.created_at_ms = event.created_at_ms();
  if (!state.buckets.emplace(bucket.name, bucket).second)
    return does_not_apply("a bucket name was taken twice");
  state.bucket_names.emplace(bucket.id, bucket.name);
  return {};
}

// The bucket of that id; null if there is none.
Bucket* find_bucket(ControlState& state, uint64_t id) {
  auto name = state.bucket_names.find(BucketId{id});
  return name == state.bucket_names.end() ? nullptr : &state.buckets.at(name->second);
}

Result<void> bucket_deleting(ControlState& state, Offset offset, const v1::BucketDeleting& event) {
  Bucket* bucket = find_bucket(state, event.bucket());
  if (bucket == nullptr || bucket->deleting)
    return does_not_apply("a deletion of a bucket that is not there or being deleted");
  bucket->deleting = offset;
  return {};
}

Result<Bucket*> bucket_in_deletion(ControlState& state, uint64_t id, uint64_t operation) {
  Bucket* bucket = find_bucket(state, id);
  if (bucket == nullptr || bucket->deleting != Offset{operation})
    return does_not_apply("the end of a deletion that is not open");
  return bucket;
}

Result<void> bucket_deleted(ControlState& state, const v1::BucketDeleted& event) {
  Result<Bucket*> bucket = bucket_in_deletion(state, event.bucket(), event.operation());
  if (!bucket) return fail(bucket.error());
  state.bucket_names.erase((*bucket)->id);
  const std::string name = (*bucket)->name;
  state.buckets.erase(name);
  return {};
}

Result<void> bucket_delete_abandoned(ControlState& state, const v1::BucketDeleteAbandoned& event) {
  Result<Bucket*> bucket = bucket_in_deletion(state, event.bucket(), event.operation());
  if (!bucket) return fail(bucket.error());
  (*bucket)->deleting.reset();
  return {};
}

Result<void> key_created(ControlState& state, const v1::KeyCreated& event) {
  AccessKey key;
  key.access_key = event.access_key();
  key.sealed_secret = event.sealed_secret();
  key.access = event.access();
  key.bucket = event.bucket();
  key.description = event.description();
  key.created_at_ms = event.created_at_ms();
  if (key.access != v1::KeyCreated::READ_ONLY && key.access != v1::KeyCreated::READ_WRITE)
    return fail(Errc::unsupported, "an access that this build does not know");
  if (!state.keys.emplace(key.access_key, key).second)
    return does_not_apply("an access key was created twice");
  return {};
}

Result<void> key_disabled(ControlState& state, const v1::KeyDisabled& event) {
  auto key = state.keys.find(event.access_key());
  if (key == state.keys.end()) return does_not_apply("a key that is not there was disabled");
  key->second.disabled = true;
  return {};
}

Result<void> snapshot_taken(ControlState& state, const v1::SnapshotTaken& event) {
  if (!state.snapshots.empty() && state.snapshots.back().offset.value > event.offset())
    return does_not_apply("a snapshot older than the one before");
  state.snapshots.push_back(
      {Offset{event.offset()}, event.body(), event.size_bytes(), event.digest()});
  // The newest two are kept: a reader may still be loading the older one.
  if (state.snapshots.size() > 2) state.snapshots.erase(state.snapshots.begin());
  return {};
}

// Behind the last piece that begins at or below `offset`.
template <class Archived>
auto behind(Archived& archived, Offset offset) {
  return std::upper_bound(archived.begin(), archived.end(), offset,
                          [](Offset at, const auto& piece) { return at < piece->from; });
}

void count_archived(ControlState& state, const ArchivedLog& piece, bool added) {
  for (const v1::Extent& extent : piece.body.extents()) {
    const SetId set{extent.set()};
    uint64_t& bytes = state.archived_bytes[set];
    bytes = added ? bytes + extent.stored_bytes() : bytes - extent.stored_bytes();
    if (bytes == 0) state.archived_bytes.erase(set);
  }
}

Result<void> log_archived(ControlState& state, const v1::LogArchived& event) {
  if (event.from() >= event.to()) return does_not_apply("an archive of nothing");
  uint64_t left = event.to() - event.from();
  for (const v1::Extent& extent : event.body().extents()) {
    if (extent.stored_bytes() > left) return does_not_apply("an archive of another length");
    left -= extent.stored_bytes();
  }
  if (left > 0) return does_not_apply("an archive of another length");
  auto piece = std::make_shared<ArchivedLog>();
  *piece = {Offset{event.from()}, Offset{event.to()}, event.body()};
  auto next = behind(state.archived, piece->from);
  const auto before = next == state.archived.begin() ? state.archived.end() : std::prev(next);
  if (before != state.archived.end() && (*before)->from == piece->from) {
    if ((*before)->to != piece->to) return does_not_apply("an archive of another piece");
    count_archived(state, **before, false);
    count_archived(state, *piece, true);
    *before = std::move(piece);
    return {};
  }
  const bool overlaps = (before != state.archived.end() && piece->from < (*before)->to) ||
                        (next != state.archived.end() && (*next)->from < piece->to);
  if (overlaps) return does_not_apply("archives overlap");
  count_archived(state, *piece, true);
  state.archived.insert(next, std::move(piece));
  return {};
}

Result<void> log_archive_dropped(ControlState& state, const v1::LogArchiveDropped& event) {
  const auto next = behind(state.archived, Offset{event.from()});
  if (next == state.archived.begin() || (*std::prev(next))->from != Offset{event.from()})
    return does_not_apply("an archive that is not there was dropped");
  count_archived(state, **std::prev(next), false);
  state.archived.erase(std::prev(next));
  return {};
}

Result<void> apply_known(ControlState& state, Offset offset, const v1::Event& event) {
  switch (event.event_case()) {
    case v1::Event::kClusterCreated:
      return cluster_created(state, event.cluster_created());
    case v1::Event::kDriveAdded:
      return drive_added(state, event.drive_added());
    case v1::Event::kDriveRemoved:
      return drive_removed(state, event.drive_removed());
    case v1::Event::kSetOpened:
      return set_opened(state, event.set_opened());
    case v1::Event::kSetSealed:
      return set_sealed(state, event.set_sealed());
    case v1::Event::kSetMemberReplaced:
      return set_member_replaced(state, event.set_member_replaced());
    case v1::Event::kSetDropped:
      return set_dropped(state, event.set_dropped());
    case v1::Event::kBucketCreated:
      return bucket_created(state, offset, event.bucket_created());
    case v1::Event::kBucketDeleting:
      return bucket_deleting(state, offset, event.bucket_deleting());
    case v1::Event::kBucketDeleted:
      return bucket_deleted(state, event.bucket_deleted());
    case v1::Event::kBucketDeleteAbandoned:
      return bucket_delete_abandoned(state, event.bucket_delete_abandoned());
    case v1::Event::kKeyCreated:
      return key_created(state, event.key_created());
    case v1::Event::kKeyDisabled:
      return key_disabled(state, event.key_disabled());
    case v1::Event::kSnapshotTaken:
      return snapshot_taken(state, event.snapshot_taken());
    case v1::Event::kLogArchived:
      return log_archived(state, event.log_archived());
    case v1::Event::kLogArchiveDropped:
      return log_archive_dropped(state, event.log_archive_dropped());
    case v1::Event::EVENT_NOT_SET:
      return fail(Errc::unsupported, "unknown event: a newer build wrote this journal");
    default:
      return does_not_apply("an event of a data partition in control");
  }
}

}  // namespace

Result<void> apply(ControlState& state, Offset offset, const v1::Event& event) {
  if (Result<void> ok = apply_known(state, offset, event); !ok) return ok;
  state.applied = offset;
  return {};
}

std::shared_ptr<const ArchivedLog> ControlState::find_archived(Offset offset) const {
  const auto next = behind(archived, offset);
  if (next == archived.begin() || (*std::prev(next))->to <= offset) return nullptr;
  return *std::prev(next);
}

}  // namespace kura
