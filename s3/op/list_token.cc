#include "s3/op/list_token.h"

#include <algorithm>
#include <optional>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

constexpr char kVersion = 1;
constexpr size_t kCheckBytes = 8;

std::string check_of(std::string_view head, std::string_view scope) {
  std::string text = "list token ";
  text += std::to_string(scope.size());
  text += ' ';
  text += scope;
  text += head;
  return sha256_of(text).substr(0, kCheckBytes);
}

}  // namespace

std::string make_list_token(TokenKind kind, std::string_view scope, std::string_view name) {
  std::string raw{kVersion, static_cast<char>(kind)};
  raw += name;
  raw += check_of(raw, scope);
  std::string token = base64_encode(raw);
  // The alphabet that needs no escaping in a query.
  std::replace(token.begin(), token.end(), '+', '-');
  std::replace(token.begin(), token.end(), '/', '_');
  while (token.ends_with('=')) token.pop_back();
  return token;
}

S3Result<std::string> parse_list_token(TokenKind kind, std::string_view scope,
                                       std::string_view token) {
  std::string text(token);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  std::optional<std::string> raw = base64_decode(text);
  if (raw && raw->size() >= 2 + kCheckBytes && (*raw)[0] == kVersion &&
      (*raw)[1] == static_cast<char>(kind)) {
    std::string_view head = std::string_view(*raw).substr(0, raw->size() - kCheckBytes);
    if (raw->substr(head.size()) == check_of(head, scope) &&
        make_list_token(kind, scope, head.substr(2)) == token) {
      return std::string(head.substr(2));
    }
  }
  return s3_fail(invalid_argument("The continuation token provided is incorrect",
                                  "continuation-token", token));
}

}  // namespace kura::s3
