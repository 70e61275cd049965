#include "projections/control/control_rows.h"

#include "control_rows.pb.h"

namespace kura {
namespace {

enum Piece : char {
  kArchivePiece = 'a',
  kBucketPiece = 'b',
  kClusterPiece = 'c',
  kDrivePiece = 'd',
  kKeyPiece = 'k',
  kSnapshotsPiece = 'n',
  kSetPiece = 's',
};

std::string key_of(Piece piece, std::string_view id = {}) {
  return std::string{kControlRowPrefix, static_cast<char>(piece)}.append(id);
}

template <class Number>
std::string big_endian(Number value) {
  std::string out(sizeof(Number), '\0');
  for (size_t i = sizeof(Number); i-- > 0; value >>= 8) out[i] = static_cast<char>(value);
  return out;
}

uint64_t from_big_endian(std::string_view bytes) {
  uint64_t out = 0;
  for (char c : bytes) out = out << 8 | static_cast<uint8_t>(c);
  return out;
}

std::string bucket_key(uint64_t id) { return key_of(kBucketPiece, big_endian(id)); }
std::string set_key(uint32_t id) { return key_of(kSetPiece, big_endian(id)); }
std::string archive_key(Offset from) { return key_of(kArchivePiece, big_endian(from.value)); }

std::string encode_cluster(const ControlState& state) {
  v1::ControlClusterRow row;
  row.set_cluster_id(std::string(state.cluster.view()));
  row.set_applied(state.applied.value);
  row.set_next_set(state.next_set);
  return row.SerializeAsString();
}

std::string encode(const Bucket& bucket) {
  v1::ControlBucketRow row;
  row.set_name(bucket.name);
  row.set_owner(bucket.owner);
  row.set_region(bucket.region);
  row.set_created_at_ms(bucket.created_at_ms);
  // An operation is never at offset 0: the bucket's own creation lies before it.
  if (bucket.deleting) row.set_deleting(bucket.deleting->value);
  return row.SerializeAsString();
}

std::string encode(const SegmentSet& set) {
  v1::ControlSetRow row;
  row.set_data_shards(set.data_shards);
  row.set_parity_shards(set.parity_shards);
  for (const DriveId& id : set.members) row.add_drive_ids(std::string(id.view()));
  row.set_member_bytes(set.member_bytes);
  row.set_sealed(set.sealed_bytes.has_value());
  row.set_sealed_bytes(set.sealed_bytes.value_or(0));
  if (!set.incarnation.is_nil()) row.set_incarnation(std::string(set.incarnation.view()));
  return row.SerializeAsString();
}

std::string encode_drive(const std::string& label) {
  v1::ControlDriveRow row;
  row.set_label(label);
  return row.SerializeAsString();
}

std::string encode(const AccessKey& key) {
  v1::ControlKeyRow row;
  row.set_sealed_secret(key.sealed_secret);
  row.set_access(key.access);
  row.set_bucket(key.bucket);
  row.set_description(key.description);
  row.set_created_at_ms(key.created_at_ms);
  row.set_disabled(key.disabled);
  return row.SerializeAsString();
}

std::string encode(const std::vector<Snapshot>& snapshots) {
  v1::ControlSnapshotsRow row;
  for (const Snapshot& snapshot : snapshots) {
    auto& out = *row.add_snapshots();
    out.set_offset(snapshot.offset.value);
    *out.mutable_body() = snapshot.body;
    out.set_size_bytes(snapshot.size_bytes);
    out.set_digest(snapshot.digest);
  }
  return row.SerializeAsString();
}

std::string encode(const ArchivedLog& piece) {
  v1::ControlArchiveRow row;
  row.set_to(piece.to.value);
  *row.mutable_body() = piece.body;
  return row.SerializeAsString();
}

// Restores one piece. False: the row is none.
bool load_cluster(ControlState& state, std::string_view, const std::string& value) {
  v1::ControlClusterRow row;
  if (!row.ParseFromString(value) || row.cluster_id().size() != 16) return false;
  state.cluster = uuid_from<ClusterId>(row.cluster_id());
  state.applied = Offset{row.applied()};
  state.next_set = row.next_set();
  return true;
}

bool load_bucket(ControlState& state, std::string_view id, const std::string& value) {
  v1::ControlBucketRow row;
  if (!row.ParseFromString(value) || id.size() != 8) return false;
  Bucket bucket;
  bucket.id = BucketId{from_big_endian(id)};
  bucket.name = row.name();
  bucket.owner = row.owner();
  bucket.region = row.region();
  bucket.created_at_ms = row.created_at_ms();
  if (row.deleting() != 0) bucket.deleting = Offset{row.deleting()};
  state.bucket_names.emplace(bucket.id, bucket.name);
  return state.buckets.emplace(bucket.name, bucket).second;
}

bool load_set(ControlState& state, std::string_view id, const std::string& value) {
  v1::ControlSetRow row;
  if (!row.ParseFromString(value) || id.size() != 4) return false;
  SegmentSet set;
  set.id = SetId{static_cast<uint32_t>(from_big_endian(id))};
  set.data_shards = row.data_shards();
  set.parity_shards = row.parity_shards();
  for (const std::string& drive : row.drive_ids()) {
    if (drive.size() != 16) return false;
    set.members.push_back(uuid_from<DriveId>(drive));
  }
  set.member_bytes = row.member_bytes();
  if (row.sealed()) set.sealed_bytes = row.sealed_bytes();
  if (!row.incarnation().empty() && row.incarnation().size() != 16) return false;
  if (!row.incarnation().empty()) set.incarnation = uuid_from<WriterId>(row.incarnation());
  return state.sets.emplace(set.id, std::move(set)).second;
}

bool load_drive(ControlState& state, std::string_view id, const std::string& value) {
  v1::ControlDriveRow row;
  if (!row.ParseFromString(value) || id.size() != 16) return false;
  return state.drives.emplace(uuid_from<DriveId>(id), row.label()).second;
}

bool load_key(ControlState& state, std::string_view id, const std::string& value) {
  v1::ControlKeyRow row;
  if (!row.ParseFromString(value)) return false;
  AccessKey key;
  key.access_key = std::string(id);
  key.sealed_secret = row.sealed_secret();
  key.access = static_cast<v1::KeyCreated::Access>(row.access());
  key.bucket = row.bucket();
  key.description = row.description();
  key.created_at_ms = row.created_at_ms();
  key.disabled = row.disabled();
  return state.keys.emplace(key.access_key, key).second;
}

bool load_snapshots(ControlState& state, std::string_view, const std::string& value) {
  v1::ControlSnapshotsRow row;
  if (!row.ParseFromString(value)) return false;
  for (const auto& snapshot : row.snapshots())
    state.snapshots.push_back(
        {Offset{snapshot.offset()}, snapshot.body(), snapshot.size_bytes(), snapshot.digest()});
  return true;
}

// By the rule that folded it, which keeps what is counted with it.
bool load_archive(ControlState& state, std::string_view id, const std::string& value) {
  v1::ControlArchiveRow row;
  if (!row.ParseFromString(value) || id.size() != 8) return false;
  v1::Event event;
  v1::LogArchived& archived = *event.mutable_log_archived();
  archived.set_from(from_big_endian(id));
  archived.set_to(row.to());
  *archived.mutable_body() = std::move(*row.mutable_body());
  return apply(state, state.applied, event).has_value();
}

}  // namespace

bool is_control_position(std::string_view key) {
  return key == key_of(kClusterPiece) || key == key_of(kSnapshotsPiece) ||
         key.starts_with(key_of(kSetPiece));
}

std::vector<ControlRow> control_rows(const ControlState& state) {
  std::vector<ControlRow> out;
  for (const auto& piece : state.archived)
    out.emplace_back(archive_key(piece->from), encode(*piece));
  for (const auto& [id, name] : state.bucket_names)
    out.emplace_back(bucket_key(id.value), encode(state.buckets.at(name)));
  out.emplace_back(key_of(kClusterPiece), encode_cluster(state));
  for (const auto& [id, label] : state.drives)
    out.emplace_back(key_of(kDrivePiece, id.view()), encode_drive(label));
  for (const auto& [name, key] : state.keys) out.emplace_back(key_of(kKeyPiece, name), encode(key));
  if (!state.snapshots.empty()) out.emplace_back(key_of(kSnapshotsPiece), encode(state.snapshots));
  for (const auto& [id, set] : state.sets) out.emplace_back(set_key(id.value), encode(set));
  return out;
}

void put_control_changes(const ControlState& state, const v1::Event& event, KvBatch& batch) {
  auto put_bucket = [&](uint64_t id) {
    auto name = state.bucket_names.find(BucketId{id});
    if (name == state.bucket_names.end())
      batch.remove(bucket_key(id));
    else
      batch.put(bucket_key(id), encode(state.buckets.at(name->second)));
  };
  auto put_set = [&](uint32_t id) {
    auto set = state.sets.find(SetId{id});
    if (set == state.sets.end())
      batch.remove(set_key(id));
    else
      batch.put(set_key(id), encode(set->second));
  };
  auto put_key = [&](const std::string& name) {
    batch.put(key_of(kKeyPiece, name), encode(state.keys.at(name)));
  };

  auto put_archive = [&](Offset from) {
    auto piece = state.find_archived(from);
    if (piece)
      batch.put(archive_key(from), encode(*piece));
    else
      batch.remove(archive_key(from));
  };

  batch.put(key_of(kClusterPiece), encode_cluster(state));
  switch (event.event_case()) {
    case v1::Event::kDriveAdded:
      return batch.put(key_of(kDrivePiece, event.drive_added().drive_id()),
                       encode_drive(event.drive_added().label()));
    case v1::Event::kDriveRemoved:
      return batch.remove(key_of(kDrivePiece, event.drive_removed().drive_id()));
    case v1::Event::kSetOpened:
      return put_set(event.set_opened().set());
    case v1::Event::kSetSealed:
      return put_set(event.set_sealed().set());
    case v1::Event::kSetMemberReplaced:
      return put_set(event.set_member_replaced().set());
    case v1::Event::kSetDropped:
      return put_set(event.set_dropped().set());
    case v1::Event::kBucketCreated:
      return put_bucket(state.applied.value);
    case v1::Event::kBucketDeleting:
      return put_bucket(event.bucket_deleting().bucket());
    case v1::Event::kBucketDeleted:
      return put_bucket(event.bucket_deleted().bucket());
    case v1::Event::kBucketDeleteAbandoned:
      return put_bucket(event.bucket_delete_abandoned().bucket());
    case v1::Event::kKeyCreated:
      return put_key(event.key_created().access_key());
    case v1::Event::kKeyDisabled:
      return put_key(event.key_disabled().access_key());
    case v1::Event::kSnapshotTaken:
      return batch.put(key_of(kSnapshotsPiece), encode(state.snapshots));
    case v1::Event::kLogArchived:
      return put_archive(Offset{event.log_archived().from()});
    case v1::Event::kLogArchiveDropped:
      return put_archive(Offset{event.log_archive_dropped().from()});
    default:
      return;  // The cluster row says it all.
  }
}

Result<ControlState> load_control(const std::vector<ControlRow>& rows) {
  ControlState state;
  for (const auto& [key, value] : rows) {
    if (key.size() < 2 || key[0] != kControlRowPrefix)
      return fail(Errc::corrupt, "a row that is none of control's");
    const std::string_view id = std::string_view(key).substr(2);
    const bool loaded = key[1] == kClusterPiece     ? load_cluster(state, id, value)
                        : key[1] == kArchivePiece   ? load_archive(state, id, value)
                        : key[1] == kBucketPiece    ? load_bucket(state, id, value)
                        : key[1] == kSetPiece       ? load_set(state, id, value)
                        : key[1] == kDrivePiece     ? load_drive(state, id, value)
                        : key[1] == kKeyPiece       ? load_key(state, id, value)
                        : key[1] == kSnapshotsPiece ? load_snapshots(state, id, value)
                                                    : false;
    if (!loaded) return fail(Errc::corrupt, "control row does not parse");
  }
  return state;
}

Result<ControlState> load_control(Kv& kv) {
  std::vector<ControlRow> rows;
  std::unique_ptr<KvIterator> it = kv.iterate();
  const std::string prefix(1, kControlRowPrefix);
  for (it->seek(prefix); it->valid() && it->key().starts_with(prefix); it->next())
    rows.emplace_back(it->key(), it->value());
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return load_control(rows);
}

}  // namespace kura
