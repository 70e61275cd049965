// Percent encoding, queries and UTF-8, against second implementations of the same rules.

#include "s3/codec/uri.h"

#include "s3/codec/encoding.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

// By code points: the rule of RFC 3629 as it is said, not as a table of bytes.
bool decodes_as_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80             ? 1
                          : (lead & 0xe0) == 0xc0 ? 2
                          : (lead & 0xf0) == 0xe0 ? 3
                          : (lead & 0xf8) == 0xf0 ? 4
                                                  : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t point = length == 1 ? lead : lead & (0x7f >> length);
    for (size_t j = 1; j < length; ++j) {
      const auto tail = static_cast<uint8_t>(text[i + j]);
      if ((tail & 0xc0) != 0x80) return false;
      point = point << 6 | (tail & 0x3f);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLeast[length] || point > 0x10ffff) return false;
    if (point >= 0xd800 && point <= 0xdfff) return false;
    i += length;
  }
  return true;
}

void check_escaping(std::string_view text) {
  for (bool keep_slash : {false, true}) {
    const std::string encoded = s3::percent_encode(text, keep_slash);
    INVARIANT(s3::percent_decode(encoded, true) == text, "decode(encode(x)) is x");
    INVARIANT(encoded.find_first_of("&=? \r\n+#") == std::string::npos, "nothing that separates");
  }
  for (bool plus : {false, true}) {
    const auto decoded = s3::percent_decode(text, plus);
    if (!decoded) continue;
    INVARIANT(decoded->size() <= text.size(), "decoding makes nothing longer");
    const auto again = s3::percent_decode(s3::percent_encode(*decoded, true), plus);
    INVARIANT(again == decoded, "one form for each text");
  }
}

bool is_secret(std::string name) {
  name = s3::lower_case(name);
  return name == "x-amz-signature" || name == "x-amz-security-token" ||
         name == "x-amz-credential" || name == "signature" || name == "awsaccesskeyid";
}

void check_query(std::string_view text) {
  const auto params = s3::parse_query(text);
  const std::string redacted = s3::redact_query(text);
  if (!params) {
    INVARIANT(params.error().code == "InvalidURI", "what a bad escape is");
    return;
  }
  std::string written;
  for (const auto& [name, value] : *params)
    written += (written.empty() ? "" : "&") + s3::percent_encode(name, false) + "=" +
               s3::percent_encode(value, false);
  const auto again = s3::parse_query(written);
  INVARIANT(again && *again == *params, "a query reads as it was written");
  const auto logged = s3::parse_query(redacted);
  INVARIANT(logged && logged->size() == params->size(), "as many parameters in the log");
  for (size_t i = 0; i < params->size(); ++i) {
    const auto& [name, value] = (*params)[i];
    INVARIANT((*logged)[i].first == name, "the same names in the log");
    const bool hidden = is_secret(name) && !value.empty();
    INVARIANT((*logged)[i].second == (hidden ? "REDACTED" : value) || is_secret(name),
              "every other value in the log");
    if (hidden) INVARIANT((*logged)[i].second == "REDACTED", "no secret in the log");
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  INVARIANT(s3::is_utf8(input) == decodes_as_utf8(input), "two readings of RFC 3629");
  check_escaping(input);
  check_query(input);
}

}  // namespace kura::fuzz
