// AbortMultipartUpload (S3 API).

#include <string>
#include <utility>

#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {

Task<S3Result<Response>> abort_multipart_upload(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<std::string> upload_id = upload_id_of(request);
  if (!upload_id) co_return s3_fail(upload_id.error());
  AbortUpload abort{std::move(*upload_id)};
  Command command = make_command(request, bucket->id, std::move(abort), "");
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  if (!outcome) co_return s3_fail(outcome.error());
  co_return empty_answer(204);
}

}  // namespace kura::s3
