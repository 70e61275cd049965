#include "projections/metadata/view.h"

#include "projections/metadata/accounts.h"
#include "projections/metadata/overlay.h"
#include "projections/metadata/rows.h"

namespace kura {
namespace {

// Of numbers in all rows that start with `prefix`.
Result<uint64_t> sum_of(Kv& kv, const std::string& prefix) {
  KvRows rows(kv);
  Result<std::vector<Row>> stored = rows.scan(prefix, SIZE_MAX);
  if (!stored) return fail(stored.error());
  uint64_t out = 0;
  for (const Row& row : *stored) {
    Result<uint64_t> number = row::decode_u64(row.value);
    if (!number) return number;
    out += *number;
  }
  return out;
}

bool parse_version(std::string_view key, std::string_view value, LoggedBody* out) {
  constexpr size_t kPrefixBytes = 1 + sizeof(uint64_t);
  v1::ObjectVersion version;
  if (key.size() < kPrefixBytes ||
      !version.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return false;
  auto bucket = row::decode_u64(key.substr(1, sizeof(uint64_t)));
  if (!bucket) return false;
  out->owner.bucket = BucketId{*bucket};
  out->owner.key = key.substr(kPrefixBytes);
  out->owner.version_id = version.version_id();
  out->body = std::move(*version.mutable_body());
  return true;
}

bool parse_part(std::string_view value, LoggedBody* out) {
  v1::Part part;
  if (!part.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
  out->owner.part_number = part.number();
  out->body = std::move(*part.mutable_body());
  return true;
}

}  // namespace

Result<std::optional<v1::ObjectVersion>> MetadataView::current(BucketId bucket,
                                                               std::string_view key) const {
  KvRows rows(*kv_);
  auto version = get_message<v1::ObjectVersion>(rows, row::current_key(bucket, key));
  if (version && *version && (*version)->delete_marker()) return std::nullopt;
  return version;
}

Result<std::optional<v1::Upload>> MetadataView::upload(BucketId bucket, std::string_view key,
                                                       std::string_view upload_id) const {
  KvRows rows(*kv_);
  return get_message<v1::Upload>(rows, row::upload_key(bucket, key, upload_id));
}

Result<PartPage> MetadataView::parts(std::string_view upload_id, uint32_t after,
                                     uint32_t parts_max) const {
  PartPage page;
  // An id of another length comes from a client and names no upload.
  if (upload_id.size() != row::kUploadIdBytes || after == UINT32_MAX) return page;
  const std::string prefix = row::parts_prefix(upload_id);
  std::unique_ptr<KvIterator> it = kv_->iterate();
  it->seek(row::part_key(upload_id, after + 1));
  for (; it->valid() && it->key().starts_with(prefix); it->next()) {
    if (page.parts.size() == parts_max) {
      page.truncated = parts_max > 0;
      return page;
    }
    v1::Part& part = page.parts.emplace_back();
    if (!part.ParseFromArray(it->value().data(), static_cast<int>(it->value().size())))
      return fail(Errc::corrupt, "part row does not parse");
  }
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return page;
}

Result<BucketCounters> MetadataView::counters(BucketId bucket) const {
  KvRows rows(*kv_);
  Result<std::vector<Row>> stored = rows.scan(row::counters_prefix(bucket), SIZE_MAX);
  if (!stored) return fail(stored.error());
  BucketCounters out;
  for (const Row& row : *stored) {
    v1::CounterRow counters;
    if (!counters.ParseFromString(row.value))
      return fail(Errc::corrupt, "counter row does not parse");
    out.objects += counters.objects();
    out.versions += counters.versions();
    out.bytes += counters.bytes();
    out.uploads += counters.uploads();
  }
  return out;
}

Result<uint64_t> MetadataView::live_bytes(SetId set) const {
  return sum_of(*kv_, row::live_bytes_prefix(set));
}

Result<uint64_t> MetadataView::live_log_bytes(uint64_t piece) const {
  return sum_of(*kv_, row::log_bytes_prefix(piece));
}

Result<std::vector<LiveExtent>> MetadataView::extents_of(SetId set,
                                                         std::optional<ExtentCursor> after,
                                                         uint32_t extents_max) const {
  const std::string prefix = row::extents_prefix(set);
  std::unique_ptr<KvIterator> it = kv_->iterate();
  it->seek(after ? row::extent_key(set, after->offset_bytes, after->member) + '\0' : prefix);
  std::vector<LiveExtent> out;
  for (; it->valid() && it->key().starts_with(prefix) && out.size() < extents_max; it->next()) {
    Result<row::ExtentKey> key = row::parse_extent_key(it->key());
    if (!key) return fail(key.error());
    v1::ExtentRow row;
    if (!row.ParseFromArray(it->value().data(), static_cast<int>(it->value().size())))
      return fail(Errc::corrupt, "extent row does not parse");
    out.push_back({.offset_bytes = key->offset_bytes,
                   .member = key->member,
                   .stored_bytes = row.stored_bytes(),
                   .owner = {.bucket = BucketId{row.bucket()},
                             .key = row.key(),
                             .version_id = row.version_id(),
                             .upload_id = row.upload_id(),
                             .part_number = row.part_number()}});
  }
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  return out;
}

Result<LoggedPage> MetadataView::bodies_in_log(Offset from, Offset to, const std::string& after,
                                               uint32_t rows_max) const {
  static_assert(row::kPart == row::kCurrent + 1, "their rows are one range");
  LoggedPage page;
  std::unique_ptr<KvIterator> it = kv_->iterate();
  it->seek(after.empty() ? std::string(1, row::kCurrent) : after + '\0');
  for (uint32_t rows = 0; it->valid(); it->next()) {
    const std::string_view key = it->key();
    if (key[0] != row::kCurrent && key[0] != row::kPart) break;
    if (rows++ == rows_max) return page;
    page.next = key;
    LoggedBody found;
    const bool parsed = key[0] == row::kCurrent ? parse_version(key, it->value(), &found)
                                                : parse_part(it->value(), &found);
    if (!parsed) return fail(Errc::corrupt, "row does not parse");
    const Offset at{found.body.journal().offset()};
    if (found.body.has_journal() && from <= at && at < to) page.bodies.push_back(std::move(found));
  }
  if (Result<void> outcome = it->outcome(); !outcome) return fail(outcome.error());
  page.next.clear();
  return page;
}

Result<std::optional<v1::Body>> MetadataView::body_of(const BodyOwner& owner) const {
  KvRows rows(*kv_);
  if (owner.upload_id.empty()) {
    auto version = get_message<v1::ObjectVersion>(rows, row::current_key(owner.bucket, owner.key));
    if (!version) return fail(version.error());
    if (!*version || (*version)->version_id() != owner.version_id) return std::nullopt;
    return (*version)->body();
  }
  if (owner.upload_id.size() != row::kUploadIdBytes) return std::nullopt;
  auto part = get_message<v1::Part>(rows, row::part_key(owner.upload_id, owner.part_number));
  if (!part) return fail(part.error());
  if (!*part) return std::nullopt;
  return (*part)->body();
}

Result<bool> MetadataView::journal_body_is_live(const BodyOwner& owner, Offset offset) const {
  Result<std::optional<v1::Body>> body = body_of(owner);
  if (!body) return fail(body.error());
  return body->has_value() && (*body)->has_journal() && (*body)->journal().offset() == offset.value;
}

}  // namespace kura
