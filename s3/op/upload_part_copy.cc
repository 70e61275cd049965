// UploadPartCopy (S3 API): a part whose bytes are a range of an object.

#include <optional>
#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/time.h"
#include "s3/op/answer.h"
#include "s3/op/body_writer.h"
#include "s3/op/commit.h"
#include "s3/op/digesting_body.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/new_version.h"
#include "s3/op/object_info.h"
#include "s3/op/part_target.h"
#include "s3/op/source_object.h"
#include "s3/op/stored_object.h"

namespace kura::s3 {
namespace {

S3Result<void> any_source(const Request&, const CopySource&, const v1::ObjectVersion&) {
  return {};
}

}  // namespace

Task<S3Result<Response>> upload_part_copy(Context& context, Request& request) {
  if (auto refused = refuse_missing_features(request); !refused) co_return s3_fail(refused.error());
  S3Result<PartTarget> target = part_target_of(context, request);
  if (!target) co_return s3_fail(target.error());
  S3Result<SourceObject> source = co_await open_source(context, request, true, any_source);
  if (!source) co_return s3_fail(source.error());

  const v1::Upload& upload = target->upload;
  CopiedBody bytes(std::move(source->bytes), source->range.length_bytes,
                   upload.checksum_algorithm());
  S3Result<WrittenBody> written =
      co_await write_body(context.store.blobs, transform_for(context.settings),
                          upload.info().storage_class(), kPutBytesMax, bytes);
  if (!written) co_return s3_fail(written.error());
  CommitPart part = make_part(target->upload_id, target->number, std::move(*written), bytes);
  std::string etag = etag_of(part.part);
  v1::Checksum checksum = part.part.checksum();
  std::optional<v1::Reservation> reservation = part.reservation;
  Command command = make_command(request, target->bucket, std::move(part), "");
  S3Result<Outcome> outcome =
      co_await commit(context.store, std::move(command), std::move(reservation));
  if (!outcome) co_return s3_fail(outcome.error());

  XmlWriter xml("CopyPartResult");
  xml.text("LastModified", iso8601(outcome->modified_at_ms));
  xml.text("ETag", quoted(etag));
  if (checksum.algorithm() != v1::Checksum::NONE) {
    xml.text(checksum_element(checksum.algorithm()), format_checksum(checksum));
  }
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
