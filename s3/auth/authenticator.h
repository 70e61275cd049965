// Authenticator: who sent a request, from its head alone, and how its body proves itself.

#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "s3/auth/identity.h"
#include "s3/auth/sigv4.h"
#include "s3/http/message.h"

namespace kura::s3 {

struct KeyRecord {
  std::string secret;
  Identity identity;
};

// Enabled keys only. From any thread.
class KeyLookup {
 public:
  virtual ~KeyLookup() = default;
  virtual std::optional<KeyRecord> find(std::string_view access_key) const = 0;
};

// A request whose signature is right.
struct VerifiedRequest {
  Identity identity;
  std::string payload_hash;  // x-amz-content-sha256: a hex digest, kUnsignedPayload, ...
  ChunkSigner chunks;        // For the streaming forms: its seed is the request's signature.
};

struct AuthSettings {
  std::string region;  // Checked in the credential scope if `region_strict`.
  bool region_strict = false;
};

// Signing keys of (secret, scope), so that a request costs one HMAC instead of five.
class SigningKeyCache {
 public:
  static constexpr size_t kEntriesMax = 1024;
  SigningKey get(std::string_view secret, const Scope& scope);
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, SigningKey, std::less<>> keys_;
  std::list<std::string> order_;  // Oldest first.
};

class Authenticator {
 public:
  // Both outlive it.
  Authenticator(const KeyLookup& keys, const Clock& clock, AuthSettings settings)
      : keys_(keys), clock_(clock), settings_(std::move(settings)) {}

  // Errors: AccessDenied (no credentials), InvalidAccessKeyId, SignatureDoesNotMatch,
  // RequestTimeTooSkewed, InvalidToken (a session token), and those of parse_claim() and
  // check_claim(). From any thread.
  S3Result<VerifiedRequest> verify(const RequestHead& head);

 private:
  const KeyLookup& keys_;
  const Clock& clock_;
  const AuthSettings settings_;
  SigningKeyCache signing_keys_;
};

}  // namespace kura::s3
