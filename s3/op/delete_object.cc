// DeleteObject (S3 API): 204 whether there was an object or not.

#include <utility>

#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/conditions.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {

Task<S3Result<Response>> delete_object(Context& context, Request& request) {
  S3Result<WriteConditions> conditions = delete_conditions(request.head.headers);
  if (!conditions) co_return s3_fail(conditions.error());
  const std::string* version_id = version_id_of(request.query);
  if (auto valid = check_version_id(version_id); !valid) co_return s3_fail(valid.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  DeleteObject action;
  if (version_id != nullptr) action.version_id = *version_id;
  action.conditions = std::move(*conditions);
  Command command = make_command(request, bucket->id, std::move(action), "");
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  if (!outcome) co_return s3_fail(outcome.error());
  Response response = empty_answer(204);
  if (version_id != nullptr) response.headers.add("x-amz-version-id", *version_id);
  co_return response;
}

}  // namespace kura::s3
