// Settings of an object that nobody can change yet: what S3 answers for an object without them.

#include "s3/op/acl_document.h"
#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {
namespace {

S3Result<void> object_exists(const Context& context, const Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) return s3_fail(bucket.error());
  S3Result<v1::ObjectVersion> version =
      find_object(context, bucket->id, request.key, version_id_of(request.query));
  if (!version) return s3_fail(version.error());
  return {};
}

}  // namespace

Task<S3Result<Response>> get_object_acl(Context& context, Request& request) {
  if (auto there = object_exists(context, request); !there) co_return s3_fail(there.error());
  co_return xml_answer(owner_acl(context.store));
}

Task<S3Result<Response>> get_object_tagging(Context& context, Request& request) {
  if (auto there = object_exists(context, request); !there) co_return s3_fail(there.error());
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  xml.close();
  co_return xml_answer(std::move(xml));
}

// GetObjectRetention, GetObjectLegalHold.
Task<S3Result<Response>> get_object_lock_state(Context& context, Request& request) {
  if (auto there = object_exists(context, request); !there) co_return s3_fail(there.error());
  co_return s3_fail("InvalidRequest", "Bucket is missing Object Lock Configuration");
}

}  // namespace kura::s3
