// Continuation tokens: where a page ended, as text that means nothing to a client. Pure.
//
//     token = base64url( version:1 kind:1 name check:8 )
//
// `check` binds the token to what was listed, so that one of another bucket, a damaged or an
// invented one is an InvalidArgument and not a wrong page. It is no secret: whoever may list may
// begin at any name.

#pragma once

#include <string>
#include <string_view>

#include "s3/http/error.h"

namespace kura::s3 {

enum class TokenKind : char { objects = 'o', buckets = 'b' };

// `scope`: the bucket's name; empty for ListBuckets.
std::string make_list_token(TokenKind kind, std::string_view scope, std::string_view name);

// The name. Errors: InvalidArgument.
S3Result<std::string> parse_list_token(TokenKind kind, std::string_view scope,
                                       std::string_view token);

}  // namespace kura::s3
