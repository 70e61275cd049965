// HeadObject (S3 API): GetObject without the body.

#include <utility>

#include "s3/op/handlers.h"
#include "s3/op/read_plan.h"

namespace kura::s3 {

Task<S3Result<Response>> head_object(Context& context, Request& request) {
  S3Result<ReadPlan> plan = plan_read(context, request);
  if (!plan) co_return s3_fail(plan.error());
  Response response = std::move(plan->response);
  response.head_only = true;
  response.stream_bytes = plan->range.length_bytes;
  co_return response;
}

}  // namespace kura::s3
