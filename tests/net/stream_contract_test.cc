#include "tests/base/stream_contract.h"

#include "net/block_on.h"
#include "net/kernel.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "tests/base/temporary_folder.h"
#include "tests/net/make_certificate.h"

namespace kura::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct TcpSubject : StreamSubject {
  TcpSubject() : loop(clock) {
    listener = tcp_listen({"127.0.0.1", 0}, {&loop}).value();
    EXPECT_NE(listener.port, 0);
    loop.start("test");
  }
  ~TcpSubject() override { loop.stop(); }
  void run(Task<void> task) override { block_on(loop, std::move(task)); }
  Acceptor& acceptor() override { return *listener.acceptors[0]; }
  Task<Result<std::unique_ptr<Stream>>> connect() override {
    Address to{"127.0.0.1", listener.port};
    return tcp_connect(loop, to, 5 * kSecond);
  }
  SystemClock clock;
  AsioLoop loop;
  TcpListener listener;
};

struct TlsSubject : TcpSubject {
  TlsSubject() {
    PemPair pair = make_certificate("test", "IP:127.0.0.1");
    std::string certificate = folder.path() + "/public.crt", key = folder.path() + "/private.key";
    write_file(certificate, pair.certificate);
    write_file(key, pair.key);
    auto context = TlsServerContext::load(certificate, key).value();
    listener.acceptors[0] = make_tls_acceptor(std::move(listener.acceptors[0]), context);
    keys = make_tls_client({.ca_path = certificate, .insecure = false}).value();
  }
  bool encrypted() const override { return true; }
  Task<Result<std::unique_ptr<Stream>>> connect() override { return connect_tls(*this); }
  static Task<Result<std::unique_ptr<Stream>>> connect_tls(TlsSubject& self) {
    Result<std::unique_ptr<Stream>> tcp = co_await self.TcpSubject::connect();
    if (!tcp) co_return fail(tcp.error());
    co_return make_tls_client_stream(std::move(*tcp), self.keys, "127.0.0.1");
  }
  TemporaryFolder folder;
  TlsKeys keys;
};

INSTANTIATE_TEST_SUITE_P(Tls, StreamContract, ::testing::Values([] {
                           return std::unique_ptr<StreamSubject>(new TlsSubject);
                         }));
INSTANTIATE_TEST_SUITE_P(Tcp, StreamContract, ::testing::Values([] {
                           return std::unique_ptr<StreamSubject>(new TcpSubject);
                         }));

}  // namespace
}  // namespace kura::testing
