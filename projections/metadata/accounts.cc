#include "projections/metadata/accounts.h"

#include <algorithm>

#include "projections/metadata/rows.h"

namespace kura {
namespace {

Result<uint64_t> plus(uint64_t value, int64_t change) {
  if (change < 0 && value < static_cast<uint64_t>(-change))
    return fail(Errc::corrupt, "a counter of the view would be negative");
  return value + static_cast<uint64_t>(change);
}

Result<uint64_t> number_at(Rows& rows, const std::string& key) {
  Result<std::optional<std::string>> value = rows.get(key);
  if (!value) return fail(value.error());
  return *value ? row::decode_u64(**value) : Result<uint64_t>(0);
}

void put_number(Rows& rows, std::string key, uint64_t number) {
  if (number == 0)
    rows.remove(std::move(key));
  else
    rows.put(std::move(key), row::encode_u64(number));
}

Result<void> change_live_bytes(Rows& rows, PartitionId partition, SetId set, int64_t change) {
  std::string key = row::live_bytes_key(set, partition);
  Result<uint64_t> before = number_at(rows, key);
  if (!before) return fail(before.error());
  Result<uint64_t> after = plus(*before, change);
  if (!after) return fail(after.error());
  put_number(rows, std::move(key), *after);
  return {};
}

// At decide time no offset is known, and nobody asks.
Result<void> change_log_bytes(Rows& rows, PartitionId partition, const v1::Body& body, int sign) {
  if (!body.has_journal() || body.journal().offset() == 0) return {};
  std::string key = row::log_bytes_key(log_piece(Offset{body.journal().offset()}), partition);
  Result<uint64_t> before = number_at(rows, key);
  if (!before) return fail(before.error());
  const uint64_t bytes = body.journal().length();
  const uint64_t after = sign > 0 ? *before + bytes : *before - std::min(*before, bytes);
  put_number(rows, std::move(key), after);
  return {};
}

}  // namespace

Result<void> change_counters(Rows& rows, PartitionId partition, BucketId bucket,
                             const CounterChange& change) {
  std::string key = row::counters_key(bucket, partition);
  Result<std::optional<v1::CounterRow>> before = get_message<v1::CounterRow>(rows, key);
  if (!before) return fail(before.error());
  v1::CounterRow counters = before->value_or(v1::CounterRow());

  Result<uint64_t> objects = plus(counters.objects(), change.objects);
  Result<uint64_t> versions = plus(counters.versions(), change.versions);
  Result<uint64_t> bytes = plus(counters.bytes(), change.bytes);
  Result<uint64_t> uploads = plus(counters.uploads(), change.uploads);
  for (const Result<uint64_t>* value : {&objects, &versions, &bytes, &uploads})
    if (!*value) return fail(value->error());
  counters.set_objects(*objects);
  counters.set_versions(*versions);
  counters.set_bytes(*bytes);
  counters.set_uploads(*uploads);

  // All fields are numbers, so nothing to say means that all are zero.
  if (counters.ByteSizeLong() == 0)
    rows.remove(std::move(key));
  else
    rows.put(std::move(key), counters.SerializeAsString());
  return {};
}

Result<void> add_body(Rows& rows, PartitionId partition, const v1::ExtentRow& owner,
                      const v1::Body& body) {
  for (const v1::Extent& extent : body.extents()) {
    if (extent.stored_bytes() > kCountedBytesMax) return fail(Errc::corrupt, "size of an extent");
    const SetId set{extent.set()};
    std::string key = row::extent_key(set, extent.offset(), extent.member());
    Result<std::optional<std::string>> before = rows.get(key);
    if (!before) return fail(before.error());
    if (*before) return fail(Errc::corrupt, "an extent has two owners");
    v1::ExtentRow value = owner;
    value.set_stored_bytes(extent.stored_bytes());
    rows.put(std::move(key), value.SerializeAsString());
    Result<void> counted =
        change_live_bytes(rows, partition, set, static_cast<int64_t>(extent.stored_bytes()));
    if (!counted) return counted;
  }
  return change_log_bytes(rows, partition, body, +1);
}

Result<void> remove_body(Rows& rows, PartitionId partition, const v1::Body& body) {
  for (const v1::Extent& extent : body.extents()) {
    const SetId set{extent.set()};
    rows.remove(row::extent_key(set, extent.offset(), extent.member()));
    Result<void> counted =
        change_live_bytes(rows, partition, set, -static_cast<int64_t>(extent.stored_bytes()));
    if (!counted) return counted;
  }
  return change_log_bytes(rows, partition, body, -1);
}

v1::ExtentRow version_owner(BucketId bucket, std::string_view key, std::string_view version_id) {
  v1::ExtentRow owner;
  owner.set_bucket(bucket.value);
  owner.set_key(std::string(key));
  owner.set_version_id(std::string(version_id));
  return owner;
}

v1::ExtentRow part_owner(BucketId bucket, std::string_view key, std::string_view upload_id,
                         uint32_t number) {
  v1::ExtentRow owner;
  owner.set_bucket(bucket.value);
  owner.set_key(std::string(key));
  owner.set_upload_id(std::string(upload_id));
  owner.set_part_number(number);
  return owner;
}

bool same_body(const v1::Body& a, const v1::Body& b) {
  if (a.has_journal() && b.has_journal())
    return a.journal().offset() == b.journal().offset() &&
           a.journal().length() == b.journal().length() &&
           a.journal().crc32c() == b.journal().crc32c();
  // Bodies have no maps, so equal messages have equal bytes.
  return a.SerializeAsString() == b.SerializeAsString();
}

}  // namespace kura
