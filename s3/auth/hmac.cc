#include "s3/auth/hmac.h"

// The older interface: see s3/codec/checksum.cc.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>
#include <string>

#include "s3/codec/checksum.h"

namespace kura::s3 {
namespace {

// SHA-256 of `pad` and then `message`.
void sha256_after(const std::array<unsigned char, SHA256_CBLOCK>& pad, const void* message,
                  size_t size_bytes, unsigned char* out) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, message, size_bytes);
  SHA256_Final(out, &context);
  OPENSSL_cleanse(&context, sizeof context);
}

}  // namespace

Mac hmac_sha256(std::string_view key, std::string_view message) {
  std::string short_key;
  if (key.size() > SHA256_CBLOCK) {
    short_key = sha256_of(key);
    key = short_key;
  }
  std::array<unsigned char, SHA256_CBLOCK> inner, outer;
  inner.fill(0x36);
  outer.fill(0x5c);
  for (size_t i = 0; i < key.size(); ++i) {
    inner[i] ^= static_cast<unsigned char>(key[i]);
    outer[i] ^= static_cast<unsigned char>(key[i]);
  }
  Mac mac;
  static_assert(sizeof mac == SHA256_DIGEST_LENGTH);
  sha256_after(inner, message.data(), message.size(), mac.data());
  sha256_after(outer, mac.data(), mac.size(), mac.data());
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(outer.data(), outer.size());
  return mac;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kura::s3
