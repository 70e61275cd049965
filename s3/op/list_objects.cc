// ListObjects, the first version of the listing (S3 API): pages by marker, which is a key.

#include <string>

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/list_params.h"
#include "s3/op/lookup.h"
#include "s3/op/owner.h"

namespace kura::s3 {

Task<S3Result<Response>> list_objects(Context& context, Request& request) {
  S3Result<ListParams> params = list_params(request.query, "max-keys");
  if (!params) co_return s3_fail(params.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  std::string marker(request.query.get("marker"));
  Result<ListPage> page = list_page(context.store.view, bucket->id, *params, marker);
  if (!page) co_return s3_fail(page.error());

  XmlWriter xml("ListBucketResult");
  xml.text("Name", request.bucket);
  write_list_params(&xml, *params);
  write_name(&xml, *params, "Marker", marker);
  // Without a delimiter the next marker is the last key, as S3 documents it.
  if (page->truncated && !params->delimiter.empty()) {
    write_name(&xml, *params, "NextMarker", page->last);
  }
  xml.number("MaxKeys", params->entries_max);
  xml.flag("IsTruncated", page->truncated);
  std::string owner = owner_id(context.store);
  for (const ListEntry& entry : page->objects) write_contents(&xml, *params, entry, owner);
  write_common_prefixes(&xml, *params, page->common_prefixes);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
