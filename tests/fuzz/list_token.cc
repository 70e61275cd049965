// Continuation tokens: one text for each name, and none that this store did not make.
//
// Input: kind, scope (length first), then a token or a name.

#include "s3/op/list_token.h"

#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {

void fuzz_one(std::string_view input) {
  Input in(input);
  const auto kind = in.number<uint8_t>() % 2 == 0 ? s3::TokenKind::objects : s3::TokenKind::buckets;
  const auto other =
      kind == s3::TokenKind::objects ? s3::TokenKind::buckets : s3::TokenKind::objects;
  const std::string scope(in.text());
  const std::string_view text = in.rest();

  const auto name = s3::parse_list_token(kind, scope, text);
  if (name)
    INVARIANT(s3::make_list_token(kind, scope, *name) == text, "a token has one form");
  else
    INVARIANT(name.error().code == "InvalidArgument", "what a bad token is");

  const std::string token = s3::make_list_token(kind, scope, text);
  INVARIANT(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_") == std::string::npos,
            "a token needs no escaping");
  const auto again = s3::parse_list_token(kind, scope, token);
  INVARIANT(again && *again == text, "a token names where the page ended");
  INVARIANT(!s3::parse_list_token(kind, scope + "x", token), "of this bucket only");
  INVARIANT(!s3::parse_list_token(other, scope, token), "of this listing only");
  INVARIANT(!s3::parse_list_token(kind, scope, token + "A"), "whole");
}

}  // namespace kura::fuzz
