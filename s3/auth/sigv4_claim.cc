// What a request claims: the Authorization header or the presigned query, and the rules about time,
// scope and signed headers. The messages are AWS's, because people search for them.

#include <algorithm>

#include "s3/auth/sigv4.h"
#include "s3/codec/encoding.h"
#include "s3/codec/time.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kSigV4aAlgorithm = "AWS4-ECDSA-P256-SHA256";

S3Error signature_v2() {
  return s3_error("InvalidRequest",
                  "The authorization mechanism you have provided is not supported. Please use "
                  "AWS4-HMAC-SHA256.");
}

S3Error signature_v4a() {
  return s3_error("NotImplemented",
                  "Signature Version 4A is not implemented. Please use "
                  "AWS4-HMAC-SHA256.");
}

S3Error malformed_header(std::string_view what) {
  return s3_error("AuthorizationHeaderMalformed",
                  "The authorization header is malformed; " + std::string(what));
}

S3Error malformed_query(std::string message) {
  return s3_error("AuthorizationQueryParametersError", std::move(message));
}

// `why` follows "The authorization header is malformed; " or its twin for queries.
S3Error malformed_credential(bool presigned, std::string_view why) {
  if (!presigned) return malformed_header(why);
  return malformed_query("Error parsing the X-Amz-Credential parameter; " + std::string(why));
}

// "AKID/20130524/us-east-1/s3/aws4_request". The key itself may hold slashes.
S3Result<void> parse_credential(std::string_view text, SignatureClaim* claim) {
  std::string_view parts[4];
  for (int i = 3; i >= 0; --i) {
    const size_t slash = text.rfind('/');
    if (slash == std::string_view::npos)
      return s3_fail(malformed_credential(
          claim->presigned,
          "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/"
          "aws4_request\"."));
    parts[i] = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  if (text.empty()) return s3_fail(malformed_credential(claim->presigned, "the key is empty."));
  if (parts[3] != "aws4_request")
    return s3_fail(malformed_credential(claim->presigned,
                                        "incorrect terminal. This endpoint uses "
                                        "\"aws4_request\"."));
  if (parts[2] != "s3")
    return s3_fail(malformed_credential(claim->presigned,
                                        "incorrect service. This endpoint belongs to \"s3\"."));
  claim->access_key = text;
  claim->scope = {std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
  return {};
}

bool parse_signed_headers(std::string_view text, SignatureClaim* claim) {
  if (text.empty() || text.front() == ';' || text.back() == ';') return false;
  claim->signed_headers = text;
  // Sorted: a head has room for thousands of names, and nobody has proved anything yet.
  std::vector<std::string_view> names = claim->signed_header_names();
  std::sort(names.begin(), names.end());
  // In a query they are decoded: a name with a line end would be two lines of what is signed.
  return std::all_of(names.begin(), names.end(), is_token) &&
         std::adjacent_find(names.begin(), names.end()) == names.end();
}

// x-amz-date, or Date when there is none.
S3Result<void> take_date(const RequestHead& head, SignatureClaim* claim) {
  std::string_view text = head.headers.get("x-amz-date");
  if (!head.headers.has("x-amz-date")) {
    text = head.headers.get("date");
    const std::optional<int64_t> ms = parse_http_date(text);
    if (ms) {
      claim->time_ms = *ms;
      claim->timestamp = amz_date(*ms);
      return {};
    }
  }
  const std::optional<int64_t> ms = parse_amz_date(text);
  if (!ms || head.headers.count("x-amz-date") > 1)
    return s3_fail("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header");
  claim->time_ms = *ms;
  claim->timestamp = text;
  return {};
}

// "Credential=..., SignedHeaders=..., Signature=..." in any order, each once.
S3Result<void> parse_authorization(std::string_view fields, SignatureClaim* claim) {
  std::string_view credential, headers;
  while (!fields.empty()) {
    const size_t end = std::min(fields.find(','), fields.size());
    const std::string_view field = trim_spaces(fields.substr(0, end));
    fields.remove_prefix(std::min(end + 1, fields.size()));
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) return s3_fail(malformed_header("a field has no value."));
    const std::string_view name = field.substr(0, equals), value = field.substr(equals + 1);
    const auto once = [&](auto* target) {
      if (!target->empty() || value.empty()) return false;
      *target = value;
      return true;
    };
    const bool good = name == "Credential"      ? once(&credential)
                      : name == "SignedHeaders" ? once(&headers)
                      : name == "Signature"     ? once(&claim->signature)
                                                : false;
    if (!good) return s3_fail(malformed_header("a field is empty, doubled or unknown."));
  }
  if (credential.empty() || headers.empty() || claim->signature.empty())
    return s3_fail(malformed_header("Credential, SignedHeaders and Signature are required."));
  if (auto parsed = parse_credential(credential, claim); !parsed) return parsed;
  if (!parse_signed_headers(headers, claim))
    return s3_fail(malformed_header("SignedHeaders is not a list of header names."));
  return {};
}

S3Result<SignatureClaim> header_claim(const RequestHead& head) {
  const std::string_view value = trim_spaces(head.headers.get("authorization"));
  const std::string_view scheme = value.substr(0, value.find(' '));
  if (scheme == "AWS") return s3_fail(signature_v2());
  if (scheme == kSigV4aAlgorithm) return s3_fail(signature_v4a());
  if (scheme != kSigV4Algorithm)
    return s3_fail("InvalidArgument", "Unsupported Authorization Type");

  SignatureClaim claim;
  if (auto parsed = parse_authorization(value.substr(scheme.size()), &claim); !parsed)
    return s3_fail(std::move(parsed.error()));
  if (auto taken = take_date(head, &claim); !taken) return s3_fail(std::move(taken.error()));
  if (!head.headers.has("x-amz-content-sha256"))
    return s3_fail("InvalidRequest",
                   "Missing required header for this request: x-amz-content-sha256");
  claim.payload_hash = head.headers.get("x-amz-content-sha256");
  return claim;
}

S3Result<int64_t> parse_expires(std::string_view text) {
  if (text.starts_with("-")) return s3_fail(malformed_query("X-Amz-Expires must be non-negative"));
  const std::optional<uint64_t> seconds = parse_decimal(text);
  if (!seconds) return s3_fail(malformed_query("X-Amz-Expires should be a number"));
  if (*seconds == 0) return s3_fail(malformed_query("X-Amz-Expires must be at least one second"));
  if (*seconds > static_cast<uint64_t>(kPresignSecondsMax))
    return s3_fail(malformed_query(
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires "
        "must be less than 604800 seconds"));
  return static_cast<int64_t>(*seconds);
}

struct PresignedParams {
  std::string algorithm, credential, date, expires, signed_headers, signature, content_sha256;

  // Null: another parameter.
  std::string* field(std::string_view name) {
    if (name == "X-Amz-Algorithm") return &algorithm;
    if (name == "X-Amz-Credential") return &credential;
    if (name == "X-Amz-Date") return &date;
    if (name == "X-Amz-Expires") return &expires;
    if (name == "X-Amz-SignedHeaders") return &signed_headers;
    if (name == "X-Amz-Signature") return &signature;
    if (name == "X-Amz-Content-Sha256") return &content_sha256;
    return nullptr;
  }
  bool complete() const {
    return !algorithm.empty() && !credential.empty() && !date.empty() && !expires.empty() &&
           !signed_headers.empty() && !signature.empty();
  }
};

S3Result<SignatureClaim> presigned_claim(const RequestHead& head, const QueryParams& params) {
  PresignedParams p;
  for (const auto& [name, value] : params)
    if (std::string* field = p.field(name)) {
      if (!field->empty()) return s3_fail(malformed_query(name + " is given more than once"));
      *field = value;
    }
  if (p.algorithm == kSigV4aAlgorithm) return s3_fail(signature_v4a());
  if (!p.algorithm.empty() && p.algorithm != kSigV4Algorithm)
    return s3_fail(malformed_query("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
  if (!p.complete())
    return s3_fail(malformed_query(
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
        "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."));

  SignatureClaim claim;
  claim.presigned = true;
  if (auto parsed = parse_credential(p.credential, &claim); !parsed)
    return s3_fail(std::move(parsed.error()));
  const std::optional<int64_t> ms = parse_amz_date(p.date);
  if (!ms)
    return s3_fail(
        malformed_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
  S3Result<int64_t> expires = parse_expires(p.expires);
  if (!expires) return s3_fail(std::move(expires.error()));
  if (!parse_signed_headers(p.signed_headers, &claim))
    return s3_fail(malformed_query("X-Amz-SignedHeaders is not a list of header names"));
  claim.time_ms = *ms;
  claim.timestamp = p.date;
  claim.expires_s = *expires;
  claim.signature = p.signature;
  claim.payload_hash = !p.content_sha256.empty() ? p.content_sha256
                       : head.headers.has("x-amz-content-sha256")
                           ? std::string(head.headers.get("x-amz-content-sha256"))
                           : std::string(kUnsignedPayload);
  return claim;
}

S3Result<void> check_time(const SignatureClaim& claim, int64_t now_ms) {
  if (!claim.presigned) {
    if (now_ms - claim.time_ms <= kClockSkewMaxMs && claim.time_ms - now_ms <= kClockSkewMaxMs)
      return {};
    S3Error error = s3_error("RequestTimeTooSkewed");
    error.details = {{"RequestTime", claim.timestamp},
                     {"ServerTime", iso8601(now_ms)},
                     {"MaxAllowedSkewMilliseconds", std::to_string(kClockSkewMaxMs)}};
    return s3_fail(std::move(error));
  }
  if (claim.time_ms - now_ms > kClockSkewMaxMs)
    return s3_fail("AccessDenied", "Request is not valid yet");
  const int64_t end_ms = claim.time_ms + claim.expires_s * 1000;
  if (now_ms <= end_ms) return {};
  S3Error error = s3_error("AccessDenied", "Request has expired");
  error.details = {{"X-Amz-Expires", std::to_string(claim.expires_s)},
                   {"Expires", iso8601(end_ms)},
                   {"ServerTime", iso8601(now_ms)}};
  return s3_fail(std::move(error));
}

S3Result<void> check_scope(const SignatureClaim& claim, std::string_view region) {
  if (claim.scope.date != std::string_view(claim.timestamp).substr(0, 8))
    return s3_fail(malformed_credential(
        claim.presigned, "Invalid credential date. This date is not the same as X-Amz-Date."));
  if (region.empty() || claim.scope.region == region) return {};
  S3Error error = malformed_credential(
      claim.presigned,
      "the region '" + claim.scope.region + "' is wrong; expecting '" + std::string(region) + "'");
  error.details = {{"Region", std::string(region)}};
  error.headers = {{"x-amz-bucket-region", std::string(region)}};  // For HEAD, which has no body.
  return s3_fail(std::move(error));
}

S3Result<void> check_signed_headers(const SignatureClaim& claim, const RequestHead& head) {
  std::string missing;
  std::vector<std::string_view> list = claim.signed_header_names();
  std::sort(list.begin(), list.end());
  for (const auto& [name, value] : head.headers.all()) {
    if (name != "host" && !name.starts_with("x-amz-")) continue;
    if (std::binary_search(list.begin(), list.end(), name)) continue;
    missing += missing.empty() ? name : ", " + name;
  }
  if (missing.empty()) return {};
  S3Error error =
      s3_error("AccessDenied", "There were headers present in the request which were not signed");
  error.details = {{"HeadersNotSigned", std::move(missing)}};
  return s3_fail(std::move(error));
}

}  // namespace

S3Result<std::optional<SignatureClaim>> parse_claim(const RequestHead& head) {
  S3Result<QueryParams> params = parse_query(head.query);
  if (!params) return s3_fail(std::move(params.error()));
  bool query_v4 = false, query_v2 = false;
  for (const auto& [name, value] : *params) {
    query_v4 |=
        name == "X-Amz-Algorithm" || name == "X-Amz-Credential" || name == "X-Amz-Signature";
    query_v2 |= name == "AWSAccessKeyId" || name == "Signature";
  }
  const size_t in_header = head.headers.count("authorization");
  if (in_header + query_v4 + query_v2 > 1)
    return s3_fail("InvalidArgument",
                   "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                   "Signature query string parameter or the Authorization header should be "
                   "specified");
  if (query_v2) return s3_fail(signature_v2());
  if (in_header + query_v4 == 0) return std::nullopt;
  S3Result<SignatureClaim> claim = query_v4 ? presigned_claim(head, *params) : header_claim(head);
  if (!claim) return s3_fail(std::move(claim.error()));
  if (head.headers.count("x-amz-content-sha256") > 1)
    return s3_fail("InvalidArgument", "x-amz-content-sha256 is given more than once");
  return std::optional(std::move(*claim));
}

S3Result<void> check_claim(const SignatureClaim& claim, const RequestHead& head, int64_t now_ms,
                           std::string_view region) {
  if (auto good = check_scope(claim, region); !good) return good;
  if (auto good = check_signed_headers(claim, head); !good) return good;
  return check_time(claim, now_ms);
}

}  // namespace kura::s3
