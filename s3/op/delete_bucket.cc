// DeleteBucket (S3 API).

#include <string>

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {

Task<S3Result<Response>> delete_bucket(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  std::string name = request.bucket;
  Result<void> deleted = co_await context.store.tenants.delete_bucket(std::move(name));
  if (!deleted) {
    S3Error error = s3_error(deleted.error());
    error.details.emplace_back("BucketName", request.bucket);
    co_return s3_fail(std::move(error));
  }
  co_return empty_answer(204);
}

}  // namespace kura::s3
