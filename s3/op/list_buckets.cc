// ListBuckets (S3 API): the buckets that the caller may touch, by name, paged on request.

#include <string>

#include "base/limits.h"
#include "s3/codec/time.h"
#include "s3/op/access.h"
#include "s3/op/answer.h"
#include "s3/op/handlers.h"
#include "s3/op/list_token.h"
#include "s3/op/lookup.h"
#include "s3/op/owner.h"
#include "s3/op/params.h"

namespace kura::s3 {

Task<S3Result<Response>> list_buckets(Context& context, Request& request) {
  S3Result<uint64_t> most = query_number(request.query, "max-buckets", 1, kBucketsMax, kBucketsMax);
  if (!most) co_return s3_fail(most.error());
  std::string after;
  if (request.query.has("continuation-token")) {
    S3Result<std::string> name =
        parse_list_token(TokenKind::buckets, "", request.query.get("continuation-token"));
    if (!name) co_return s3_fail(name.error());
    after = std::move(*name);
  }
  std::string_view prefix = request.query.get("prefix");
  std::string_view region = request.query.get("bucket-region");

  std::shared_ptr<const ControlState> state = context.store.tenants.state();
  XmlWriter xml("ListAllMyBucketsResult");
  write_owner(&xml, "Owner", owner_id(context.store));
  xml.open("Buckets");
  uint64_t count = 0;
  std::string last;
  bool truncated = false;
  for (auto it = state->buckets.upper_bound(after); it != state->buckets.end(); ++it) {
    const Bucket& bucket = it->second;
    std::string bucket_region = region_of(bucket, context.settings);
    if (!it->first.starts_with(prefix) || (!region.empty() && region != bucket_region) ||
        !is_allowed(request.identity, Access::read, it->first)) {
      continue;
    }
    if (count == *most) {
      truncated = true;
      break;
    }
    xml.open("Bucket");
    xml.text("Name", bucket.name);
    xml.text("CreationDate", iso8601(bucket.created_at_ms));
    xml.text("BucketRegion", bucket_region);
    xml.close();
    last = it->first;
    ++count;
  }
  xml.close();
  if (request.query.has("prefix")) xml.text("Prefix", prefix);
  if (truncated) {
    xml.text("ContinuationToken", make_list_token(TokenKind::buckets, "", last));
  }
  co_return xml_answer(std::move(xml));
}

}  // namespace kura::s3
