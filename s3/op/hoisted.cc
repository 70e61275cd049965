#include "s3/op/hoisted.h"

#include <algorithm>

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"
#include "s3/op/params.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kNotHoisted[] = {"x-amz-algorithm",
                                            "x-amz-content-sha256",
                                            "x-amz-credential",
                                            "x-amz-date",
                                            "x-amz-expires",
                                            "x-amz-sdk-checksum-algorithm",
                                            "x-amz-security-token",
                                            "x-amz-signature",
                                            "x-amz-signedheaders",
                                            "x-amz-trailer",
                                            "x-amz-decoded-content-length"};

bool is_hoisted(std::string_view lower) {
  return lower.starts_with("x-amz-") && !algorithm_from_header(lower) &&
         std::find(std::begin(kNotHoisted), std::end(kNotHoisted), lower) == std::end(kNotHoisted);
}

}  // namespace

S3Result<std::optional<RequestHead>> with_hoisted_headers(const RequestHead& head,
                                                          const Query& query) {
  std::optional<RequestHead> with;
  for (const auto& [name, value] : query.all()) {
    std::string lower = lower_case(name);
    if (!is_hoisted(lower) || head.headers.has(lower)) continue;
    if (!is_token(lower) || !is_field_value(value))
      return s3_fail(invalid_argument("Not a header", name, value));
    if (!with) with = head;
    with->headers.add(std::move(lower), value);
  }
  return with;
}

}  // namespace kura::s3
