// URIs as S3 reads and writes them: RFC 3986 percent encoding with S3's unreserved characters
// (A-Z a-z 0-9 - . _ ~), queries, and the UTF-8 rule for keys. Pure.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "s3/http/error.h"

namespace kura::s3 {

// Upper-case hex. `keep_slash`: "/" stays (paths, encoding-type=url); else "%2F" (queries).
std::string percent_encode(std::string_view bytes, bool keep_slash);
// None: a "%" without two hex digits. `plus_is_space`: queries, not paths.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

// A name or a prefix in a listing: as it is, or encoded for "encoding-type=url".
inline std::string list_text(std::string_view key, bool encode_url) {
  return encode_url ? percent_encode(key, true) : std::string(key);
}

using QueryParams = std::vector<std::pair<std::string, std::string>>;
// "a=1&b&c=%20" in the order sent; a parameter without "=" has an empty value.
// Errors: InvalidURI (a bad escape).
S3Result<QueryParams> parse_query(std::string_view raw);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);
// Each byte that belongs to no sequence of UTF-8 replaced by U+FFFD.
std::string with_utf8_only(std::string_view bytes);

// The query with the values of credentials and signatures masked, for logs.
std::string redact_query(std::string_view raw);

}  // namespace kura::s3
