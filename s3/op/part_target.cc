#include "s3/op/part_target.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/op/lookup.h"
#include "s3/op/params.h"

namespace kura::s3 {

S3Result<PartTarget> part_target_of(const Context& context, const Request& request) {
  if (!request.query.has("uploadId") || !request.query.has("partNumber")) {
    return s3_fail("InvalidRequest", "A part needs both uploadId and partNumber");
  }
  std::string_view text = request.query.get("partNumber");
  std::optional<uint64_t> number = parse_decimal(text);
  if (!number || *number == 0 || *number > kPartNumberMax) {
    return s3_fail(invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                                    "partNumber", text));
  }
  S3Result<std::string> upload_id = upload_id_of(request);
  if (!upload_id) return s3_fail(upload_id.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) return s3_fail(bucket.error());
  Result<std::optional<v1::Upload>> upload =
      context.store.view.upload(bucket->id, request.key, *upload_id);
  if (!upload) return s3_fail(upload.error());
  if (!*upload) return s3_fail(no_such_upload(request.query.get("uploadId")));
  return PartTarget{bucket->id, std::move(*upload_id), static_cast<uint32_t>(*number),
                    std::move(**upload)};
}

}  // namespace kura::s3
