#include "s3/op/etag.h"

#include "s3/codec/encoding.h"

namespace kura::s3 {
std::string etag_of(const v1::ObjectVersion& version) {
  std::string etag = hex_encode(version.etag());
  if (version.part_count() > 0) etag += "-" + std::to_string(version.part_count());
  return etag;
}

std::string etag_of(const v1::Part& part) { return hex_encode(part.etag()); }

std::string quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

std::string_view unquoted(std::string_view etag) {
  etag = trim_spaces(etag);
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

std::optional<std::string> md5_from_etag(std::string_view etag) {
  std::string_view digits = unquoted(etag);
  if (digits.size() != 32) return std::nullopt;
  return hex_decode(digits);
}

bool etag_list_names(std::string_view list, std::string_view etag) {
  while (true) {
    size_t comma = list.find(',');
    std::string_view one = unquoted(list.substr(0, comma));
    if (one == "*" || one == etag) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace kura::s3
