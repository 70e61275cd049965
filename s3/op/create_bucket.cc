// CreateBucket (S3 API). A bucket that is there already is 409 BucketAlreadyOwnedByYou in every
// region: the 200 of us-east-1 is a legacy that S3 itself advises against relying on.

#include <algorithm>
#include <string>

#include "s3/codec/encoding.h"
#include "s3/codec/xml_request.h"
#include "s3/op/answer.h"
#include "s3/op/bucket_name.h"
#include "s3/op/handlers.h"
#include "s3/op/object_info.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

bool is_region_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

// What the bucket keeps: empty for the server's own region.
S3Result<std::string> region_for(std::string constraint, const Settings& settings) {
  if (constraint.empty() || constraint == settings.region) return std::string();
  if (!is_region_name(constraint)) return s3_fail("InvalidLocationConstraint");
  if (settings.region_strict) {
    return s3_fail("IllegalLocationConstraintException",
                   "The " + constraint +
                       " location constraint is incompatible for the region "
                       "specific endpoint this request was sent to.");
  }
  return constraint;
}

S3Result<void> refuse_missing_bucket_features(const Request& request) {
  std::optional<std::string_view> lock = header_of(request, "x-amz-bucket-object-lock-enabled");
  if (lock && equal_ignoring_case(*lock, "true")) {
    return s3_fail("NotImplemented", "Object Lock is not implemented");
  }
  std::optional<std::string_view> ownership = header_of(request, "x-amz-object-ownership");
  if (ownership && *ownership != "BucketOwnerEnforced") {
    return s3_fail("NotImplemented", "Object ownership other than BucketOwnerEnforced");
  }
  return refuse_missing_features(request);
}

}  // namespace

Task<S3Result<Response>> create_bucket(Context& context, Request& request) {
  if (!is_bucket_name(request.bucket)) {
    S3Error error = s3_error("InvalidBucketName");
    error.details.emplace_back("BucketName", request.bucket);
    co_return s3_fail(std::move(error));
  }
  if (auto refused = refuse_missing_bucket_features(request); !refused) {
    co_return s3_fail(refused.error());
  }
  S3Result<std::string> document = co_await read_document(request);
  if (!document) co_return s3_fail(document.error());
  S3Result<std::string> constraint = parse_create_bucket(*document);
  if (!constraint) co_return s3_fail(constraint.error());
  S3Result<std::string> region = region_for(std::move(*constraint), context.settings);
  if (!region) co_return s3_fail(region.error());

  std::string name = request.bucket, owner = request.identity.access_key;
  Result<Bucket> bucket = co_await context.store.tenants.create_bucket(
      std::move(name), std::move(owner), std::move(*region));
  if (!bucket) {
    if (bucket.error().code == Errc::too_large) co_return s3_fail("TooManyBuckets");
    S3Error error = s3_error(bucket.error());
    error.details.emplace_back("BucketName", request.bucket);
    co_return s3_fail(std::move(error));
  }
  Response response = empty_answer(200);
  response.headers.add("location", "/" + request.bucket);
  co_return response;
}

}  // namespace kura::s3
