// CompleteMultipartUpload (S3 API): one command decides; the bytes stay where the parts put them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fail_point.h"
#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/xml_request.h"
#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/conditions.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/params.h"
#include "s3/op/upload_checksum.h"

namespace kura::s3 {
namespace {

// Errors: InvalidPart for what is no ETag of a part.
S3Result<std::vector<CompleteUpload::Part>> listed_parts(CompleteRequest& document) {
  std::vector<CompleteUpload::Part> parts;
  for (CompleteRequest::Part& listed : document.parts) {
    std::optional<std::string> etag = md5_from_etag(listed.etag);
    if (!etag) {
      S3Error error = s3_error("InvalidPart");
      error.details.emplace_back("PartNumber", std::to_string(listed.number));
      error.details.emplace_back("ETag", listed.etag);
      return s3_fail(std::move(error));
    }
    parts.push_back({listed.number, std::move(*etag), std::move(listed.checksum)});
  }
  return parts;
}

S3Result<std::optional<uint64_t>> expected_size_of(const Request& request) {
  constexpr std::string_view kName = "x-amz-mp-object-size";
  std::optional<std::string_view> text = amz_param(request, kName);
  if (!text) return std::optional<uint64_t>();
  S3Result<uint64_t> size = number_param(kName, *text, 0, kObjectBytesMax);
  if (!size) return s3_fail(size.error());
  return std::optional<uint64_t>(*size);
}

S3Result<CompleteUpload> complete_of(const Request& request, std::string_view document) {
  S3Result<CompleteRequest> parsed = parse_complete(document);
  if (!parsed) return s3_fail(parsed.error());
  S3Result<std::vector<CompleteUpload::Part>> parts = listed_parts(*parsed);
  if (!parts) return s3_fail(parts.error());
  S3Result<std::optional<v1::Checksum>> checksum = expected_checksum_of(request);
  if (!checksum) return s3_fail(checksum.error());
  S3Result<std::optional<uint64_t>> size = expected_size_of(request);
  if (!size) return s3_fail(size.error());
  S3Result<WriteConditions> conditions = write_conditions(request.head.headers);
  if (!conditions) return s3_fail(conditions.error());
  S3Result<std::string> upload_id = upload_id_of(request);
  if (!upload_id) return s3_fail(upload_id.error());
  return CompleteUpload{std::move(*upload_id), std::move(*parts), std::move(*checksum), *size,
                        std::move(*conditions)};
}

// A type that the request names has to be that of the upload. An upload that is gone is judged by
// the bucket actor, which knows whether this is a retry.
S3Result<void> check_type(const Context& context, const Request& request, BucketId bucket,
                          const std::string& upload_id) {
  S3Result<v1::Checksum::Type> type = checksum_type_param(request);
  if (!type) return s3_fail(type.error());
  if (*type == v1::Checksum::TYPE_UNSPECIFIED) return {};
  Result<std::optional<v1::Upload>> upload =
      context.store.view.upload(bucket, request.key, upload_id);
  if (!upload) return s3_fail(upload.error());
  if (!*upload || (*upload)->checksum_type() == v1::Checksum::TYPE_UNSPECIFIED ||
      (*upload)->checksum_type() == *type) {
    return {};
  }
  return s3_fail("InvalidRequest",
                 "The upload was created using the " +
                     std::string(checksum_type_name((*upload)->checksum_type())) +
                     " checksum mode. The complete request must use the same checksum mode.");
}

}  // namespace

Task<S3Result<Response>> complete_multipart_upload(Context& context, Request& request) {
  S3Result<std::string> document = co_await read_document(request);
  if (!document) co_return s3_fail(document.error());
  S3Result<CompleteUpload> complete = complete_of(request, *document);
  if (!complete) co_return s3_fail(complete.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  if (auto same = check_type(context, request, bucket->id, complete->upload_id); !same) {
    co_return s3_fail(same.error());
  }
  uint32_t parts = static_cast<uint32_t>(complete->parts.size());
  Command command = make_command(request, bucket->id, std::move(*complete), request.body.md5());
  before_step("upload.complete");
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  if (!outcome) co_return s3_fail(outcome.error());
  after_step("upload.complete");

  XmlWriter xml("CompleteMultipartUploadResult");
  xml.text("Location", url_of(request));
  xml.text("Bucket", request.bucket);
  xml.text("Key", request.key);
  xml.text("ETag", quoted(outcome->etag));
  write_checksum(&xml, outcome->checksum, parts);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
