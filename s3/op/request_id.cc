#include "s3/op/request_id.h"

#include <algorithm>
#include <string>
#include <vector>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

// Length first, so that two fields never run into one another.
void append_field(std::string* out, std::string_view field) {
  for (int shift = 56; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(static_cast<uint64_t>(field.size()) >> shift));
  }
  out->append(field);
}

bool is_of_the_signature(std::string_view lower_name) {
  constexpr std::string_view kNames[] = {
      "x-amz-algorithm", "x-amz-credential",    "x-amz-date",           "x-amz-expires",
      "x-amz-signature", "x-amz-signedheaders", "x-amz-security-token", "x-amz-content-sha256"};
  return std::find(std::begin(kNames), std::end(kNames), lower_name) != std::end(kNames);
}

bool is_read_by_s3(std::string_view name) {
  return (name.starts_with("x-amz-") || name.starts_with("if-") || name.starts_with("content-") ||
          name == "cache-control" || name == "expires" || name == "range") &&
         !is_of_the_signature(name);
}

}  // namespace

RequestId request_id_of(const Headers& headers, const Identity& identity) {
  std::string_view invocation = headers.get("amz-sdk-invocation-id");
  if (invocation.empty()) return {};
  std::string text = "invocation";
  append_field(&text, identity.access_key);
  append_field(&text, invocation);
  return uuid_from<RequestId>(sha256_of(text));
}

RequestId command_id(const RequestId& request, uint64_t index) {
  if (request.is_nil()) return {};
  std::string text = "command";
  append_field(&text, request.view());
  append_field(&text, std::to_string(index));
  return uuid_from<RequestId>(sha256_of(text));
}

uint64_t request_digest(const RequestHead& head, const Query& query, std::string_view body_digest) {
  std::string text;
  append_field(&text, head.method);
  append_field(&text, head.headers.get("host"));
  append_field(&text, head.path);
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [name, value] : query.all()) {
    if (!is_of_the_signature(lower_case(name))) fields.emplace_back("?" + name, value);
  }
  for (const auto& [name, value] : head.headers.all()) {
    if (is_read_by_s3(name)) fields.emplace_back(name, value);
  }
  std::sort(fields.begin(), fields.end());
  for (const auto& [name, value] : fields) {
    append_field(&text, name);
    append_field(&text, value);
  }
  append_field(&text, "body");
  append_field(&text, body_digest);
  std::string digest = sha256_of(text);
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | static_cast<uint8_t>(digest[i]);
  return value;
}

}  // namespace kura::s3
