// CopyObject (S3 API): reads the source and writes it as PutObject would, in one answer.

#include <optional>
#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/time.h"
#include "s3/op/answer.h"
#include "s3/op/body_writer.h"
#include "s3/op/commit.h"
#include "s3/op/conditions.h"
#include "s3/op/digesting_body.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/new_version.h"
#include "s3/op/object_info.h"
#include "s3/op/params.h"
#include "s3/op/source_object.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kRedirect = "x-amz-website-redirect-location";

// "COPY", the default, or "REPLACE". Errors: InvalidArgument.
S3Result<bool> replaces(const Request& request, std::string_view name) {
  std::string_view directive = request.head.headers.get(name);
  if (directive.empty() || directive == "COPY") return false;
  if (directive == "REPLACE") return true;
  return s3_fail(invalid_argument("Unknown metadata directive.", name, directive));
}

S3Result<Algorithm> algorithm_for(const Request& request, const v1::ObjectVersion& source) {
  std::optional<std::string_view> name = header_of(request, "x-amz-checksum-algorithm");
  if (!name || name->empty()) return source.checksum().algorithm();
  std::optional<Algorithm> algorithm = algorithm_from(*name);
  if (algorithm && *algorithm != v1::Checksum::NONE) return *algorithm;
  return s3_fail(invalid_argument("Checksum algorithm provided is unsupported.",
                                  "x-amz-checksum-algorithm", *name));
}

S3Result<void> refuse_copy_to_itself(const Request& request, const CopySource& name,
                                     const v1::ObjectVersion& version) {
  if (name.bucket != request.bucket || name.key != request.key) return {};
  S3Result<bool> replace = replaces(request, "x-amz-metadata-directive");
  if (!replace) return s3_fail(replace.error());
  S3Result<v1::StorageClass> storage_class = storage_class_of(request);
  if (!storage_class) return s3_fail(storage_class.error());
  S3Result<Algorithm> algorithm = algorithm_for(request, version);
  if (!algorithm) return s3_fail(algorithm.error());
  if (*replace || *storage_class != version.info().storage_class() ||
      *algorithm != version.checksum().algorithm() || header_of(request, kRedirect)) {
    return {};
  }
  return s3_fail("InvalidRequest",
                 "This copy request is illegal because it is trying to copy an object to itself "
                 "without changing the object's metadata, storage class, website redirect location "
                 "or encryption attributes.");
}

// What the copy says about itself: as the source, or as the request. The storage class and the
// redirect are never taken over from the source.
S3Result<v1::ObjectInfo> info_for(const Request& request, const v1::ObjectVersion& source,
                                  bool replace) {
  S3Result<v1::ObjectInfo> asked = object_info_of(request);
  if (!asked || replace) return asked;
  v1::ObjectInfo info;
  *info.mutable_user_metadata() = source.info().user_metadata();
  info.set_storage_class(asked->storage_class());
  for (const v1::Header& header : source.info().headers()) {
    if (header.name() != kRedirect) *info.add_headers() = header;
  }
  for (const v1::Header& header : asked->headers()) {
    if (header.name() == kRedirect) *info.add_headers() = header;
  }
  return info;
}

Response copy_answer(const Outcome& outcome) {
  XmlWriter xml("CopyObjectResult");
  xml.text("LastModified", iso8601(outcome.modified_at_ms));
  xml.text("ETag", quoted(outcome.etag));
  write_checksum(&xml, outcome.checksum, 0);
  return xml_answer(std::move(xml));
}

}  // namespace

Task<S3Result<Response>> copy_object(Context& context, Request& request) {
  S3Result<bool> replace = replaces(request, "x-amz-metadata-directive");
  if (!replace) co_return s3_fail(replace.error());
  // No object has tags, so both directives mean the same.
  if (auto tags = replaces(request, "x-amz-tagging-directive"); !tags) {
    co_return s3_fail(tags.error());
  }
  if (auto refused = refuse_missing_features(request); !refused) co_return s3_fail(refused.error());
  S3Result<WriteConditions> conditions = write_conditions(request.head.headers);
  if (!conditions) co_return s3_fail(conditions.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<SourceObject> source =
      co_await open_source(context, request, false, refuse_copy_to_itself);
  if (!source) co_return s3_fail(source.error());
  S3Result<v1::ObjectInfo> info = info_for(request, source->version, *replace);
  if (!info) co_return s3_fail(info.error());
  S3Result<Algorithm> algorithm = algorithm_for(request, source->version);
  if (!algorithm) co_return s3_fail(algorithm.error());

  CopiedBody bytes(std::move(source->bytes), source->range.length_bytes, *algorithm);
  S3Result<WrittenBody> written =
      co_await write_body(context.store.blobs, transform_for(context.settings),
                          info->storage_class(), kPutBytesMax, bytes);
  if (!written) co_return s3_fail(written.error());
  CommitPut put = make_put(std::move(*info), std::move(*written), bytes);
  put.conditions = std::move(*conditions);
  std::optional<v1::Reservation> reservation = put.reservation;
  Command command = make_command(request, bucket->id, std::move(put), "");
  S3Result<Outcome> outcome =
      co_await commit(context.store, std::move(command), std::move(reservation));
  if (!outcome) co_return s3_fail(outcome.error());
  co_return copy_answer(*outcome);
}

}  // namespace kura::s3
