// CreateMultipartUpload (S3 API).

#include <string>
#include <utility>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/op/answer.h"
#include "s3/op/commit.h"
#include "s3/op/conditions.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/object_info.h"
#include "s3/op/upload_checksum.h"

namespace kura::s3 {
namespace {

// 48 bits of when it began, in milliseconds, then 80 that nobody can guess: uploads of one key are
// listed by their ids, and S3 lists them as they began. From the request's id if it has one, so
// that a retry, answered from the request table, names the same upload.
std::string new_upload_id(int64_t began_at_ms, const RequestId& id) {
  std::string out;
  for (int shift = 40; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<uint64_t>(began_at_ms) >> shift);
  return out + sha256_of("upload " + to_hex(id)).substr(0, 10);
}

}  // namespace

Task<S3Result<Response>> create_multipart_upload(Context& context, Request& request) {
  S3Result<v1::ObjectInfo> info = object_info_of(request);
  if (!info) co_return s3_fail(info.error());
  S3Result<UploadChecksum> checksum = upload_checksum_of(request);
  if (!checksum) co_return s3_fail(checksum.error());
  S3Result<WriteConditions> conditions = write_conditions(request.head.headers);
  if (!conditions) co_return s3_fail(conditions.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());

  const RequestId id = request.id.is_nil() ? context.store.random.uuid<RequestId>() : request.id;
  CreateUpload create;
  // S3 has them at Complete; mc sends them here, and not again. So they count here and there.
  create.conditions = std::move(*conditions);
  create.upload.set_initiated_at_ms(context.store.clock.wall_ms());
  create.upload.set_upload_id(new_upload_id(create.upload.initiated_at_ms(), id));
  *create.upload.mutable_info() = std::move(*info);
  create.upload.set_checksum_algorithm(checksum->algorithm);
  create.upload.set_checksum_type(checksum->type);
  create.upload.set_initiator(request.identity.access_key);
  Command command = make_command(request, bucket->id, std::move(create), "");
  S3Result<Outcome> outcome = co_await commit(context.store, std::move(command));
  if (!outcome) co_return s3_fail(outcome.error());

  XmlWriter xml("InitiateMultipartUploadResult");
  xml.text("Bucket", request.bucket);
  xml.text("Key", request.key);
  xml.text("UploadId", hex_encode(new_upload_id(outcome->modified_at_ms, id)));
  Response response = xml_answer(std::move(xml));
  if (checksum->algorithm != v1::Checksum::NONE) {
    response.headers.add("x-amz-checksum-algorithm",
                         std::string(algorithm_name(checksum->algorithm)));
    response.headers.add("x-amz-checksum-type", std::string(checksum_type_name(checksum->type)));
  }
  co_return response;
}

}  // namespace kura::s3
