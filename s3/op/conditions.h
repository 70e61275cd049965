// Conditional requests: RFC 9110, 13; S3 User Guide, "Conditional requests". Pure.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "actors/bucket/command.h"
#include "s3/http/message.h"

namespace kura::s3 {

struct ReadConditions {
  std::optional<std::string> if_match;  // A list of ETags, as sent.
  std::optional<std::string> if_none_match;
  std::optional<int64_t> if_modified_since_s;  // Unix time.
  std::optional<int64_t> if_unmodified_since_s;
};

// From "<prefix>if-match" and so on; `prefix` is empty or "x-amz-copy-source-". A date that is none
// is ignored.
ReadConditions read_conditions(const Headers& headers, std::string_view prefix);

enum class Verdict : uint8_t { proceed, not_modified, failed };

// If-Match decides before If-Unmodified-Since, If-None-Match before If-Modified-Since.
Verdict judge(const ReadConditions& conditions, std::string_view etag, int64_t modified_at_ms);

// If-Range (RFC 9110, 13.1.5): whether the Range of the request counts. It does without If-Range,
// or when that is, by strong comparison, the version's one ETag or its Last-Modified. Anything else
// is about another version, or says nothing: then the whole object follows.
bool range_counts(const Headers& headers, std::string_view etag, int64_t modified_at_ms);

// Of PutObject, CopyObject (destination), CreateMultipartUpload and CompleteMultipartUpload.
// Errors: NotImplemented for what S3 does not take either (If-None-Match with an ETag).
S3Result<WriteConditions> write_conditions(const Headers& headers);

// Of DeleteObject: If-Match, x-amz-if-match-size, x-amz-if-match-last-modified-time. Errors:
// InvalidArgument.
S3Result<WriteConditions> delete_conditions(const Headers& headers);

// Errors: NotImplemented when there is a condition that is not among `honoured`: a write that was
// to be prevented must not happen because nobody looked.
S3Result<void> refuse_other_conditions(const Headers& headers,
                                       std::span<const std::string_view> honoured);

}  // namespace kura::s3
