#include "s3/op/copy_source.h"

#include <utility>

#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/op/params.h"

namespace kura::s3 {

S3Result<CopySource> parse_copy_source(std::string_view text) {
  if (text.starts_with("arn:")) return s3_fail("NotImplemented", "A copy source that is an ARN");
  CopySource source;
  std::string_view path = text;
  constexpr std::string_view kVersion = "?versionId=";
  if (size_t at = path.rfind(kVersion); at != std::string_view::npos) {
    std::optional<std::string> version = percent_decode(path.substr(at + kVersion.size()), false);
    if (!version) {
      return s3_fail(invalid_argument("Invalid version id specified", "x-amz-copy-source", text));
    }
    source.version_id = std::move(*version);
    path = path.substr(0, at);
  }
  std::optional<std::string> decoded = percent_decode(path, false);
  if (!decoded) {
    return s3_fail(invalid_argument("Invalid copy source encoding.", "x-amz-copy-source", text));
  }
  std::string_view rest = *decoded;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size()) {
    return s3_fail(invalid_argument("Invalid copy source object key", "x-amz-copy-source", text));
  }
  source.bucket = rest.substr(0, slash);
  source.key = rest.substr(slash + 1);
  if (source.key.size() > kKeyBytesMax) return s3_fail("KeyTooLongError");
  return source;
}

}  // namespace kura::s3
