// CompleteMultipartUpload (S3 API): one command decides; the bytes stay where the parts put them.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actors/bucket/refused_completion.h"
#include "base/fail_point.h"
#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
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
      error.details.emplace_back("ETag", unquoted(listed.etag));
      return s3_fail(std::move(error));
    }
    parts.push_back({listed.number, std::move(*etag), std::move(listed.checksum)});
  }
  return parts;
}

S3Result<std::optional<uint64_t>> expected_size_of(const Request& request) {
  constexpr std::string_view kName = "x-amz-mp-object-size";
  std::optional<std::string_view> text = header_of(request, kName);
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

S3Result<void> check_type(const v1::Upload& upload, v1::Checksum::Type type) {
  if (type == v1::Checksum::TYPE_UNSPECIFIED || upload.checksum_type() == type ||
      upload.checksum_type() == v1::Checksum::TYPE_UNSPECIFIED) {
    return {};
  }
  return s3_fail("InvalidRequest",
                 "The upload was created using the " +
                     std::string(checksum_type_name(upload.checksum_type())) +
                     " checksum mode. The complete request must use the same checksum mode.");
}

// The checksum of the whole is made of those of the parts, so the client has to say what these are.
S3Result<void> check_part_checksums(const v1::Upload& upload,
                                    const std::vector<CompleteUpload::Part>& parts) {
  if (upload.checksum_type() != v1::Checksum::COMPOSITE) return {};
  for (const CompleteUpload::Part& part : parts) {
    if (part.checksum) continue;
    return s3_fail("InvalidRequest",
                   "The upload was created using a " +
                       lower_case(algorithm_name(upload.checksum_algorithm())) +
                       " checksum. The complete request must include the checksum for each part. "
                       "It was missing for part " +
                       std::to_string(part.number) + " in the request.");
  }
  return {};
}

// What the request says about checksums has to fit the upload. An upload that is gone is judged by
// the bucket actor, which knows whether this is a retry.
S3Result<void> check_upload(const Context& context, const Request& request, BucketId bucket,
                            const CompleteUpload& complete) {
  S3Result<v1::Checksum::Type> type = checksum_type_param(request);
  if (!type) return s3_fail(type.error());
  Result<std::optional<v1::Upload>> upload =
      context.store.view.upload(bucket, request.key, complete.upload_id);
  if (!upload) return s3_fail(upload.error());
  if (!*upload) return {};
  if (auto same = check_type(**upload, *type); !same) return same;
  return check_part_checksums(**upload, complete.parts);
}

// The bucket actor knows the parts; what the client announced about them is in the request.
S3Error refusal(S3Error error, const Request& request, Algorithm announced) {
  const std::string algorithm(algorithm_name(announced));
  if (error.code == "BadDigest") {
    error.message = "The " + algorithm + " you specified did not match the calculated checksum.";
  } else if (error.cause == refused_completion::kSize) {
    error.message = "The provided 'x-amz-mp-object-size' header value " +
                    std::string(header_of(request, "x-amz-mp-object-size").value_or("")) +
                    " does not match what was computed.";
    error.code = "InvalidRequest";
  } else if (error.cause == refused_completion::kAlgorithm) {
    error.message = "The upload was not created using a " + lower_case(algorithm) + " checksum.";
    error.code = "InvalidRequest";
  } else if (error.cause == refused_completion::kType) {
    error.message = "The " + algorithm + " you specified is not of the upload's checksum type.";
    error.code = "InvalidRequest";
  }
  return error;
}

}  // namespace

Task<S3Result<Response>> complete_multipart_upload(Context& context, Request& request) {
  S3Result<std::string> document = co_await read_document(request);
  if (!document) co_return s3_fail(document.error());
  S3Result<CompleteUpload> complete = complete_of(request, *document);
  if (!complete) co_return s3_fail(complete.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  if (auto fits = check_upload(context, request, bucket->id, *complete); !fits) {
    co_return s3_fail(fits.error());
  }
  const Algorithm announced =
      complete->expected_checksum ? complete->expected_checksum->algorithm() : v1::Checksum::NONE;
  uint32_t parts = static_cast<uint32_t>(complete->parts.size());
  Command command = make_command(request, bucket->id, std::move(*complete), request.body.md5());
  before_step("upload.complete");
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  if (!outcome) co_return s3_fail(refusal(outcome.error(), request, announced));
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
