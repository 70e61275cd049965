// ListObjectVersions (S3 API) of a bucket without versioning: the current version of each key,
// under the version id "null".

#include <string>

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/list_params.h"
#include "s3/op/lookup.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {

Task<S3Result<Response>> list_object_versions(Context& context, Request& request) {
  S3Result<ListParams> params = list_params(request.query, "max-keys");
  if (!params) co_return s3_fail(params.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  std::string key_marker(request.query.get("key-marker"));
  std::string_view version_marker = request.query.get("version-id-marker");
  if (!version_marker.empty() && key_marker.empty()) {
    co_return s3_fail(
        invalid_argument("A version-id marker cannot be specified without a key marker.",
                         "version-id-marker", version_marker));
  }
  // One version a key: whatever version the marker names, the page begins with the next key.
  Result<ListPage> page = list_page(context.store.view, bucket->id, *params, key_marker);
  if (!page) co_return s3_fail(page.error());

  XmlWriter xml("ListVersionsResult");
  xml.text("Name", request.bucket);
  write_list_params(&xml, *params);
  write_name(&xml, *params, "KeyMarker", key_marker);
  xml.text("VersionIdMarker", version_marker);
  if (page->truncated) {
    write_name(&xml, *params, "NextKeyMarker", page->last);
    bool last_is_key = !page->objects.empty() && page->objects.back().key == page->last;
    if (last_is_key) xml.text("NextVersionIdMarker", "null");
  }
  xml.number("MaxKeys", params->entries_max);
  xml.flag("IsTruncated", page->truncated);
  std::string owner = owner_id(context.store);
  for (const ListEntry& entry : page->objects) {
    xml.open("Version");
    write_name(&xml, *params, "Key", entry.key);
    xml.text("VersionId", "null");
    xml.flag("IsLatest", true);
    write_version_fields(&xml, entry.version, owner);
    xml.close();
  }
  write_common_prefixes(&xml, *params, page->common_prefixes);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
