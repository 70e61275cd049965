// UploadPart (S3 API): as PutObject, but nobody sees it before the upload completes.

#include <optional>
#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/op/answer.h"
#include "s3/op/body_writer.h"
#include "s3/op/commit.h"
#include "s3/op/digesting_body.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/new_version.h"
#include "s3/op/object_info.h"
#include "s3/op/part_target.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {
namespace {

S3Result<void> check_algorithm(const v1::Upload& upload, Algorithm announced) {
  Algorithm wanted = upload.checksum_algorithm();
  if (wanted == v1::Checksum::NONE || announced == v1::Checksum::NONE || wanted == announced) {
    return {};
  }
  return s3_fail("InvalidRequest",
                 "Checksum Type mismatch occurred, expected checksum Type: " +
                     lower_case(algorithm_name(wanted)) +
                     ", actual checksum Type: " + lower_case(algorithm_name(announced)));
}

}  // namespace

Task<S3Result<Response>> upload_part(Context& context, Request& request) {
  if (auto refused = refuse_missing_features(request); !refused) co_return s3_fail(refused.error());
  if (!request.body.length_bytes()) co_return s3_fail("MissingContentLength");
  S3Result<PartTarget> target = part_target_of(context, request);
  if (!target) co_return s3_fail(target.error());
  const v1::Upload& upload = target->upload;
  if (auto same = check_algorithm(upload, request.body.checksum_algorithm()); !same) {
    co_return s3_fail(same.error());
  }

  // A part without the upload's checksum gets it here: the object's is made of those of its parts.
  std::optional<DigestingBody> digesting;
  VerifiedBody* bytes = &request.body;
  if (upload.checksum_algorithm() != request.body.checksum_algorithm() &&
      upload.checksum_algorithm() != v1::Checksum::NONE) {
    bytes = &digesting.emplace(request.body, upload.checksum_algorithm());
  }
  S3Result<WrittenBody> written =
      co_await write_body(context.store.blobs, transform_for(context.settings),
                          upload.info().storage_class(), kPutBytesMax, *bytes);
  if (!written) co_return s3_fail(written.error());
  CommitPart part = make_part(target->upload_id, target->number, std::move(*written), *bytes);
  std::string etag = etag_of(part.part);
  v1::Checksum checksum = part.part.checksum();
  std::optional<v1::Reservation> reservation = part.reservation;
  Command command = make_command(request, target->bucket, std::move(part), request.body.md5());
  S3Result<Outcome> outcome =
      co_await commit(context.store, std::move(command), std::move(reservation));
  if (!outcome) co_return s3_fail(outcome.error());

  Response response = empty_answer(200);
  response.headers.add("etag", quoted(etag));
  if (checksum.algorithm() != v1::Checksum::NONE) {
    response.headers.add(std::string(checksum_header(checksum.algorithm())),
                         format_checksum(checksum));
  }
  co_return response;
}

}  // namespace kura::s3
