#include "tests/base/stream_contract.h"

#include "net/block_on.h"
#include "net/kernel.h"
#include "net/tcp.h"

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

INSTANTIATE_TEST_SUITE_P(Tcp, StreamContract, ::testing::Values([] {
                           return std::unique_ptr<StreamSubject>(new TcpSubject);
                         }));

}  // namespace
}  // namespace kura::testing
