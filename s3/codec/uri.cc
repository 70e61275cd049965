#include "s3/codec/uri.h"

#include <algorithm>
#include <cstdint>

#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// Calls fn(name, value) with each raw parameter.
template <class Fn>
bool each_param(std::string_view raw, Fn fn) {
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view param = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    if (param.empty()) continue;
    const size_t equals = param.find('=');
    const bool has_value = equals != std::string_view::npos;
    const std::string_view value = has_value ? param.substr(equals + 1) : std::string_view();
    if (!fn(param.substr(0, equals), value, has_value)) return false;
  }
  return true;
}

// Bytes of the sequence that begins here, 0 if it is not UTF-8 (RFC 3629, section 4).
size_t utf8_sequence(std::string_view s) {
  const auto at = [&](size_t i) { return i < s.size() ? static_cast<uint8_t>(s[i]) : 0; };
  const auto tail = [&](size_t i) { return (at(i) & 0xc0) == 0x80; };
  const uint8_t b0 = at(0), b1 = at(1);
  if (b0 < 0x80) return 1;
  if (b0 >= 0xc2 && b0 <= 0xdf) return tail(1) ? 2 : 0;
  if ((b0 & 0xf0) == 0xe0) {
    const uint8_t low = b0 == 0xe0 ? 0xa0 : 0x80;
    const uint8_t high = b0 == 0xed ? 0x9f : 0xbf;
    return b1 >= low && b1 <= high && tail(2) ? 3 : 0;
  }
  if (b0 >= 0xf0 && b0 <= 0xf4) {
    const uint8_t low = b0 == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = b0 == 0xf4 ? 0x8f : 0xbf;
    return b1 >= low && b1 <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string percent_encode(std::string_view bytes, bool keep_slash) {
  const auto stays = [keep_slash](char c) { return is_unreserved(c) || (c == '/' && keep_slash); };
  const auto plain = std::find_if_not(bytes.begin(), bytes.end(), stays) - bytes.begin();
  std::string out{bytes.substr(0, static_cast<size_t>(plain))};  // Nearly always all of it.
  for (char c : bytes.substr(out.size())) {
    if (stays(c)) {
      out += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out += '%';
      out += "0123456789ABCDEF"[byte >> 4];
      out += "0123456789ABCDEF"[byte & 15];
    }
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  const auto changes = [](char c) { return c == '%' || c == '+'; };
  const auto plain = std::find_if(text.begin(), text.end(), changes) - text.begin();
  std::string out{text.substr(0, static_cast<size_t>(plain))};  // Nearly always all of it.
  out.reserve(text.size());
  for (size_t i = out.size(); i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += c == '+' && plus_is_space ? ' ' : c;
    }
  }
  return out;
}

S3Result<QueryParams> parse_query(std::string_view raw) {
  QueryParams params;
  const bool good = each_param(raw, [&](std::string_view name, std::string_view value, bool) {
    std::optional<std::string> n = percent_decode(name, true);
    std::optional<std::string> v = percent_decode(value, true);
    if (!n || !v) return false;
    params.emplace_back(std::move(*n), std::move(*v));
    return true;
  });
  if (!good) return s3_fail("InvalidURI");
  return params;
}

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t n = utf8_sequence(bytes);
    if (n == 0) return false;
    bytes.remove_prefix(n);
  }
  return true;
}

std::string with_utf8_only(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t n = utf8_sequence(bytes);
    out += n == 0 ? std::string_view("\xef\xbf\xbd") : bytes.substr(0, n);
    bytes.remove_prefix(n == 0 ? 1 : n);
  }
  return out;
}

std::string redact_query(std::string_view raw) {
  std::string out;
  each_param(raw, [&](std::string_view name, std::string_view value, bool has_value) {
    if (!out.empty()) out += '&';
    out += name;
    if (!has_value) return true;
    // Decoded first: an escaped letter must not carry a signature into the log.
    const std::string plain = lower_case(percent_decode(name, true).value_or(std::string(name)));
    const bool secret = plain == "x-amz-signature" || plain == "x-amz-security-token" ||
                        plain == "x-amz-credential" || plain == "signature" ||
                        plain == "awsaccesskeyid";
    out += '=';
    out += secret ? std::string_view("REDACTED") : value;
    return true;
  });
  return out;
}

}  // namespace kura::s3
