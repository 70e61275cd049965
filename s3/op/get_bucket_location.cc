// GetBucketLocation (S3 API): us-east-1 is an empty LocationConstraint.

#include <string>

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {

Task<S3Result<Response>> get_bucket_location(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  std::string region = region_of(*bucket, context.settings);
  // The root element is the value.
  std::string document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"";
  document += kS3Namespace;
  document += "\">";
  if (region != "us-east-1") append_xml_escaped(&document, region);
  document += "</LocationConstraint>";
  Response response;
  response.headers.add("content-type", "application/xml");
  response.body = std::move(document);
  co_return response;
}

}  // namespace kura::s3
