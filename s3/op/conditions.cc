#include "s3/op/conditions.h"

#include <algorithm>

#include "s3/codec/time.h"
#include "s3/op/etag.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

std::optional<std::string> text_of(const Headers& headers, const std::string& name) {
  if (!headers.has(name)) return std::nullopt;
  return std::string(headers.get(name));
}

std::optional<int64_t> date_of(const Headers& headers, const std::string& name) {
  if (!headers.has(name)) return std::nullopt;
  std::optional<int64_t> ms = parse_http_date(headers.get(name));
  if (!ms) return std::nullopt;
  return *ms / 1000;
}

}  // namespace

ReadConditions read_conditions(const Headers& headers, std::string_view prefix) {
  std::string start(prefix);
  return {text_of(headers, start + "if-match"), text_of(headers, start + "if-none-match"),
          date_of(headers, start + "if-modified-since"),
          date_of(headers, start + "if-unmodified-since")};
}

Verdict judge(const ReadConditions& conditions, std::string_view etag, int64_t modified_at_ms) {
  int64_t modified_at_s = modified_at_ms / 1000;
  if (conditions.if_match) {
    if (!etag_list_names(*conditions.if_match, etag)) return Verdict::failed;
  } else if (conditions.if_unmodified_since_s) {
    if (modified_at_s > *conditions.if_unmodified_since_s) return Verdict::failed;
  }
  if (conditions.if_none_match) {
    if (etag_list_names(*conditions.if_none_match, etag)) return Verdict::not_modified;
  } else if (conditions.if_modified_since_s) {
    if (modified_at_s <= *conditions.if_modified_since_s) return Verdict::not_modified;
  }
  return Verdict::proceed;
}

bool range_counts(const Headers& headers, std::string_view etag, int64_t modified_at_ms) {
  const size_t count = headers.count("if-range");
  if (count != 1) return count == 0;
  const std::string_view validator = headers.get("if-range");
  if (validator.starts_with('"')) return validator == quoted(etag);
  const std::optional<int64_t> ms = parse_http_date(validator);
  return ms && *ms / 1000 == modified_at_ms / 1000;
}

S3Result<WriteConditions> write_conditions(const Headers& headers) {
  WriteConditions conditions;
  if (headers.has("if-none-match")) {
    if (unquoted(headers.get("if-none-match")) != "*") {
      return s3_fail("NotImplemented", "If-None-Match of a write takes only *");
    }
    conditions.if_none_match_any = true;
  }
  if (headers.has("if-match")) {
    conditions.if_match_etag = std::string(unquoted(headers.get("if-match")));
  }
  return conditions;
}

S3Result<WriteConditions> delete_conditions(const Headers& headers) {
  WriteConditions conditions;
  if (headers.has("if-match")) {
    conditions.if_match_etag = std::string(unquoted(headers.get("if-match")));
  }
  if (headers.has("x-amz-if-match-size")) {
    constexpr std::string_view kName = "x-amz-if-match-size";
    S3Result<uint64_t> size = number_param(kName, headers.get(kName), 0, INT64_MAX);
    if (!size) return s3_fail(size.error());
    conditions.if_match_size = *size;
  }
  if (headers.has("x-amz-if-match-last-modified-time")) {
    const std::string_view text = headers.get("x-amz-if-match-last-modified-time");
    conditions.if_match_modified_ms = parse_http_date_or_iso8601(text);
    if (!conditions.if_match_modified_ms)
      return s3_fail(invalid_argument("Not a date", "LastModifiedTime", text));
  }
  return conditions;
}

S3Result<void> refuse_other_conditions(const Headers& headers,
                                       std::span<const std::string_view> honoured) {
  for (std::string_view name :
       {"if-match", "if-none-match", "if-modified-since", "if-unmodified-since",
        "x-amz-if-match-size", "x-amz-if-match-last-modified-time",
        "x-amz-if-match-initiated-time"}) {
    if (!headers.has(name)) continue;
    if (std::find(honoured.begin(), honoured.end(), name) != honoured.end()) continue;
    S3Error error = s3_error("NotImplemented");
    error.details.emplace_back("Header", name);
    return s3_fail(std::move(error));
  }
  return {};
}

}  // namespace kura::s3
