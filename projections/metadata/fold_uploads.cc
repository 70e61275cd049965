#include <algorithm>

#include "base/limits.h"
#include "projections/metadata/accounts.h"
#include "projections/metadata/fold_families.h"
#include "projections/metadata/rows.h"

namespace kura::fold {
namespace {

constexpr size_t kIdBytes = 16;

// The upload row of an event that needs the upload to be open.
Result<v1::Upload> open_upload(Place place, uint64_t bucket, const std::string& key,
                               const std::string& upload_id) {
  if (upload_id.size() != kIdBytes) return fail(Errc::corrupt, "upload id of another length");
  auto upload =
      get_message<v1::Upload>(place.rows, row::upload_key(BucketId{bucket}, key, upload_id));
  if (!upload) return fail(upload.error());
  if (!*upload) return fail(Errc::corrupt, "an event of an upload that is not open");
  return **upload;
}

Result<void> close_upload(Place place, BucketId bucket, const std::string& key,
                          const std::string& upload_id) {
  place.rows.remove(row::upload_key(bucket, key, upload_id));
  return change_counters(place.rows, place.partition, bucket, {.uploads = -1});
}

}  // namespace

Result<Outcome> upload_created(Place place, const v1::UploadCreated& event) {
  const std::string& id = event.upload().upload_id();
  if (id.size() != kIdBytes) return fail(Errc::corrupt, "upload id of another length");
  const BucketId bucket{event.bucket()};
  std::string row_key = row::upload_key(bucket, event.key(), id);
  Result<std::optional<std::string>> before = place.rows.get(row_key);
  if (!before) return fail(before.error());
  place.rows.put(std::move(row_key), event.upload().SerializeAsString());
  // One row, counted once, however often it is written.
  const CounterChange change{.uploads = *before ? 0 : +1};
  Result<void> ok = change_counters(place.rows, place.partition, bucket, change);
  if (!ok) return fail(ok.error());
  Outcome out;
  out.existed = before->has_value();
  out.modified_at_ms = event.upload().initiated_at_ms();
  out.offset = place.offset;
  return out;
}

Result<Outcome> part_committed(Place place, const v1::PartCommitted& event) {
  Result<v1::Upload> upload = open_upload(place, event.bucket(), event.key(), event.upload_id());
  if (!upload) return fail(upload.error());

  v1::Part part = event.part();
  if (part.body().has_journal())
    part.mutable_body()->mutable_journal()->set_offset(place.offset.value);
  std::string row_key = row::part_key(event.upload_id(), part.number());
  auto before = get_message<v1::Part>(place.rows, row_key);
  if (!before) return fail(before.error());
  if (*before) {
    Result<void> gone = remove_body(place.rows, place.partition, (*before)->body());
    if (!gone) return fail(gone.error());
  }
  const v1::ExtentRow owner =
      part_owner(BucketId{event.bucket()}, event.key(), event.upload_id(), part.number());
  if (Result<void> ok = add_body(place.rows, place.partition, owner, part.body()); !ok)
    return fail(ok.error());
  place.rows.put(std::move(row_key), part.SerializeAsString());

  Outcome out;
  out.existed = before->has_value();
  out.etag = etag_text(part.etag(), 0);
  out.modified_at_ms = part.modified_at_ms();
  out.size_bytes = part.size_bytes();
  out.checksum = part.checksum();
  out.offset = place.offset;
  return out;
}

Result<Outcome> upload_completed(Place place, const v1::UploadCompleted& event) {
  Result<v1::Upload> upload = open_upload(place, event.bucket(), event.key(), event.upload_id());
  if (!upload) return fail(upload.error());
  if (event.version().upload_id() != event.upload_id())
    return fail(Errc::corrupt, "a completed version names another upload");
  const std::vector<uint32_t> keep(event.part_numbers().begin(), event.part_numbers().end());
  if (Result<void> ok = remove_parts(place, event.upload_id(), keep); !ok) return fail(ok.error());
  const BucketId bucket{event.bucket()};
  if (Result<void> ok = close_upload(place, bucket, event.key(), event.upload_id()); !ok)
    return fail(ok.error());
  return make_current(place, bucket, event.key(), event.version());
}

Result<Outcome> upload_aborted(Place place, const v1::UploadAborted& event) {
  Result<v1::Upload> upload = open_upload(place, event.bucket(), event.key(), event.upload_id());
  if (!upload) return fail(upload.error());
  if (Result<void> ok = remove_parts(place, event.upload_id(), {}); !ok) return fail(ok.error());
  Result<void> ok = close_upload(place, BucketId{event.bucket()}, event.key(), event.upload_id());
  if (!ok) return fail(ok.error());
  Outcome out;
  out.existed = true;
  out.offset = place.offset;
  return out;
}

Result<void> remove_parts(Place place, std::string_view upload_id,
                          const std::vector<uint32_t>& keep) {
  if (upload_id.size() != kIdBytes) return fail(Errc::corrupt, "upload id of another length");
  Result<std::vector<Row>> parts = place.rows.scan(row::parts_prefix(upload_id), kPartNumberMax);
  if (!parts) return fail(parts.error());
  size_t kept = 0;
  for (Row& stored : *parts) {
    v1::Part part;
    if (!part.ParseFromString(stored.value)) return fail(Errc::corrupt, "part row does not parse");
    if (std::binary_search(keep.begin(), keep.end(), part.number())) {
      ++kept;
      continue;
    }
    if (Result<void> ok = remove_body(place.rows, place.partition, part.body()); !ok) return ok;
    place.rows.remove(std::move(stored.key));
  }
  if (kept != keep.size()) return fail(Errc::corrupt, "a completed upload lacks a part");
  return {};
}

}  // namespace kura::fold
