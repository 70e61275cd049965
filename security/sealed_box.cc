#include "security/sealed_box.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <memory>

#include "base/check.h"

namespace kura {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceBytes = 12, kTagBytes = 16, kKeyBytes = 32;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

SealedBox::SealedBox(std::string_view root_secret, std::string_view purpose)
    : key_(kKeyBytes, '\0') {
  std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr),
                                                        EVP_KDF_free);
  std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(EVP_KDF_CTX_new(kdf.get()),
                                                                    EVP_KDF_CTX_free);
  char digest[] = "SHA256";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<char*>(root_secret.data()),
                                        root_secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<char*>(purpose.data()),
                                        purpose.size()),
      OSSL_PARAM_construct_end()};
  const int done = EVP_KDF_derive(context.get(), bytes_of(key_), key_.size(), params);
  INVARIANT(done == 1, "HKDF-SHA-256 is part of OpenSSL");
}

std::string SealedBox::seal(std::string_view plain, std::string_view context,
                            Random& random) const {
  std::string nonce(kNonceBytes, '\0');
  random.fill({bytes_of(nonce), nonce.size()});
  std::string cipher(plain.size(), '\0'), tag(kTagBytes, '\0');
  Context c(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  const bool ok =
      EVP_EncryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr, bytes_of(std::string_view(key_)),
                         bytes_of(std::string_view(nonce))) == 1 &&
      EVP_EncryptUpdate(c.get(), nullptr, &length, bytes_of(context),
                        static_cast<int>(context.size())) == 1 &&
      EVP_EncryptUpdate(c.get(), bytes_of(cipher), &length, bytes_of(plain),
                        static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(c.get(), nullptr, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  INVARIANT(ok, "AES-256-GCM is part of OpenSSL");
  return std::string(1, kVersion) + nonce + cipher + tag;
}

Result<std::string> SealedBox::open(std::string_view sealed, std::string_view context) const {
  if (sealed.empty()) return fail(Errc::corrupt, "empty sealed secret");
  if (sealed[0] != kVersion) return fail(Errc::unsupported, "a newer form of sealed secrets");
  if (sealed.size() < 1 + kNonceBytes + kTagBytes) return fail(Errc::corrupt, "sealed secret");
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view cipher =
      sealed.substr(1 + kNonceBytes, sealed.size() - 1 - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plain(cipher.size(), '\0');
  Context c(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int length = 0;
  const bool ok = EVP_DecryptInit_ex(c.get(), EVP_aes_256_gcm(), nullptr,
                                     bytes_of(std::string_view(key_)), bytes_of(nonce)) == 1 &&
                  EVP_DecryptUpdate(c.get(), nullptr, &length, bytes_of(context),
                                    static_cast<int>(context.size())) == 1 &&
                  EVP_DecryptUpdate(c.get(), bytes_of(plain), &length, bytes_of(cipher),
                                    static_cast<int>(cipher.size())) == 1 &&
                  EVP_CIPHER_CTX_ctrl(c.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
                  EVP_DecryptFinal_ex(c.get(), nullptr, &length) == 1;
  if (!ok) return fail(Errc::corrupt, "a sealed secret does not open: was the root key changed?");
  return plain;
}

}  // namespace kura
