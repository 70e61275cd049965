#include "s3/auth/authenticator.h"

#include "s3/auth/hmac.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

// Session tokens belong to temporary credentials, and there are none.
bool has_session_token(const RequestHead& head) {
  if (!head.headers.get("x-amz-security-token").empty()) return true;
  const S3Result<QueryParams> params = parse_query(head.query);
  if (!params) return false;
  for (const auto& [name, value] : *params)
    if (name == "X-Amz-Security-Token" && !value.empty()) return true;
  return false;
}

// Whether the signature is over repeated query parameters in the order sent. Hashes nothing where
// that order is the canonical one, so for a request that repeats no name.
bool is_signed_as_sent(const RequestHead& head, const SignatureClaim& claim, const SigningKey& key,
                       const std::string& by_value) {
  const S3Result<std::string> as_sent = canonical_request(head, claim, RepeatedParams::as_sent);
  if (!as_sent || *as_sent == by_value) return false;
  const std::string text = string_to_sign(claim.timestamp, claim.scope, *as_sent);
  return equal_in_constant_time(signature_of(key, text), claim.signature);
}

// What a client needs to find its mistake; nothing that it did not send itself.
S3Error does_not_match(const SignatureClaim& claim, std::string canonical, std::string to_sign) {
  S3Error error = s3_error("SignatureDoesNotMatch");
  error.details = {{"AWSAccessKeyId", claim.access_key},
                   {"StringToSign", std::move(to_sign)},
                   {"SignatureProvided", claim.signature},
                   {"CanonicalRequest", std::move(canonical)}};
  return error;
}

}  // namespace

SigningKey SigningKeyCache::get(std::string_view secret, const Scope& scope) {
  std::string name;
  name.reserve(scope.date.size() + scope.region.size() + scope.service.size() + secret.size() + 3);
  name.append(scope.date).append("\n").append(scope.region).append("\n");
  name.append(scope.service).append("\n").append(secret);
  {
    std::lock_guard lock(mutex_);
    auto it = keys_.find(name);
    if (it != keys_.end()) return it->second;
  }
  const SigningKey key = derive_signing_key(secret, scope);
  std::lock_guard lock(mutex_);
  if (keys_.emplace(name, key).second) order_.push_back(std::move(name));
  if (keys_.size() > kEntriesMax) {
    keys_.erase(order_.front());
    order_.pop_front();
  }
  return key;
}

size_t SigningKeyCache::size() const {
  std::lock_guard lock(mutex_);
  return keys_.size();
}

S3Result<VerifiedRequest> Authenticator::verify(const RequestHead& head) {
  auto parsed = parse_claim(head);
  if (!parsed) return s3_fail(parsed.error());
  if (!*parsed) return s3_fail("AccessDenied");
  SignatureClaim& claim = **parsed;
  const std::string_view region =
      settings_.region_strict ? std::string_view(settings_.region) : std::string_view();
  auto checked = check_claim(claim, head, clock_.wall_ms(), region);
  if (!checked) return s3_fail(checked.error());
  if (has_session_token(head)) return s3_fail("InvalidToken");
  auto record = keys_.find(claim.access_key);
  if (!record) {
    S3Error error = s3_error("InvalidAccessKeyId");
    error.details.emplace_back("AWSAccessKeyId", claim.access_key);
    return s3_fail(std::move(error));
  }
  auto canonical = canonical_request(head, claim);
  if (!canonical) return s3_fail(canonical.error());
  // A signing key is only ever made for a date and region that passed check_claim().
  const SigningKey key = signing_keys_.get(record->secret, claim.scope);
  std::string text = string_to_sign(claim.timestamp, claim.scope, *canonical);
  if (!equal_in_constant_time(signature_of(key, text), claim.signature) &&
      !is_signed_as_sent(head, claim, key, *canonical))
    return s3_fail(does_not_match(claim, std::move(*canonical), std::move(text)));
  VerifiedRequest verified;
  verified.identity = std::move(record->identity);
  verified.payload_hash = std::move(claim.payload_hash);
  verified.chunks = ChunkSigner{key, std::move(claim.timestamp), std::move(claim.scope),
                                std::move(claim.signature)};
  return verified;
}

}  // namespace kura::s3
