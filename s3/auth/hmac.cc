#include "s3/auth/hmac.h"

#include <openssl/crypto.h>

#include <cstring>
#include <string>

#include "s3/codec/checksum.h"

namespace kura::s3 {

Mac hmac_sha256(std::string_view key, std::string_view message) {
  constexpr size_t kBlock = 64;
  std::string short_key;
  if (key.size() > kBlock) {
    short_key = sha256_of(key);
    key = short_key;
  }
  std::string inner(kBlock, '\x36'), outer(kBlock, '\x5c');
  for (size_t i = 0; i < key.size(); ++i) {
    inner[i] = static_cast<char>(inner[i] ^ key[i]);
    outer[i] = static_cast<char>(outer[i] ^ key[i]);
  }
  inner += message;
  outer += sha256_of(inner);
  const std::string digest = sha256_of(outer);
  Mac mac;
  std::memcpy(mac.data(), digest.data(), mac.size());
  OPENSSL_cleanse(inner.data(), kBlock);
  OPENSSL_cleanse(outer.data(), kBlock);
  return mac;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace kura::s3
