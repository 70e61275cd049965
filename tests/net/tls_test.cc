#include "net/tls.h"

#include <gtest/gtest.h>

#include "net/block_on.h"
#include "net/kernel.h"
#include "net/tcp.h"
#include "tests/base/background.h"
#include "tests/base/stream_io.h"
#include "tests/base/temporary_folder.h"
#include "tests/net/make_certificate.h"

namespace kura::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code;
}

// An HTTPS-like server on 127.0.0.1 and a certificate on disk.
struct Tls : ::testing::Test {
  Tls() : loop(clock) {
    write_pair(make_certificate("first", "DNS:localhost,IP:127.0.0.1"));
    context = TlsServerContext::load(certificate_path(), key_path()).value();
    auto listener = tcp_listen({"127.0.0.1", 0}, {&loop}).value();
    port = listener.port;
    acceptor = make_tls_acceptor(std::move(listener.acceptors[0]), context);
    spawn(loop, serve(*acceptor, loop));
    loop.start("test");
  }
  ~Tls() override { loop.stop(); }

  std::string certificate_path() const { return folder.path() + "/public.crt"; }
  std::string key_path() const { return folder.path() + "/private.key"; }
  void write_pair(const PemPair& pair) {
    write_file(certificate_path(), pair.certificate);
    write_file(key_path(), pair.key);
  }

  static Task<void> serve(Acceptor& acceptor, Loop& loop) {
    for (;;) {
      auto stream = co_await acceptor.accept();
      if (!stream) co_return;
      spawn(loop, echo(std::move(*stream)));
    }
  }
  static Task<void> echo(std::unique_ptr<Stream> stream) {
    char buffer[1000];
    for (;;) {
      Result<size_t> n = co_await stream->read_some(buffer, sizeof buffer);
      if (!n || *n == 0) co_return;
      std::vector<std::string_view> pieces{std::string_view(buffer, *n)};
      Result<void> wrote = co_await stream->write(std::move(pieces));
      if (!wrote) co_return;
    }
  }

  static Task<Result<std::unique_ptr<Stream>>> connect(AsioLoop& loop, uint16_t port,
                                                       TlsClientOptions options, std::string host) {
    Result<TlsKeys> keys = make_tls_client(options);
    if (!keys) co_return fail(keys.error());
    Address to{"127.0.0.1", port};
    auto stream = co_await tcp_connect(loop, to, 5 * kSecond);
    if (!stream) co_return fail(stream.error());
    co_return make_tls_client_stream(std::move(*stream), *keys, host);
  }
  // What a client that trusts `authority` gets back for "ping", or why it does not.
  static Task<Result<std::string>> ping(AsioLoop& loop, uint16_t port, TlsClientOptions options,
                                        std::string host) {
    auto stream = co_await connect(loop, port, options, host);
    if (!stream) co_return fail(stream.error());
    EXPECT_TRUE((*stream)->encrypted());
    Result<void> wrote = co_await write_text(**stream, "ping");
    if (!wrote) co_return fail(wrote.error());
    co_return co_await read_exactly(**stream, 4);
  }
  Result<std::string> ping(TlsClientOptions options, std::string host = "127.0.0.1") {
    return block_on(loop, ping(loop, port, std::move(options), std::move(host)));
  }

  TemporaryFolder folder;
  SystemClock clock;
  AsioLoop loop;
  std::shared_ptr<TlsServerContext> context;
  std::unique_ptr<Acceptor> acceptor;
  uint16_t port = 0;
};

TEST_F(Tls, ClientChecksTheCertificate) {
  TlsClientOptions trusting{.ca_path = certificate_path(), .insecure = false};
  EXPECT_EQ(ping(trusting).value_or("error"), "ping");
  EXPECT_EQ(ping(trusting, "localhost").value_or("error"), "ping");
  EXPECT_EQ(code_of(ping(trusting, "example.org")), Errc::access_denied);
  EXPECT_EQ(code_of(ping(trusting, "127.0.0.2")), Errc::access_denied);
  EXPECT_EQ(code_of(ping({})), Errc::access_denied) << "the system does not know this authority";
  EXPECT_EQ(ping({.ca_path = "", .insecure = true}, "any").value_or("error"), "ping");
  EXPECT_EQ(code_of(ping({.ca_path = folder.path() + "/none", .insecure = false})),
            Errc::not_found);
}

// A stream ends on its loop.
Task<void> drop(std::unique_ptr<Stream> stream) {
  stream.reset();
  co_return;
}

TEST_F(Tls, NewConnectionsGetTheNewCertificate) {
  std::string first = folder.path() + "/first.crt", second = folder.path() + "/second.crt";
  std::filesystem::copy(certificate_path(), first);
  EXPECT_EQ(context->reload().value(), false);
  auto old_stream =
      block_on(loop, connect(loop, port, {.ca_path = first, .insecure = false}, "127.0.0.1"));
  ASSERT_TRUE(old_stream);
  EXPECT_TRUE(block_on(loop, write_text(**old_stream, "first")));
  EXPECT_EQ(block_on(loop, read_exactly(**old_stream, 5)).value_or("error"), "first");

  PemPair pair = make_certificate("second", "IP:127.0.0.1");
  write_pair(pair);
  write_file(second, pair.certificate);
  EXPECT_EQ(ping({.ca_path = first, .insecure = false}).value_or("error"), "ping") << "not yet";
  EXPECT_EQ(context->reload().value(), true);
  EXPECT_EQ(context->reload().value(), false);
  EXPECT_EQ(ping({.ca_path = second, .insecure = false}).value_or("error"), "ping");
  EXPECT_EQ(code_of(ping({.ca_path = first, .insecure = false})), Errc::access_denied);
  // A connection that was there goes on.
  EXPECT_TRUE(block_on(loop, write_text(**old_stream, "still")));
  EXPECT_EQ(block_on(loop, read_exactly(**old_stream, 5)).value_or("error"), "still");
  block_on(loop, drop(std::move(*old_stream)));
}

TEST_F(Tls, ABadPairKeepsTheOldOne) {
  std::string first = folder.path() + "/first.crt";
  std::filesystem::copy(certificate_path(), first);
  PemPair other = make_certificate("other", "IP:127.0.0.1");
  // Half replaced: the key is still the old one.
  write_file(certificate_path(), other.certificate);
  EXPECT_EQ(code_of(context->reload()), Errc::invalid_argument);
  EXPECT_EQ(context->reload().value(), false) << "said once";
  EXPECT_EQ(ping({.ca_path = first, .insecure = false}).value_or("error"), "ping");
  for (const std::string& bad :
       {std::string(), std::string("garbage"), other.certificate.substr(0, 300),
        other.certificate + other.certificate.substr(0, 300)}) {
    write_file(certificate_path(), bad);
    EXPECT_EQ(code_of(context->reload()), Errc::invalid_argument) << bad.size();
  }
  std::filesystem::remove(certificate_path());
  EXPECT_EQ(code_of(context->reload()), Errc::not_found);
  EXPECT_EQ(context->reload().value(), false);
  EXPECT_EQ(ping({.ca_path = first, .insecure = false}).value_or("error"), "ping");
  write_pair(other);
  EXPECT_EQ(context->reload().value(), true);
  EXPECT_EQ(ping({.ca_path = certificate_path(), .insecure = false}).value_or("error"), "ping");
}

TEST_F(Tls, LoadSaysWhatIsWrong) {
  EXPECT_EQ(code_of(TlsServerContext::load("/nonexistent", key_path())), Errc::not_found);
  EXPECT_EQ(code_of(TlsServerContext::load(key_path(), certificate_path())),
            Errc::invalid_argument);
}

Task<std::string> speak_plain(AsioLoop& loop, uint16_t port) {
  Address to{"127.0.0.1", port};
  auto stream = co_await tcp_connect(loop, to, 5 * kSecond);
  if (!stream) co_return "no connection";
  Result<void> wrote = co_await write_text(**stream, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  if (!wrote) co_return "not written";
  Result<std::string> answer = co_await read_exactly(**stream, 4096);
  co_return answer ? *answer : "closed";
}

TEST_F(Tls, PlainHttpIsRefusedAndHarmless) {
  std::string answer = block_on(loop, speak_plain(loop, port));
  EXPECT_EQ(answer.find("HTTP"), std::string::npos);
  EXPECT_EQ(ping({.ca_path = certificate_path(), .insecure = false}).value_or("error"), "ping");
}

// A connection that says nothing must not keep others from being accepted.
Task<bool> connect_behind_a_silent_one(AsioLoop& loop, uint16_t port, TlsClientOptions options) {
  Address to{"127.0.0.1", port};
  auto silent = co_await tcp_connect(loop, to, 5 * kSecond);
  Result<std::string> pong = co_await Tls::ping(loop, port, options, "127.0.0.1");
  co_return silent&& pong.value_or("") == "ping";
}

TEST_F(Tls, ASilentClientHoldsNobodyUp) {
  EXPECT_TRUE(block_on(loop, connect_behind_a_silent_one(
                                 loop, port, {.ca_path = certificate_path(), .insecure = false})));
}

// Flipped bytes on the wire end a connection; they never reach the reader.
class FlippingStream : public Stream {
 public:
  FlippingStream(std::unique_ptr<Stream> inner, size_t at) : inner_(std::move(inner)), at_(at) {}
  Task<Result<size_t>> read_some(char* out, size_t size_bytes) override {
    Result<size_t> n = co_await inner_->read_some(out, size_bytes);
    if (!n) co_return n;
    if (at_ >= seen_ && at_ < seen_ + *n) out[at_ - seen_] ^= 1;
    seen_ += *n;
    co_return n;
  }
  Task<Result<void>> write(std::vector<std::string_view> pieces) override {
    return inner_->write(std::move(pieces));
  }
  void stop_reading() override { inner_->stop_reading(); }
  void close() override { inner_->close(); }
  std::string peer() const override { return inner_->peer(); }
  bool encrypted() const override { return false; }

 private:
  std::unique_ptr<Stream> inner_;
  size_t at_, seen_ = 0;
};

Task<Result<std::string>> ping_flipped(AsioLoop& loop, uint16_t port, TlsKeys keys, size_t at) {
  Address to{"127.0.0.1", port};
  auto tcp = co_await tcp_connect(loop, to, 5 * kSecond);
  if (!tcp) co_return fail(tcp.error());
  auto flipping = std::make_unique<FlippingStream>(std::move(*tcp), at);
  auto stream = make_tls_client_stream(std::move(flipping), keys, "127.0.0.1");
  // A length that was flipped leaves each side waiting for the other.
  Stream* waiting = stream.get();
  const Timer::Id limit = loop.timer().after(kSecond / 4, [waiting] { waiting->close(); });
  Result<void> wrote = co_await write_text(*stream, "ping");
  Result<std::string> answer = std::string();
  if (wrote)
    answer = co_await read_exactly(*stream, 4);
  else
    answer = fail(wrote.error());
  loop.timer().cancel(limit);
  co_return answer;
}

TEST_F(Tls, FlippedBytesNeverArrive) {
  TlsKeys keys = make_tls_client({.ca_path = certificate_path(), .insecure = false}).value();
  int refused = 0;
  for (size_t at = 0; at < 1500; ++at) {
    Result<std::string> answer = block_on(loop, ping_flipped(loop, port, keys, at));
    if (answer) {
      EXPECT_EQ(*answer, "ping");
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 600);
}

// The connection ends when the test says so, without TLS's own goodbye.
class CutStream : public Stream {
 public:
  explicit CutStream(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {}
  Task<Result<size_t>> read_some(char* out, size_t size_bytes) override {
    if (cut) co_return size_t{0};
    co_return co_await inner_->read_some(out, size_bytes);
  }
  Task<Result<void>> write(std::vector<std::string_view> pieces) override {
    return inner_->write(std::move(pieces));
  }
  void stop_reading() override { inner_->stop_reading(); }
  void close() override { inner_->close(); }
  std::string peer() const override { return inner_->peer(); }
  bool encrypted() const override { return false; }
  bool cut = false;

 private:
  std::unique_ptr<Stream> inner_;
};

Task<Errc> read_past_a_cut(AsioLoop& loop, uint16_t port, TlsKeys keys) {
  Address to{"127.0.0.1", port};
  auto tcp = co_await tcp_connect(loop, to, 5 * kSecond);
  if (!tcp) co_return Errc::unavailable;
  auto cut = std::make_unique<CutStream>(std::move(*tcp));
  CutStream* wire = cut.get();
  auto stream = make_tls_client_stream(std::move(cut), keys, "127.0.0.1");
  Result<void> wrote = co_await write_text(*stream, "ping");
  Result<std::string> answer = co_await read_exactly(*stream, 4);
  EXPECT_TRUE(wrote && answer);
  wire->cut = true;
  char byte;
  Result<size_t> end = co_await stream->read_some(&byte, 1);
  co_return code_of(end);
}

TEST_F(Tls, ACutIsNotAnEnd) {
  TlsKeys keys = make_tls_client({.ca_path = certificate_path(), .insecure = false}).value();
  EXPECT_EQ(block_on(loop, read_past_a_cut(loop, port, keys)), Errc::closed);
}

}  // namespace
}  // namespace kura::testing
