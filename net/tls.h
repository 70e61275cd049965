// TLS 1.2 and 1.3 over any Stream: the server's side with certificates that change while it runs,
// and the client's side of the command line.
//
// OpenSSL works on memory here and the bytes travel through the inner Stream, so TLS needs no
// socket and the simulator can run it as well.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/stream.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX.

namespace kura {

// One loaded certificate, or one set of trusted authorities. Immutable; connections share it.
using TlsKeys = std::shared_ptr<ssl_ctx_st>;

// The certificate of a server, from two PEM files: the chain, the server's own first, and its
// unencrypted key. Thread-safe.
class TlsServerContext {
 public:
  // Errors: not_found, invalid_argument (not PEM, or the two do not belong together), io_error.
  static Result<std::shared_ptr<TlsServerContext>> load(std::string certificate_path,
                                                        std::string key_path);

  // Looks at the files again; to be called every few seconds and on a person's demand. Reads two
  // small files, blocking. True: later connections get the new certificate. False: nothing has
  // changed since the last call. Error: the new pair cannot be used and the old one stays; said
  // once for each content, so a pair caught half-written mends itself with the next call.
  Result<bool> reload();

  TlsKeys keys() const;
  int64_t ends_s() const;  // Unix time after which the server's certificate is not valid.

 private:
  TlsServerContext(std::string certificate_path, std::string key_path);

  const std::string certificate_path_;
  const std::string key_path_;
  mutable std::mutex mutex_;
  std::string seen_;  // Content of the files when they were last looked at.
  TlsKeys keys_;
};

// The streams of `inner`, with TLS. The handshake belongs to the first read or write of a stream,
// so a slow client does not hold up the others. `to_http`: what a client is told, as it is, that
// speaks HTTP without TLS.
std::unique_ptr<Acceptor> make_tls_acceptor(std::unique_ptr<Acceptor> inner,
                                            std::shared_ptr<TlsServerContext> context,
                                            std::string to_http = {});

struct TlsClientOptions {
  std::string ca_path;    // PEM; "" is the system's authorities.
  bool insecure = false;  // Takes any certificate for any name.
};

// Errors: not_found, invalid_argument, io_error.
Result<TlsKeys> make_tls_client(const TlsClientOptions& options);

// A connected stream with TLS. The certificate must be good for `host`, a name or an IP address.
// The handshake belongs to the first read or write, which fails with access_denied when the
// certificate is not to be trusted.
std::unique_ptr<Stream> make_tls_client_stream(std::unique_ptr<Stream> inner, TlsKeys keys,
                                               const std::string& host);

}  // namespace kura
