// DeleteObjects (S3 API): up to 1,000 keys, each deleted, or refused, by itself.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/concurrently.h"
#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/codec/xml_request.h"
#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"

namespace kura::s3 {
namespace {

S3Result<void> check_key(const std::string& key) {
  if (key.size() > kKeyBytesMax) return s3_fail("KeyTooLongError");
  if (!is_utf8(key)) return s3_fail("InvalidArgument", "A key must be UTF-8");
  return {};
}

Command command_for(const Request& request, BucketId bucket, const DeleteRequest::Object& object,
                    size_t index) {
  DeleteObject action;
  action.version_id = object.version_id;
  if (object.etag) action.conditions.if_match_etag = unquoted(*object.etag);
  action.conditions.if_match_size = object.size_bytes;
  action.conditions.if_match_modified_ms = object.last_modified_ms;
  Command command = make_command(request, bucket, std::move(action), request.body.md5());
  command.key = object.key;
  command.request_id = command_id(request.id, index);
  return command;
}

Task<S3Result<Outcome>> delete_one(Context& context, Request& request, BucketId bucket,
                                   const DeleteRequest::Object& object, size_t index) {
  if (auto valid = check_key(object.key); !valid) co_return s3_fail(valid.error());
  Command command = command_for(request, bucket, object, index);
  co_return co_await commit(context.store, std::move(command));
}

void write_result(XmlWriter* xml, const DeleteRequest::Object& object,
                  const S3Result<Outcome>& outcome, bool quiet) {
  if (outcome && quiet) return;
  xml->open(outcome ? "Deleted" : "Error");
  xml->text("Key", object.key);
  if (object.version_id) xml->text("VersionId", *object.version_id);
  if (!outcome) {
    xml->text("Code", outcome.error().code);
    xml->text("Message", outcome.error().message);
  }
  xml->close();
}

}  // namespace

Task<S3Result<Response>> delete_objects(Context& context, Request& request) {
  // The digest is not optional here: a damaged list would delete what nobody named.
  if (!request.head.headers.has("content-md5") &&
      request.body.checksum_algorithm() == v1::Checksum::NONE) {
    co_return s3_fail("InvalidRequest",
                      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<std::string> document = co_await read_document(request);
  if (!document) co_return s3_fail(document.error());
  S3Result<DeleteRequest> list = parse_delete(*document);
  if (!list) co_return s3_fail(list.error());

  // All at once: they share journal batches.
  std::vector<Task<S3Result<Outcome>>> tasks;
  for (size_t i = 0; i < list->objects.size(); ++i) {
    tasks.push_back(delete_one(context, request, bucket->id, list->objects[i], i));
  }
  std::vector<S3Result<Outcome>> outcomes = co_await concurrently(std::move(tasks));
  XmlWriter xml("DeleteResult");
  for (size_t i = 0; i < outcomes.size(); ++i) {
    write_result(&xml, list->objects[i], outcomes[i], list->quiet);
  }
  Response response = xml_answer(std::move(xml));
  for (const S3Result<Outcome>& outcome : outcomes) {
    if (!outcome && response.cause.empty()) response.cause = outcome.error().cause;
  }
  co_return response;
}

}  // namespace kura::s3
