#include "s3/op/lookup.h"

#include <utility>

#include "base/limits.h"
#include "projections/metadata/rows.h"
#include "s3/codec/encoding.h"
#include "s3/op/params.h"

namespace kura::s3 {

S3Result<Bucket> find_bucket(const Context& context, std::string_view name) {
  std::shared_ptr<const ControlState> state = context.store.tenants.state();
  const Bucket* bucket = state->find_bucket(std::string(name));
  if (bucket != nullptr) return *bucket;
  S3Error error = s3_error("NoSuchBucket");
  error.details.emplace_back("BucketName", name);
  return s3_fail(std::move(error));
}

std::string region_of(const Bucket& bucket, const Settings& settings) {
  return bucket.region.empty() ? settings.region : bucket.region;
}

S3Result<void> check_version_id(const std::string* version_id) {
  if (version_id == nullptr || *version_id == "null") return {};
  if (version_id->empty())
    return s3_fail(invalid_argument("Version id cannot be the empty string", "versionId", ""));
  const bool digits = version_id->find_first_not_of("0123456789abcdef") == std::string::npos;
  if (version_id->size() == 32 && digits) return {};
  return s3_fail(invalid_argument("Invalid version id specified", "versionId", *version_id));
}

S3Result<v1::ObjectVersion> find_object(const Context& context, BucketId bucket,
                                        std::string_view key, const std::string* version_id) {
  if (auto valid = check_version_id(version_id); !valid) return s3_fail(valid.error());
  if (version_id != nullptr && *version_id != "null") {
    S3Error error = s3_error("NoSuchVersion");
    error.details.emplace_back("Key", key);
    error.details.emplace_back("VersionId", *version_id);
    return s3_fail(std::move(error));
  }
  Result<std::optional<v1::ObjectVersion>> version = context.store.view.current(bucket, key);
  if (!version) return s3_fail(version.error());
  if (*version) return std::move(**version);
  S3Error error = s3_error("NoSuchKey");
  error.details.emplace_back("Key", key);
  return s3_fail(std::move(error));
}

const std::string* version_id_of(const Query& query) {
  for (const auto& [name, value] : query.all())
    if (name == "versionId") return &value;
  return nullptr;
}

S3Error no_such_upload(std::string_view upload_id) {
  S3Error error = s3_error("NoSuchUpload");
  error.details.emplace_back("UploadId", upload_id);
  return error;
}

std::optional<std::string> parse_upload_id(std::string_view text) {
  if (text.size() != 2 * row::kUploadIdBytes) return std::nullopt;
  return hex_decode(text);
}

S3Result<std::string> upload_id_of(const Request& request) {
  std::string_view text = request.query.get("uploadId");
  std::optional<std::string> id = parse_upload_id(text);
  if (!id) return s3_fail(no_such_upload(text));
  return std::move(*id);
}

Result<std::vector<v1::Part>> parts_of(const MetadataView& view, const v1::ObjectVersion& version) {
  std::vector<v1::Part> parts;
  uint64_t size_bytes = 0;
  for (bool more = version.part_count() > 0; more;) {
    const uint32_t after = parts.empty() ? 0 : parts.back().number();
    Result<PartPage> page = view.parts(version.upload_id(), after, kListKeysMax);
    if (!page) return fail(page.error());
    for (v1::Part& part : page->parts) {
      size_bytes += part.size_bytes();
      parts.push_back(std::move(part));
    }
    more = page->truncated;
  }
  const bool all =
      parts.size() == version.part_count() && (parts.empty() || size_bytes == version.size_bytes());
  if (!all) return fail(Errc::not_found, "the parts are no longer those of the version");
  return parts;
}

S3Result<ObjectParts> find_object_parts(
    const Context& context, BucketId bucket, std::string_view key, const std::string* version_id,
    const std::function<bool(const v1::ObjectVersion&)>& wants_parts) {
  for (Lookups lookups;;) {
    S3Result<v1::ObjectVersion> version = find_object(context, bucket, key, version_id);
    if (!version) return s3_fail(version.error());
    if (!wants_parts(*version)) return ObjectParts{std::move(*version), {}};
    Result<std::vector<v1::Part>> parts = parts_of(context.store.view, *version);
    if (!parts && lookups.again(parts.error())) continue;
    if (!parts) return s3_fail(parts.error());
    return ObjectParts{std::move(*version), std::move(*parts)};
  }
}

}  // namespace kura::s3
