// Settings of a bucket that nobody can change yet and for which S3 answers with a document rather
// than an error: the document of a bucket that was never configured.

#include "s3/op/acl_document.h"
#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {
namespace {

S3Result<Response> empty_document(const Context& context, const Request& request,
                                  std::string_view root) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) return s3_fail(bucket.error());
  return xml_answer(XmlWriter(root));
}

}  // namespace

Task<S3Result<Response>> get_bucket_acl(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  co_return xml_answer(owner_acl(context.store));
}

Task<S3Result<Response>> get_bucket_versioning(Context& context, Request& request) {
  co_return empty_document(context, request, "VersioningConfiguration");
}

Task<S3Result<Response>> get_bucket_accelerate(Context& context, Request& request) {
  co_return empty_document(context, request, "AccelerateConfiguration");
}

Task<S3Result<Response>> get_bucket_logging(Context& context, Request& request) {
  co_return empty_document(context, request, "BucketLoggingStatus");
}

Task<S3Result<Response>> get_bucket_notification(Context& context, Request& request) {
  co_return empty_document(context, request, "NotificationConfiguration");
}

Task<S3Result<Response>> get_bucket_request_payment(Context& context, Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  XmlWriter xml("RequestPaymentConfiguration");
  xml.text("Payer", "BucketOwner");
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
