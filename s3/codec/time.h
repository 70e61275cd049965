// The time formats of HTTP and S3, to and from milliseconds since 1970-01-01 UTC. Pure.
//
// Years 1970 to 9999. Impossible dates (30 February, 25:00) are refused.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kura::s3 {

std::string http_date(int64_t ms);  // "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7)
std::string iso8601(int64_t ms);    // "1994-11-06T08:49:37.000Z", as S3's XML has it
std::string amz_date(int64_t ms);   // "19941106T084937Z", as x-amz-date has it

// IMF-fixdate, RFC 850 and asctime forms. A two-digit year: 70-99 is 19xx, else 20xx.
std::optional<int64_t> parse_http_date(std::string_view text);
// With or without a fraction of a second; "Z" or "+hh:mm".
std::optional<int64_t> parse_iso8601(std::string_view text);
// What the last modification is compared with: the S3 documents show ISO 8601 for it, the SDKs send
// the date of RFC 9110.
std::optional<int64_t> parse_http_date_or_iso8601(std::string_view text);
std::optional<int64_t> parse_amz_date(std::string_view text);

}  // namespace kura::s3
