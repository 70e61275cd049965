// The handlers of all operations: one function, one file of the same name. routes.cc binds them.

#pragma once

#include "base/task.h"
#include "s3/http/message.h"
#include "s3/op/operation.h"

namespace kura::s3 {

// Service.
Task<S3Result<Response>> list_buckets(Context& context, Request& request);

// Buckets.
Task<S3Result<Response>> create_bucket(Context& context, Request& request);
Task<S3Result<Response>> head_bucket(Context& context, Request& request);
Task<S3Result<Response>> delete_bucket(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_location(Context& context, Request& request);
Task<S3Result<Response>> list_objects(Context& context, Request& request);
Task<S3Result<Response>> list_objects_v2(Context& context, Request& request);
Task<S3Result<Response>> list_object_versions(Context& context, Request& request);
Task<S3Result<Response>> list_multipart_uploads(Context& context, Request& request);
Task<S3Result<Response>> delete_objects(Context& context, Request& request);

// Bucket settings that nobody can change yet: the document that AWS gives for the default
// (bucket_defaults.cc).
Task<S3Result<Response>> get_bucket_acl(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_versioning(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_request_payment(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_accelerate(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_logging(Context& context, Request& request);
Task<S3Result<Response>> get_bucket_notification(Context& context, Request& request);

// Objects.
Task<S3Result<Response>> put_object(Context& context, Request& request);
Task<S3Result<Response>> get_object(Context& context, Request& request);
Task<S3Result<Response>> head_object(Context& context, Request& request);
Task<S3Result<Response>> delete_object(Context& context, Request& request);
Task<S3Result<Response>> copy_object(Context& context, Request& request);
Task<S3Result<Response>> get_object_attributes(Context& context, Request& request);

// Object settings that nobody can change yet (object_defaults.cc).
Task<S3Result<Response>> get_object_acl(Context& context, Request& request);
Task<S3Result<Response>> get_object_tagging(Context& context, Request& request);
Task<S3Result<Response>> get_object_lock_state(Context& context, Request& request);

// Multipart uploads.
Task<S3Result<Response>> create_multipart_upload(Context& context, Request& request);
Task<S3Result<Response>> upload_part(Context& context, Request& request);
Task<S3Result<Response>> upload_part_copy(Context& context, Request& request);
Task<S3Result<Response>> complete_multipart_upload(Context& context, Request& request);
Task<S3Result<Response>> abort_multipart_upload(Context& context, Request& request);
Task<S3Result<Response>> list_parts(Context& context, Request& request);

}  // namespace kura::s3
