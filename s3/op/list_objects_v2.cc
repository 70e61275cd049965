// ListObjectsV2 (S3 API): pages by an opaque continuation token.

#include <string>

#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/list_params.h"
#include "s3/op/list_token.h"
#include "s3/op/lookup.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

// Where the page begins: behind the token's name, else behind start-after.
S3Result<std::string> page_begin(const Request& request) {
  if (!request.query.get("continuation-token").empty()) {  // Empty: of the first page.
    return parse_list_token(TokenKind::objects, request.bucket,
                            request.query.get("continuation-token"));
  }
  return std::string(request.query.get("start-after"));
}

}  // namespace

Task<S3Result<Response>> list_objects_v2(Context& context, Request& request) {
  S3Result<ListParams> params = list_params(request.query, "max-keys");
  if (!params) co_return s3_fail(params.error());
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) co_return s3_fail(bucket.error());
  S3Result<std::string> after = page_begin(request);
  if (!after) co_return s3_fail(after.error());
  Result<ListPage> page = list_page(context.store.view, bucket->id, *params, std::move(*after));
  if (!page) co_return s3_fail(page.error());

  XmlWriter xml("ListBucketResult");
  xml.text("Name", request.bucket);
  write_list_params(&xml, *params);
  if (request.query.has("start-after")) {
    write_name(&xml, *params, "StartAfter", request.query.get("start-after"));
  }
  xml.number("MaxKeys", params->entries_max);
  xml.number("KeyCount", page->objects.size() + page->common_prefixes.size());
  xml.flag("IsTruncated", page->truncated);
  if (request.query.has("continuation-token")) {
    xml.text("ContinuationToken", request.query.get("continuation-token"));
  }
  if (page->truncated) {
    xml.text("NextContinuationToken",
             make_list_token(TokenKind::objects, request.bucket, page->last));
  }
  std::string owner;
  if (request.query.get("fetch-owner") == "true") owner = owner_id(context.store);
  for (const ListEntry& entry : page->objects) write_contents(&xml, *params, entry, owner);
  write_common_prefixes(&xml, *params, page->common_prefixes);
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
