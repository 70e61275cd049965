// SealedBox: small secrets (the secrets of access keys) encrypted with a key that is derived from
// the root secret: AES-256-GCM (NIST SP 800-38D) under HKDF-SHA-256 (RFC 5869).

#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace kura {

class SealedBox {
 public:
  // `purpose` keeps keys for different uses apart.
  SealedBox(std::string_view root_secret, std::string_view purpose);

  // sealed = version(1) nonce(12) ciphertext tag(16). `context` must be the same to open it.
  std::string seal(std::string_view plain, std::string_view context, Random& random) const;
  // Errors: corrupt (another key or context, or damage), unsupported (a newer version).
  Result<std::string> open(std::string_view sealed, std::string_view context) const;

 private:
  std::string key_;  // 32 bytes.
};

}  // namespace kura
