// The small grammars in headers and elements: numbers, hex, base64, dates, ranges, copy sources,
// checksums, ETags. What parses is written again and parses to the same.
//
// Input: which grammar, then its text.

#include "base/limits.h"
#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"
#include "s3/op/conditions.h"
#include "s3/op/copy_source.h"
#include "s3/op/etag.h"
#include "s3/op/range.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

constexpr int64_t kYear10000Ms = 253'402'300'800'000;

void check_numbers(std::string_view text) {
  const auto number = s3::parse_decimal(text);
  if (number) {
    const std::string digits = std::to_string(*number);
    INVARIANT(text.ends_with(digits), "the digits");
    INVARIANT(text.substr(0, text.size() - digits.size()).find_first_not_of('0') ==
                  std::string_view::npos,
              "and zeros before them");
  }
  if (const auto raw = s3::hex_decode(text))
    INVARIANT(s3::hex_encode(*raw) == s3::lower_case(text), "hex has one form but for its case");
  if (const auto raw = s3::base64_decode(text))
    INVARIANT(s3::base64_encode(*raw) == text, "only canonical base64 is taken");
  INVARIANT(s3::hex_decode(s3::hex_encode(text)) == text, "hex round trip");
  INVARIANT(s3::base64_decode(s3::base64_encode(text)) == text, "base64 round trip");
}

void check_dates(std::string_view text) {
  for (const auto& ms :
       {s3::parse_http_date(text), s3::parse_iso8601(text), s3::parse_amz_date(text)}) {
    if (!ms) continue;
    INVARIANT(*ms >= 0 && *ms < kYear10000Ms, "a date of the years 1970 to 9999");
    const int64_t second = *ms / 1000 * 1000;
    INVARIANT(s3::parse_iso8601(s3::iso8601(*ms)) == *ms, "ISO 8601 round trip");
    INVARIANT(s3::parse_http_date(s3::http_date(*ms)) == second, "HTTP date round trip");
    INVARIANT(s3::parse_amz_date(s3::amz_date(*ms)) == second, "x-amz-date round trip");
  }
}

void check_range(std::string_view text, uint64_t size) {
  const s3::RangeChoice choice = s3::choose_range(text, size);
  switch (choice.kind) {
    case s3::RangeChoice::Kind::whole:
      INVARIANT(choice.range.offset_bytes == 0 && choice.range.length_bytes == size, "all of it");
      return;
    case s3::RangeChoice::Kind::part:
      INVARIANT(choice.range.length_bytes >= 1 && choice.range.offset_bytes < size &&
                    choice.range.length_bytes <= size - choice.range.offset_bytes,
                "within the object");
      return;
    case s3::RangeChoice::Kind::unsatisfiable:
      INVARIANT(!text.empty(), "no range is never wrong");
      return;
  }
}

void check_copy_source(std::string_view text) {
  const auto source = s3::parse_copy_source(text);
  if (!source) return;
  INVARIANT(!source->bucket.empty() && !source->key.empty(), "a bucket and a key");
  INVARIANT(source->key.size() <= kKeyBytesMax, "a bounded key");
  std::string written = "/" + s3::percent_encode(source->bucket + "/" + source->key, true);
  if (source->version_id) written += "?versionId=" + s3::percent_encode(*source->version_id, false);
  const auto again = s3::parse_copy_source(written);
  INVARIANT(again && again->bucket == source->bucket && again->key == source->key &&
                again->version_id == source->version_id,
            "a copy source reads as it was written");
}

void check_checksums(std::string_view text) {
  for (int i = v1::Checksum::CRC32; i <= v1::Checksum::SHA256; ++i) {
    const auto algorithm = static_cast<s3::Algorithm>(i);
    const auto raw = s3::parse_checksum(algorithm, text);
    if (!raw) continue;
    INVARIANT(raw->size() == s3::digest_bytes(algorithm), "of its length");
    v1::Checksum checksum;
    checksum.set_algorithm(algorithm);
    checksum.set_type(v1::Checksum::FULL_OBJECT);
    checksum.set_value(*raw);
    INVARIANT(s3::format_checksum(checksum) == text, "a checksum has one form");
  }
  const auto md5 = s3::md5_from_etag(text);
  if (md5) INVARIANT(md5->size() == 16, "an MD5");
  const std::string quoted = s3::quoted(text);
  INVARIANT(s3::unquoted(quoted) == text, "quotes come off as they went on");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const auto grammar = in.number<uint8_t>() % 5;
  if (grammar == 2) {
    const uint64_t size = in.number<uint64_t>();
    return check_range(in.rest(), size % kObjectBytesMax);
  }
  const std::string_view text = in.rest();
  if (grammar == 0) check_numbers(text);
  if (grammar == 1) check_dates(text);
  if (grammar == 3) check_copy_source(text);
  if (grammar == 4) check_checksums(text);
}

}  // namespace kura::fuzz
