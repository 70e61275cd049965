// HeadParser: one request head from bytes, strictly (RFC 9112). Whatever two readers could
// understand differently is refused, so that no proxy in front can be made to disagree with us.
//
// Pure: fed with bytes, no I/O.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/http/message.h"

namespace kura::s3 {

struct ParsedHead {
  RequestHead head;
  size_t size_bytes = 0;  // Of the head in the input; the body or the next request follows.
};

// None: the head is not complete yet. Errors, with `close`: BadRequest; ExpectationFailed;
// RequestHeaderSectionTooLarge (kHttpHeadBytesMax bytes without an end, or too many fields).
S3Result<std::optional<ParsedHead>> parse_head(std::string_view input);

}  // namespace kura::s3
