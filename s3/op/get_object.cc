// GetObject (S3 API).

#include <utility>

#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/read_plan.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {

Task<S3Result<Response>> get_object(Context& context, Request& request) {
  for (Lookups lookups;;) {
    S3Result<ReadPlan> plan = plan_read(context, request);
    if (!plan) co_return s3_fail(plan.error());
    Response response = std::move(plan->response);
    if (plan->range.length_bytes == 0) co_return response;
    Result<std::unique_ptr<ResponseBody>> body =
        co_await open_version(context.store, std::move(plan->version), plan->range);
    if (!body && lookups.again(body.error())) continue;
    if (!body) co_return s3_fail(body.error());
    response.stream = std::move(*body);
    response.stream_bytes = plan->range.length_bytes;
    co_return response;
  }
}

}  // namespace kura::s3
