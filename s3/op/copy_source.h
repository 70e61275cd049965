// x-amz-copy-source: which object a copy reads (S3 API, CopyObject). Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/http/error.h"

namespace kura::s3 {

struct CopySource {
  std::string bucket;
  std::string key;  // Decoded bytes.
  std::optional<std::string> version_id;
};

// "bucket/key" or "/bucket/key", percent-encoded, with "?versionId=id" behind it or not.
// Errors: InvalidArgument; NotImplemented for ARNs of access points.
S3Result<CopySource> parse_copy_source(std::string_view text);

}  // namespace kura::s3
