// ListMultipartUploads (S3 API): open uploads by key, then by upload id.

#include <string>
#include <utility>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/list_params.h"
#include "s3/op/lookup.h"
#include "s3/op/object_info.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

// S3 passes over an upload-id-marker that comes without a key-marker.
S3Result<UploadQuery> upload_query(const Request& request, const ListParams& params,
                                   BucketId bucket) {
  UploadQuery query{bucket, params.prefix, params.delimiter, {}, {}, params.entries_max};
  query.key_marker = request.query.get("key-marker");
  std::string_view marker = request.query.get("upload-id-marker");
  if (query.key_marker.empty() || marker.empty()) return query;
  std::optional<std::string> id = parse_upload_id(marker);
  if (!id) {
    return s3_fail(invalid_argument("Invalid uploadId marker", "upload-id-marker", marker));
  }
  query.upload_id_marker = std::move(*id);
  return query;
}

void write_upload(XmlWriter* xml, const ListParams& params, const UploadEntry& entry,
                  const std::string& owner) {
  xml->open("Upload");
  write_name(xml, params, "Key", entry.key);
  xml->text("UploadId", hex_encode(entry.upload.upload_id()));
  xml->open("Initiator");
  xml->text("ID", entry.upload.initiator());
  xml->text("DisplayName", entry.upload.initiator());
  xml->close();
  write_owner(xml, "Owner", owner);
  xml->text("StorageClass", storage_class_name(entry.upload.info().storage_class()));
  xml->text("Initiated", iso8601(entry.upload.initiated_at_ms()));
  if (entry.upload.checksum_algorithm() != v1::Checksum::NONE) {
    xml->text("ChecksumAlgorithm", algorithm_name(entry.upload.checksum_algorithm()));
    xml->text("ChecksumType", checksum_type_name(entry.upload.checksum_type()));
  }
  xml->close();
}

}  // namespace

Task<S3Result<Response>> list_multipart_uploads(Context& context, Request& request) {
  S3Result<ListParams> params = list_params(request.query, "max-uploads");
  if (!params) co_return s3_fail(params.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<UploadQuery> query = upload_query(request, *params, bucket->id);
  if (!query) co_return s3_fail(query.error());
  UploadPage page;
  if (params->entries_max > 0) {
    Result<UploadPage> read = context.store.view.list_uploads(*query);
    if (!read) co_return s3_fail(read.error());
    page = std::move(*read);
  }

  XmlWriter xml("ListMultipartUploadsResult");
  xml.text("Bucket", request.bucket);
  write_name(&xml, *params, "KeyMarker", request.query.get("key-marker"));
  xml.text("UploadIdMarker", request.query.get("upload-id-marker"));
  if (page.truncated) {
    write_name(&xml, *params, "NextKeyMarker", page.next_key_marker);
    xml.text("NextUploadIdMarker", hex_encode(page.next_upload_id_marker));
  }
  write_list_params(&xml, *params);
  xml.number("MaxUploads", params->entries_max);
  xml.flag("IsTruncated", page.truncated);
  std::string owner = owner_id(context.store);
  for (const UploadEntry& entry : page.uploads) write_upload(&xml, *params, entry, owner);
  write_common_prefixes(&xml, *params, page.common_prefixes);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
