#include "s3/op/read_plan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/op/answer.h"
#include "s3/op/conditions.h"
#include "s3/op/etag.h"
#include "s3/op/lookup.h"
#include "s3/op/object_info.h"
#include "s3/op/params.h"
#include "s3/op/range.h"

namespace kura::s3 {
namespace {

// What of the object goes out.
struct Selection {
  ByteRange range;
  bool partial = false;   // 206
  v1::Checksum checksum;  // Of exactly these bytes; NONE if there is none.
  uint32_t checksum_parts = 0;
  bool of_part = false;  // partNumber of a multipart object.
};

S3Result<Selection> select_part(const ObjectParts& object, std::string_view text) {
  const v1::ObjectVersion& version = object.version;
  std::optional<uint64_t> number = parse_decimal(text);
  if (!number || *number == 0 || *number > kPartNumberMax) {
    return s3_fail(invalid_argument("Part number must be an integer between 1 and 10000, inclusive",
                                    "partNumber", text));
  }
  Selection selection;  // Partial unless it is empty: Content-Range cannot say "no bytes".
  if (version.part_count() == 0) {
    if (*number != 1) return s3_fail("InvalidPartNumber");
    selection.range = {0, version.size_bytes()};
    selection.partial = version.size_bytes() > 0;
    selection.checksum = version.checksum();
    return selection;
  }
  uint64_t begin = 0;
  for (const v1::Part& part : object.parts) {
    if (part.number() == *number) {
      selection.range = {begin, part.size_bytes()};
      selection.partial = part.size_bytes() > 0;
      selection.checksum = part.checksum();
      selection.of_part = true;
      return selection;
    }
    begin += part.size_bytes();
  }
  return s3_fail("InvalidPartNumber");
}

S3Result<Selection> select(const Request& request, const ObjectParts& object) {
  const v1::ObjectVersion& version = object.version;
  std::string_view range = request.head.headers.get("range");
  if (request.query.has("partNumber")) {
    if (!range.empty()) {
      return s3_fail("InvalidRequest",
                     "Cannot specify both Range header and partNumber query parameter");
    }
    return select_part(object, request.query.get("partNumber"));
  }
  if (!range_counts(request.head.headers, etag_of(version), version.modified_at_ms())) range = {};
  RangeChoice choice = choose_range(range, version.size_bytes());
  if (choice.kind == RangeChoice::Kind::unsatisfiable) {
    S3Error error = s3_error("InvalidRange");
    error.details.emplace_back("RangeRequested", range);
    error.details.emplace_back("ActualObjectSize", std::to_string(version.size_bytes()));
    // RFC 9110, 14.4: so that the client can ask again, also after HEAD, which has no document.
    error.headers.emplace_back("content-range", "bytes */" + std::to_string(version.size_bytes()));
    return s3_fail(std::move(error));
  }
  Selection selection;
  selection.range = choice.range;
  selection.partial = choice.kind == RangeChoice::Kind::part;
  if (!selection.partial) {
    selection.checksum = version.checksum();
    selection.checksum_parts = version.part_count();
  }
  return selection;
}

// response-content-type=... replaces the object's header in this answer. Every request is signed,
// so the signer asked for it. Errors: InvalidArgument.
S3Result<Headers> with_overrides(Headers headers, const Query& query) {
  const bool any = std::any_of(query.all().begin(), query.all().end(), [](const auto& param) {
    return param.first.starts_with("response-");
  });
  if (!any) return headers;
  std::vector<Headers::Field> overrides;
  for (std::string_view name : kContentHeaders) {
    std::string param = "response-" + std::string(name);
    if (!query.has(param)) continue;
    std::string_view value = query.get(param);
    if (!is_field_value(value)) return s3_fail(invalid_argument("Not a header", param, value));
    overrides.emplace_back(name, value);
  }
  Headers result;
  for (const auto& [name, value] : headers.all()) {
    bool replaced = false;
    for (const auto& [override_name, unused] : overrides) replaced |= override_name == name;
    if (!replaced) result.add(name, value);
  }
  for (auto& [name, value] : overrides) result.add(std::move(name), std::move(value));
  return result;
}

}  // namespace

S3Result<ReadPlan> plan_read(const Context& context, const Request& request) {
  S3Result<Bucket> bucket = find_bucket(context, request.bucket);
  if (!bucket) return s3_fail(bucket.error());
  const std::string* version_id = version_id_of(request.query);
  S3Result<ObjectParts> object =
      find_object_parts(context, bucket->id, request.key, version_id,
                        [&](const v1::ObjectVersion&) { return request.query.has("partNumber"); });
  if (!object) return s3_fail(object.error());
  const v1::ObjectVersion& version = object->version;
  if (auto plain = refuse_customer_key(request.head.headers); !plain) {
    return s3_fail(plain.error());
  }

  Headers headers;
  add_object_headers(version, &headers);
  if (version_id != nullptr) headers.add("x-amz-version-id", *version_id);
  ReadPlan plan;
  ReadConditions conditions = read_conditions(request.head.headers, "");
  switch (judge(conditions, etag_of(version), version.modified_at_ms())) {
    case Verdict::failed: {
      S3Error error = s3_error("PreconditionFailed");
      error.details.emplace_back("Condition",
                                 conditions.if_match ? "If-Match" : "If-Unmodified-Since");
      return s3_fail(std::move(error));
    }
    case Verdict::not_modified:
      plan.response.status = 304;
      plan.response.headers = std::move(headers);
      return plan;
    case Verdict::proceed:
      break;
  }

  S3Result<Selection> selection = select(request, *object);
  if (!selection) return s3_fail(selection.error());
  plan.range = selection->range;
  S3Result<Headers> shown = with_overrides(std::move(headers), request.query);
  if (!shown) return s3_fail(shown.error());
  plan.response.headers = std::move(*shown);
  if (selection->partial) {
    plan.response.status = 206;
    plan.response.headers.add(
        "content-range", "bytes " + std::to_string(plan.range.offset_bytes) + "-" +
                             std::to_string(plan.range.offset_bytes + plan.range.length_bytes - 1) +
                             "/" + std::to_string(version.size_bytes()));
  }
  if (selection->of_part) {
    plan.response.headers.add("x-amz-mp-parts-count", std::to_string(version.part_count()));
  }
  std::optional<std::string_view> mode = header_of(request, "x-amz-checksum-mode");
  if (mode && equal_ignoring_case(*mode, "ENABLED")) {
    add_checksum_headers(selection->checksum, selection->checksum_parts, &plan.response.headers);
  }
  plan.version = std::move(object->version);
  return plan;
}

}  // namespace kura::s3
