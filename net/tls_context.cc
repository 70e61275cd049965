#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cstring>
#include <ctime>
#include <fstream>

#include "net/tls.h"
#include "net/tls_openssl.h"

namespace kura {
namespace {

constexpr size_t kPemBytesMax = 1 << 20;
// RFC 9325 (BCP 195): forward secrecy and authenticated encryption only. For TLS 1.2; all of 1.3
// are such.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

Result<std::string> read_pem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    int code = errno;
    return fail(code == ENOENT ? Errc::not_found : Errc::io_error,
                "cannot read " + path + ": " + std::strerror(code));
  }
  std::string content(kPemBytesMax + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) return fail(Errc::io_error, "cannot read " + path);
  content.resize(static_cast<size_t>(file.gcount()));
  if (content.size() > kPemBytesMax)
    return fail(Errc::invalid_argument, path + " is too large for a PEM file");
  return content;
}

Bio make_bio(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

TlsKeys make_context(const SSL_METHOD* method) {
  TlsKeys keys(SSL_CTX_new(method), SSL_CTX_free);
  INVARIANT(keys != nullptr, "OpenSSL makes contexts");
  SSL_CTX_set_min_proto_version(keys.get(), TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(keys.get(), kCiphers);
  // Idle connections give their buffers back.
  SSL_CTX_set_mode(keys.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(keys.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_default_passwd_cb(keys.get(), [](char*, int, int, void*) { return 0; });
  return keys;
}

// HTTP/1.1 is what a server here speaks, whatever else a client offers (RFC 7301).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned int offered_size, void*) {
  static const unsigned char kHttp[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  int result =
      SSL_select_next_proto(&chosen, out_size, kHttp, sizeof kHttp - 1, offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

Result<void> use_chain(SSL_CTX* context, const std::string& pem, const std::string& path) {
  Bio bio = make_bio(pem);
  Certificate own(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
    return fail(Errc::invalid_argument, path + " holds no certificate: " + openssl_error());
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return fail(Errc::invalid_argument, path + ": " + openssl_error());
    }
  // Reading stops with "no start line" at the end of the file, and otherwise at damage.
  unsigned long end = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
    return fail(Errc::invalid_argument, path + " holds a damaged certificate");
  return {};
}

Result<TlsKeys> make_server(const std::string& certificate, const std::string& certificate_path,
                            const std::string& key, const std::string& key_path) {
  ERR_clear_error();
  TlsKeys keys = make_context(TLS_server_method());
  SSL_CTX_set_options(keys.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Clients resume by tickets, which cost a server no memory.
  SSL_CTX_set_session_cache_mode(keys.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(keys.get(), choose_protocol, nullptr);
  Result<void> chain = use_chain(keys.get(), certificate, certificate_path);
  if (!chain) return fail(chain.error());
  Bio bio = make_bio(key);
  auto no_password = [](char*, int, int, void*) { return 0; };
  Key parsed(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr), EVP_PKEY_free);
  if (!parsed)
    return fail(Errc::invalid_argument, key_path + " holds no unencrypted key: " + openssl_error());
  if (SSL_CTX_use_PrivateKey(keys.get(), parsed.get()) != 1 ||
      SSL_CTX_check_private_key(keys.get()) != 1)
    return fail(Errc::invalid_argument, key_path + " is not the key of " + certificate_path);
  return keys;
}

}  // namespace

std::string openssl_error() {
  unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "unexpected end";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

TlsServerContext::TlsServerContext(std::string certificate_path, std::string key_path)
    : certificate_path_(std::move(certificate_path)), key_path_(std::move(key_path)) {}

Result<std::shared_ptr<TlsServerContext>> TlsServerContext::load(std::string certificate_path,
                                                                 std::string key_path) {
  std::shared_ptr<TlsServerContext> context(
      new TlsServerContext(std::move(certificate_path), std::move(key_path)));
  Result<bool> loaded = context->reload();
  if (!loaded) return fail(loaded.error());
  return context;
}

Result<bool> TlsServerContext::reload() {
  Result<std::string> certificate = read_pem(certificate_path_);
  Result<std::string> key = read_pem(key_path_);
  std::lock_guard lock(mutex_);
  std::string now = certificate && key ? *certificate + '\0' + *key
                                       : (certificate ? key : certificate).error().detail;
  if (now == seen_) return false;
  seen_ = std::move(now);
  if (!certificate) return fail(certificate.error());
  if (!key) return fail(key.error());
  Result<TlsKeys> keys = make_server(*certificate, certificate_path_, *key, key_path_);
  if (!keys) return fail(keys.error());
  keys_ = std::move(*keys);
  return true;
}

TlsKeys TlsServerContext::keys() const {
  std::lock_guard lock(mutex_);
  return keys_;
}

int64_t TlsServerContext::ends_s() const {
  tm end{};
  const TlsKeys held = keys();
  X509* own = SSL_CTX_get0_certificate(held.get());
  const bool read = own && ASN1_TIME_to_tm(X509_get0_notAfter(own), &end) == 1;
  return read ? static_cast<int64_t>(timegm(&end)) : 0;
}

Result<TlsKeys> make_tls_client(const TlsClientOptions& options) {
  ERR_clear_error();
  TlsKeys keys = make_context(TLS_client_method());
  if (options.insecure) return keys;
  SSL_CTX_set_verify(keys.get(), SSL_VERIFY_PEER, nullptr);
  if (options.ca_path.empty()) {
    if (SSL_CTX_set_default_verify_paths(keys.get()) != 1)
      return fail(Errc::io_error, "cannot read the system's authorities: " + openssl_error());
    return keys;
  }
  Result<std::string> pem = read_pem(options.ca_path);
  if (!pem) return fail(pem.error());
  if (SSL_CTX_load_verify_file(keys.get(), options.ca_path.c_str()) != 1)
    return fail(Errc::invalid_argument,
                options.ca_path + " holds no authority: " + openssl_error());
  return keys;
}

}  // namespace kura
