// ListParts (S3 API): the parts of an open upload, by number.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/time.h"
#include "s3/op/answer.h"
#include "s3/op/etag.h"
#include "s3/op/handlers.h"
#include "s3/op/lookup.h"
#include "s3/op/object_info.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

struct PartsQuery {
  std::string upload_id;
  uint32_t after = 0;
  uint32_t parts_max = kListKeysMax;
};

S3Result<PartsQuery> parts_query_of(const Request& request) {
  S3Result<uint64_t> after = query_number(request.query, "part-number-marker", 0, INT32_MAX, 0);
  if (!after) return s3_fail(after.error());
  S3Result<uint64_t> most = query_number(request.query, "max-parts", 0, INT32_MAX, kListKeysMax);
  if (!most) return s3_fail(most.error());
  S3Result<std::string> upload_id = upload_id_of(request);
  if (!upload_id) return s3_fail(upload_id.error());
  return PartsQuery{std::move(*upload_id), static_cast<uint32_t>(*after),
                    static_cast<uint32_t>(std::min<uint64_t>(*most, kListKeysMax))};
}

void write_part(XmlWriter* xml, const v1::Part& part) {
  xml->open("Part");
  xml->number("PartNumber", part.number());
  xml->text("LastModified", iso8601(part.modified_at_ms()));
  xml->text("ETag", quoted(etag_of(part)));
  xml->number("Size", part.size_bytes());
  if (part.checksum().algorithm() != v1::Checksum::NONE) {
    xml->text(checksum_element(part.checksum().algorithm()), format_checksum(part.checksum()));
  }
  xml->close();
}

}  // namespace

Task<S3Result<Response>> list_parts(Context& context, Request& request) {
  S3Result<PartsQuery> query = parts_query_of(request);
  if (!query) co_return s3_fail(query.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  Result<std::optional<v1::Upload>> upload =
      context.store.view.upload(bucket->id, request.key, query->upload_id);
  if (!upload) co_return s3_fail(upload.error());
  if (!*upload) co_return s3_fail(no_such_upload(request.query.get("uploadId")));
  PartPage page;
  if (query->parts_max > 0) {
    Result<PartPage> read =
        context.store.view.parts(query->upload_id, query->after, query->parts_max);
    if (!read) co_return s3_fail(read.error());
    page = std::move(*read);
  }

  XmlWriter xml("ListPartsResult");
  xml.text("Bucket", request.bucket);
  xml.text("Key", request.key);
  xml.text("UploadId", request.query.get("uploadId"));
  xml.open("Initiator");
  xml.text("ID", (*upload)->initiator());
  xml.text("DisplayName", (*upload)->initiator());
  xml.close();
  write_owner(&xml, "Owner", owner_id(context.store));
  xml.text("StorageClass", storage_class_name((*upload)->info().storage_class()));
  xml.number("PartNumberMarker", query->after);
  xml.number("NextPartNumberMarker", page.parts.empty() ? 0 : page.parts.back().number());
  xml.number("MaxParts", query->parts_max);
  xml.flag("IsTruncated", page.truncated);
  if ((*upload)->checksum_algorithm() != v1::Checksum::NONE) {
    xml.text("ChecksumAlgorithm", algorithm_name((*upload)->checksum_algorithm()));
    xml.text("ChecksumType", checksum_type_name((*upload)->checksum_type()));
  }
  for (const v1::Part& part : page.parts) write_part(&xml, part);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
