// How LIST rolls keys up: a name is a key, or the common prefix that stands for all keys which
// share the query's prefix and what follows up to the first delimiter (S3 API, ListObjectsV2).

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kura {

// The common prefix that `key` rolls up into; none if it is listed itself.
// REQUIRES: `key` starts with `prefix`.
inline std::optional<std::string_view> common_prefix(std::string_view key, std::string_view prefix,
                                                     std::string_view delimiter) {
  if (delimiter.empty()) return std::nullopt;
  const size_t at = key.find(delimiter, prefix.size());
  if (at == std::string_view::npos) return std::nullopt;
  return key.substr(0, at + delimiter.size());
}

}  // namespace kura
