#include "s3/op/list_token.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kura::s3 {
namespace {

TEST(ListToken, GivesTheNameBack) {
  rc::check([](const std::string& name, const std::string& scope) {
    std::string token = make_list_token(TokenKind::objects, scope, name);
    auto parsed = parse_list_token(TokenKind::objects, scope, token);
    RC_ASSERT(parsed.has_value());
    RC_ASSERT(*parsed == name);
    // Goes through a query as it is.
    for (char c : token) RC_ASSERT(isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_');
  });
}

TEST(ListToken, OfAnotherListingIsRefused) {
  std::string token = make_list_token(TokenKind::objects, "bucket", "name");
  EXPECT_FALSE(parse_list_token(TokenKind::objects, "other", token));
  EXPECT_FALSE(parse_list_token(TokenKind::buckets, "bucket", token));
  EXPECT_EQ(parse_list_token(TokenKind::objects, "other", token).error().code, "InvalidArgument");
}

TEST(ListToken, EveryChangedCharacterIsNoticed) {
  std::string token = make_list_token(TokenKind::objects, "bucket", "photos/2026/\xc3\xa4.jpg");
  for (size_t i = 0; i < token.size(); ++i) {
    for (char c : {'A', 'b', '9', '-', '_', '+', '=', ' '}) {
      if (token[i] == c) continue;
      std::string changed = token;
      changed[i] = c;
      EXPECT_FALSE(parse_list_token(TokenKind::objects, "bucket", changed)) << changed;
    }
  }
  for (size_t size = 0; size < token.size(); ++size)
    EXPECT_FALSE(parse_list_token(TokenKind::objects, "bucket", token.substr(0, size)));
  EXPECT_FALSE(parse_list_token(TokenKind::objects, "bucket", token + "A"));
  EXPECT_FALSE(parse_list_token(TokenKind::objects, "bucket", token + "="));
}

}  // namespace
}  // namespace kura::s3
