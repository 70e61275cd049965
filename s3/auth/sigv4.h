// AWS Signature Version 4 for S3, both sides: what a request claims, and what a signature must be
// (S3 API, "Authenticating Requests (AWS Signature Version 4)").
//
// Pure: no clock, no look-ups; time comes in as milliseconds since 1970.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/auth/hmac.h"
#include "s3/http/message.h"

namespace kura::s3 {

inline constexpr std::string_view kSigV4Algorithm = "AWS4-HMAC-SHA256";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";
inline constexpr std::string_view kStreamingSigned = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
inline constexpr std::string_view kStreamingSignedTrailer =
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
inline constexpr std::string_view kStreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
inline constexpr int64_t kClockSkewMaxMs = 15 * 60 * 1000;
inline constexpr int64_t kPresignSecondsMax = 7 * 24 * 3600;

using SigningKey = Mac;

struct Scope {
  std::string date;    // "20130524"
  std::string region;  // "us-east-1"
  std::string service = "s3";
  std::string text() const;  // "20130524/us-east-1/s3/aws4_request"
};

// What a request says about its own signature; nothing in it is proved yet.
struct SignatureClaim {
  SignatureClaim();
  SignatureClaim(const SignatureClaim&);
  SignatureClaim(SignatureClaim&&) noexcept;
  SignatureClaim& operator=(const SignatureClaim&);
  SignatureClaim& operator=(SignatureClaim&&) noexcept;
  ~SignatureClaim();

  bool presigned = false;
  std::string access_key;
  Scope scope;
  std::string timestamp;       // "20130524T000000Z"
  int64_t time_ms = 0;         // The same.
  int64_t expires_s = 0;       // Presigned only.
  std::string signed_headers;  // "host;x-amz-date": lower case, as listed.
  std::string signature;       // 64 lower-case hex digits.
  std::string payload_hash;    // x-amz-content-sha256, or its default.

  std::vector<std::string_view> signed_header_names() const;
};

// None: the request carries no credentials at all. Errors: AWS's codes for malformed, doubled,
// Signature Version 2 and 4A forms.
S3Result<std::optional<SignatureClaim>> parse_claim(const RequestHead& head);

// Time, scope and signed-header rules. `region` is checked unless empty.
S3Result<void> check_claim(const SignatureClaim& claim, const RequestHead& head, int64_t now_ms,
                           std::string_view region);

// How query parameters of one name are ordered: by value, as the specification says, or as sent,
// which is how minio-go signs them.
enum class RepeatedParams : uint8_t { by_value, as_sent };

// Errors: InvalidURI (a bad percent escape).
S3Result<std::string> canonical_request(const RequestHead& head, const SignatureClaim& claim,
                                        RepeatedParams order = RepeatedParams::by_value);
std::string string_to_sign(std::string_view timestamp, const Scope& scope,
                           std::string_view canonical_request);

SigningKey derive_signing_key(std::string_view secret, const Scope& scope);
std::string signature_of(const SigningKey& key, std::string_view string_to_sign);  // Hex.

// Signatures inside a streaming body; `previous` is the seed or the last chunk's signature.
struct ChunkSigner {
  SigningKey key;
  std::string timestamp;
  Scope scope;
  std::string previous;

  // Advances `previous`. `payload_sha256` is the raw digest of the chunk's bytes.
  std::string chunk(std::string_view payload_sha256);
  // `trailer_fields`: "name:value\n" for each, names in lower case, as sent.
  std::string trailer(std::string_view trailer_fields);
};

}  // namespace kura::s3
