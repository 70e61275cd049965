#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <deque>

#include "base/loop.h"
#include "net/tls.h"
#include "net/tls_openssl.h"

namespace kura {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;  // Largest plaintext of a record (RFC 8446, 5.1).
constexpr size_t kSealBytesMax = 4 * kRecordBytes;  // Sealed at once, then sent.
// An idle connection waits with a small buffer; a busy one gets a large one.
constexpr size_t kIdleReadBytes = 2 * 1024, kBusyReadBytes = 64 * 1024;
constexpr int64_t kGoodbyeNs = 1'000'000'000;  // A peer that takes nothing gets no close_notify.

// Lets one task in at a time. On one loop.
class Gate {
 public:
  Task<void> enter() {
    while (busy_)
      co_await suspend<Done>([this](Resolver<Done> resolve) { waiting_.push_back(resolve); });
    busy_ = true;
  }
  void leave() {
    busy_ = false;
    if (waiting_.empty()) return;
    Resolver<Done> next = waiting_.front();
    waiting_.pop_front();
    next(Done{});
  }
  bool busy() const { return busy_; }

 private:
  bool busy_ = false;
  std::deque<Resolver<Done>> waiting_;
};

// Outlives its stream while a task is inside.
struct Session {
  Session(std::unique_ptr<Stream> inner_in, TlsKeys keys_in)
      : inner(std::move(inner_in)),
        keys(std::move(keys_in)),
        ssl(SSL_new(keys.get()), SSL_free),
        arrived(BIO_new(BIO_s_mem())),
        leaving(BIO_new(BIO_s_mem())) {
    INVARIANT(ssl && arrived && leaving, "OpenSSL makes sessions");
    BIO_set_mem_eof_return(arrived, -1);       // Empty means later, not the end.
    SSL_set_bio(ssl.get(), arrived, leaving);  // Which then owns both.
  }

  std::unique_ptr<Stream> inner;
  TlsKeys keys;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl;
  BIO* arrived;         // Sealed bytes from the peer.
  BIO* leaving;         // Sealed bytes to the peer.
  std::string to_http;  // What a peer without TLS is told.
  Gate shaking, filling, flushing;
  bool ready = false;   // The handshake is done.
  bool closed = false;  // By us.
  bool ended = false;   // The peer's bytes have ended.
  bool busy = false;    // The last read filled its buffer.
  uint64_t fills = 0;
};
using SessionPtr = std::shared_ptr<Session>;

tl::unexpected<Error> closed_error(const Session& s) {
  return fail(Errc::closed, s.inner->peer() + ": the connection was closed");
}

// Sends what OpenSSL wants sent.
Task<Result<void>> flush(SessionPtr s) {
  co_await s->flushing.enter();
  Result<void> sent;
  while (sent && BIO_ctrl_pending(s->leaving) > 0) {
    std::string bytes(BIO_ctrl_pending(s->leaving), '\0');
    int taken = BIO_read(s->leaving, bytes.data(), static_cast<int>(bytes.size()));
    INVARIANT(taken == static_cast<int>(bytes.size()), "a memory BIO gives what it has");
    std::vector<std::string_view> pieces{bytes};
    sent = co_await s->inner->write(std::move(pieces));
  }
  s->flushing.leave();
  co_return sent;
}

// Takes more of the peer's bytes in. Success also at their end, which `ended` tells.
Task<Result<void>> fill(SessionPtr s) {
  uint64_t before = s->fills;
  co_await s->filling.enter();
  Result<void> result;
  if (s->fills == before && !s->ended) {  // Else another task has done it meanwhile.
    std::string buffer(s->busy ? kBusyReadBytes : kIdleReadBytes, '\0');
    Result<size_t> n = co_await s->inner->read_some(buffer.data(), buffer.size());
    ++s->fills;
    if (!n) {
      result = fail(n.error());
    } else if (*n == 0) {
      s->ended = true;
    } else {
      s->busy = *n == buffer.size();
      BIO_write(s->arrived, buffer.data(), static_cast<int>(*n));
    }
  }
  s->filling.leave();
  co_return result;
}

tl::unexpected<Error> handshake_error(const Session& s) {
  long verdict = SSL_get_verify_result(s.ssl.get());
  std::string why = openssl_error();
  if (verdict != X509_V_OK)
    return fail(Errc::access_denied,
                "the certificate of " + s.inner->peer() +
                    " is not to be trusted: " + X509_verify_cert_error_string(verdict));
  return fail(Errc::io_error, "no TLS with " + s.inner->peer() + ": " + why);
}

bool speaks_http(const Session& s) {
  return !s.to_http.empty() && ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_HTTP_REQUEST;
}

// As far as it is still there to hear it.
Task<void> tell_without_tls(SessionPtr s) {
  std::vector<std::string_view> pieces{s->to_http};
  (void)co_await s->inner->write(std::move(pieces));
}

Task<Result<void>> shake_hands(SessionPtr s) {
  co_await s->shaking.enter();
  Result<void> result;
  while (result && !s->ready) {
    if (s->closed || s->ended) {
      result = closed_error(*s);
      break;
    }
    ERR_clear_error();
    int done = SSL_do_handshake(s->ssl.get());
    int why = SSL_get_error(s->ssl.get(), done);
    Result<void> refused;
    if (done == 1) {
      s->ready = true;
    } else if (why != SSL_ERROR_WANT_READ) {
      const bool http = speaks_http(*s);
      refused = handshake_error(*s);
      if (http) co_await tell_without_tls(s);
    }
    result = co_await flush(s);  // Also the alert of a refusal.
    if (!refused) result = refused;
    if (result && !s->ready) result = co_await fill(s);
  }
  s->shaking.leave();
  co_return result;
}

Task<Result<size_t>> read_plain(SessionPtr s, char* out, size_t size_bytes) {
  INVARIANT(size_bytes > 0, "a read of nothing cannot tell the end from success");
  if (!s->ready) {
    Result<void> shaken = co_await shake_hands(s);
    if (!shaken) co_return fail(shaken.error());
  }
  for (;;) {
    if (s->closed) co_return closed_error(*s);
    ERR_clear_error();
    size_t n = 0;
    int done = SSL_read_ex(s->ssl.get(), out, size_bytes, &n);
    int why = SSL_get_error(s->ssl.get(), done);
    if (BIO_ctrl_pending(s->leaving) > 0) {  // A key update, or an alert.
      Result<void> flushed = co_await flush(s);
      if (!flushed) co_return fail(flushed.error());
    }
    if (done == 1) co_return n;
    if (why == SSL_ERROR_ZERO_RETURN) co_return size_t{0};
    if (why != SSL_ERROR_WANT_READ)
      co_return fail(Errc::io_error, s->inner->peer() + ": " + openssl_error());
    // An end without close_notify may be an attacker's cut.
    if (s->ended) co_return closed_error(*s);
    Result<void> filled = co_await fill(s);
    if (!filled) co_return fail(filled.error());
  }
}

Task<Result<void>> seal_and_send(SessionPtr s, std::string_view plain) {
  while (!plain.empty()) {
    if (s->closed) co_return closed_error(*s);
    std::string_view part = plain.substr(0, kSealBytesMax);
    ERR_clear_error();
    size_t sealed = 0;
    if (SSL_write_ex(s->ssl.get(), part.data(), part.size(), &sealed) != 1)
      co_return fail(Errc::io_error, s->inner->peer() + ": " + openssl_error());
    plain.remove_prefix(sealed);
    Result<void> sent = co_await flush(s);
    if (!sent) co_return sent;
  }
  co_return Result<void>();
}

Task<Result<void>> write_plain(SessionPtr s, std::vector<std::string_view> pieces) {
  if (!s->ready) {
    Result<void> shaken = co_await shake_hands(s);
    if (!shaken) co_return shaken;
  }
  // Small pieces share a record: a head and its small body cost one.
  std::string gathered;
  for (std::string_view piece : pieces) {
    if (gathered.size() + piece.size() <= kRecordBytes) {
      gathered += piece;
      continue;
    }
    Result<void> sent = co_await seal_and_send(s, gathered);
    if (!sent) co_return sent;
    gathered.clear();
    if (piece.size() < kRecordBytes) {
      gathered = piece;
      continue;
    }
    sent = co_await seal_and_send(s, piece);
    if (!sent) co_return sent;
  }
  co_return co_await seal_and_send(s, gathered);
}

// Tells the peer that this is the end and no cut, then closes.
Task<void> say_goodbye(SessionPtr s) {
  Timer& timer = Loop::current()->timer();
  Timer::Id limit = timer.after(kGoodbyeNs, [s] { s->inner->close(); });
  Result<void> sent = co_await flush(s);
  timer.cancel(limit);
  s->inner->close();
}

class TlsStream final : public Stream {
 public:
  explicit TlsStream(SessionPtr session) : session_(std::move(session)) {}
  ~TlsStream() override { close(); }

  Task<Result<size_t>> read_some(char* out, size_t size_bytes) override {
    return read_plain(session_, out, size_bytes);
  }
  Task<Result<void>> write(std::vector<std::string_view> pieces) override {
    return write_plain(session_, std::move(pieces));
  }
  void stop_reading() override { session_->inner->stop_reading(); }
  void close() override {
    if (std::exchange(session_->closed, true)) return;
    bool polite = session_->ready && !session_->flushing.busy() && Loop::current() != nullptr;
    ERR_clear_error();
    if (!polite || SSL_shutdown(session_->ssl.get()) < 0) return session_->inner->close();
    spawn(*Loop::current(), say_goodbye(session_));
  }
  std::string peer() const override { return session_->inner->peer(); }
  bool encrypted() const override { return true; }

 private:
  SessionPtr session_;
};

class TlsAcceptor final : public Acceptor {
 public:
  TlsAcceptor(std::unique_ptr<Acceptor> inner, std::shared_ptr<TlsServerContext> context,
              std::string to_http)
      : inner_(std::move(inner)), context_(std::move(context)), to_http_(std::move(to_http)) {}
  Task<Result<std::unique_ptr<Stream>>> accept() override {
    Result<std::unique_ptr<Stream>> stream = co_await inner_->accept();
    if (!stream) co_return fail(stream.error());
    auto session = std::make_shared<Session>(std::move(*stream), context_->keys());
    SSL_set_accept_state(session->ssl.get());
    session->to_http = to_http_;
    co_return std::make_unique<TlsStream>(std::move(session));
  }
  void close() override { inner_->close(); }

 private:
  std::unique_ptr<Acceptor> inner_;
  std::shared_ptr<TlsServerContext> context_;
  const std::string to_http_;
};

// Which name the certificate must be for; a name also goes into the hello (RFC 6066, 3).
void expect_host(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str()) == 1) return;
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, host.c_str());
  SSL_set_tlsext_host_name(ssl, host.c_str());
}

}  // namespace

std::unique_ptr<Acceptor> make_tls_acceptor(std::unique_ptr<Acceptor> inner,
                                            std::shared_ptr<TlsServerContext> context,
                                            std::string to_http) {
  return std::make_unique<TlsAcceptor>(std::move(inner), std::move(context), std::move(to_http));
}

std::unique_ptr<Stream> make_tls_client_stream(std::unique_ptr<Stream> inner, TlsKeys keys,
                                               const std::string& host) {
  auto session = std::make_shared<Session>(std::move(inner), std::move(keys));
  SSL_set_connect_state(session->ssl.get());
  expect_host(session->ssl.get(), host);
  return std::make_unique<TlsStream>(std::move(session));
}

}  // namespace kura
