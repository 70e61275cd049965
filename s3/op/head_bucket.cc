// HeadBucket (S3 API).

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {

Task<S3Result<Response>> head_bucket(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  Response response = empty_answer(200);
  response.headers.add("x-amz-bucket-region", region_of(*bucket, context.settings));
  response.headers.add("x-amz-access-point-alias", "false");
  response.headers.add("content-type", "application/xml");
  co_return response;
}

}  // namespace kura::s3
