#include "s3/op/source_object.h"

#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/op/access.h"
#include "s3/op/conditions.h"
#include "s3/op/etag.h"
#include "s3/op/lookup.h"
#include "s3/op/params.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kRangeHeader = "x-amz-copy-source-range";

// The version as it is now, and which bytes of it are wanted.
S3Result<SourceObject> find_source(const Context& context, const Request& request,
                                   const CopySource& name, bool ranged) {
  S3Result<Bucket> bucket = find_bucket(context, name.bucket);
  if (!bucket) return s3_fail(bucket.error());
  const std::string* version_id = name.version_id ? &*name.version_id : nullptr;
  S3Result<v1::ObjectVersion> version = find_object(context, bucket->id, name.key, version_id);
  if (!version) return s3_fail(version.error());

  ReadConditions conditions = read_conditions(request.head.headers, "x-amz-copy-source-");
  if (judge(conditions, etag_of(*version), version->modified_at_ms()) != Verdict::proceed) {
    return s3_fail("PreconditionFailed");
  }
  ByteRange range{0, version->size_bytes()};
  if (ranged && request.head.headers.has(kRangeHeader)) {
    S3Result<ByteRange> asked =
        parse_source_range(request.head.headers.get(kRangeHeader), version->size_bytes());
    if (!asked) return s3_fail(asked.error());
    range = *asked;
  }
  if (range.length_bytes > kPutBytesMax) {
    return s3_fail("InvalidRequest",
                   "The specified copy source is larger than the maximum allowable size for a "
                   "copy source: " +
                       std::to_string(kPutBytesMax));
  }
  return SourceObject{name, std::move(*version), range, nullptr};
}

}  // namespace

Task<S3Result<SourceObject>> open_source(Context& context, Request& request, bool ranged,
                                         SourceCheck check) {
  S3Result<CopySource> name = parse_copy_source(request.head.headers.get("x-amz-copy-source"));
  if (!name) co_return s3_fail(name.error());
  // The route's permission is about the destination.
  if (!is_allowed(request.identity, Access::read, name->bucket)) co_return s3_fail("AccessDenied");
  for (Lookups lookups;;) {
    S3Result<SourceObject> source = find_source(context, request, *name, ranged);
    if (!source) co_return s3_fail(source.error());
    if (auto fine = check(request, *name, source->version); !fine) co_return s3_fail(fine.error());
    Result<std::unique_ptr<ResponseBody>> bytes =
        co_await open_version(context.store, source->version, source->range);
    if (!bytes && lookups.again(bytes.error())) continue;
    if (!bytes) co_return s3_fail(bytes.error());
    source->bytes = std::move(*bytes);
    co_return std::move(*source);
  }
}

S3Result<ByteRange> parse_source_range(std::string_view text, uint64_t size_bytes) {
  constexpr std::string_view kUnit = "bytes=";
  size_t dash = text.find('-');
  std::optional<uint64_t> first, last;
  if (text.starts_with(kUnit) && dash != std::string_view::npos) {
    first = parse_decimal(text.substr(kUnit.size(), dash - kUnit.size()));
    last = parse_decimal(text.substr(dash + 1));
  }
  if (!first || !last || *last < *first) {
    return s3_fail(invalid_argument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        kRangeHeader, text));
  }
  if (*last >= size_bytes) {
    return s3_fail(invalid_argument(
        "Range specified is not valid for source object of size: " + std::to_string(size_bytes),
        kRangeHeader, text));
  }
  return ByteRange{*first, *last - *first + 1};
}

}  // namespace kura::s3
