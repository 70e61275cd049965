#include "projections/metadata/accounts.h"
#include "projections/metadata/fold_families.h"
#include "projections/metadata/rows.h"

namespace kura::fold {
namespace {

// Everything that a version that is no longer kept leaves behind, but for its own row.
Result<void> forget_version(Place place, const v1::ObjectVersion& version) {
  if (Result<void> removed = remove_body(place.rows, place.partition, version.body()); !removed)
    return removed;
  if (version.upload_id().empty()) return {};
  return remove_parts(place, version.upload_id(), {});
}

CounterChange counted(const v1::ObjectVersion& version, int64_t sign) {
  return {.objects = version.delete_marker() ? 0 : sign,
          .versions = sign,
          .bytes = sign * static_cast<int64_t>(version.size_bytes())};
}

Outcome outcome_of(const v1::ObjectVersion& version, Offset offset, bool existed) {
  Outcome out;
  out.existed = existed;
  out.version_id = version.version_id();
  out.etag = etag_text(version.etag(), version.part_count());
  out.modified_at_ms = version.modified_at_ms();
  out.size_bytes = version.size_bytes();
  out.checksum = version.checksum();
  out.offset = offset;
  return out;
}

}  // namespace

Result<Outcome> put_committed(Place place, const v1::PutCommitted& event) {
  v1::ObjectVersion version = event.version();
  if (version.body().has_journal())
    version.mutable_body()->mutable_journal()->set_offset(place.offset.value);
  return make_current(place, BucketId{event.bucket()}, event.key(), std::move(version));
}

Result<Outcome> make_current(Place place, BucketId bucket, const std::string& key,
                             v1::ObjectVersion version) {
  // A version id or a marker says that a newer build keeps several versions of this key. Folding it
  // as a replacement would lose them.
  if (!version.version_id().empty() || version.delete_marker())
    return fail(Errc::unsupported, "versioned object");
  if (!version.upload_id().empty() && version.upload_id().size() != row::kUploadIdBytes)
    return fail(Errc::corrupt, "upload id of another length");
  if (version.size_bytes() > kCountedBytesMax) return fail(Errc::corrupt, "size of a version");

  std::string row_key = row::current_key(bucket, key);
  auto before = get_message<v1::ObjectVersion>(place.rows, row_key);
  if (!before) return fail(before.error());
  CounterChange change = counted(version, +1);
  if (*before) {
    if (Result<void> gone = forget_version(place, **before); !gone) return fail(gone.error());
    const CounterChange minus = counted(**before, -1);
    change.objects += minus.objects;
    change.versions += minus.versions;
    change.bytes += minus.bytes;
  }
  if (Result<void> ok = change_counters(place.rows, place.partition, bucket, change); !ok)
    return fail(ok.error());
  const v1::ExtentRow owner = version_owner(bucket, key, version.version_id());
  if (Result<void> ok = add_body(place.rows, place.partition, owner, version.body()); !ok)
    return fail(ok.error());

  version.set_sequence(place.offset.value);
  place.rows.put(std::move(row_key), version.SerializeAsString());
  return outcome_of(version, place.offset, before->has_value());
}

Result<Outcome> object_deleted(Place place, const v1::ObjectDeleted& event) {
  const BucketId bucket{event.bucket()};
  std::string row_key = row::current_key(bucket, event.key());
  auto before = get_message<v1::ObjectVersion>(place.rows, row_key);
  if (!before) return fail(before.error());
  if (!*before || (*before)->version_id() != event.version_id())
    return fail(Errc::corrupt, "a version that is not there was deleted");
  if (Result<void> gone = forget_version(place, **before); !gone) return fail(gone.error());
  Result<void> ok = change_counters(place.rows, place.partition, bucket, counted(**before, -1));
  if (!ok) return fail(ok.error());
  place.rows.remove(std::move(row_key));

  Outcome out;
  out.existed = true;
  out.version_id = event.version_id();
  out.offset = place.offset;
  return out;
}

}  // namespace kura::fold
