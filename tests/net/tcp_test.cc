#include "net/tcp.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <thread>

#include "net/block_on.h"
#include "net/kernel.h"
#include "tests/base/stream_io.h"

namespace kura::testing {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(Tcp, TakenPortIsAClearError) {
  SystemClock clock;
  AsioLoop loop(clock);
  auto first = tcp_listen({"127.0.0.1", 0}, {&loop});
  ASSERT_TRUE(first);
  EXPECT_NE(first->port, 0);
  auto second = tcp_listen({"127.0.0.1", first->port}, {&loop});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::exists);
  EXPECT_NE(second.error().detail.find("in use"), std::string::npos) << second.error().detail;
}

TEST(Tcp, ForeignAddressIsRefused) {
  SystemClock clock;
  AsioLoop loop(clock);
  auto listener = tcp_listen({"192.0.2.1", 0}, {&loop});  // RFC 5737: nobody's.
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, Errc::invalid_argument) << listener.error().detail;
}

Task<Errc> connect_code(AsioLoop& loop, Address address, int64_t timeout_ns) {
  auto stream = co_await tcp_connect(loop, address, timeout_ns);
  co_return stream ? Errc{} : stream.error().code;
}

TEST(Tcp, ConnectErrors) {
  SystemClock clock;
  AsioLoop loop(clock);
  uint16_t unused = tcp_listen({"127.0.0.1", 0}, {&loop})->port;
  loop.start("test");
  EXPECT_EQ(block_on(loop, connect_code(loop, {"127.0.0.1", unused}, kSecond)), Errc::unavailable);

  // A socket whose queue is full drops further attempts: nobody answers them.
  int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in local{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof local;
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&local), length), 0);
  ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&local), &length), 0);
  ASSERT_EQ(listen(silent, 0), 0);
  Address full{"127.0.0.1", ntohs(local.sin_port)};
  std::set<Errc> codes;
  for (int i = 0; i < 5; ++i) codes.insert(block_on(loop, connect_code(loop, full, kSecond / 10)));
  EXPECT_TRUE(codes.contains(Errc::timed_out));
  ::close(silent);
  loop.stop();
}

// Both families reach a listener on every address.
Task<bool> reaches(AsioLoop& loop, Address address) {
  auto stream = co_await tcp_connect(loop, address, kSecond);
  co_return stream.has_value();
}

TEST(Tcp, EveryAddress) {
  SystemClock clock;
  AsioLoop loop(clock);
  auto listener = tcp_listen({"", 0}, {&loop});
  ASSERT_TRUE(listener) << listener.error().detail;
  loop.start("test");
  EXPECT_TRUE(block_on(loop, reaches(loop, {"127.0.0.1", listener->port})));
  EXPECT_TRUE(block_on(loop, reaches(loop, {"localhost", listener->port})));
  loop.stop();
}

TEST(Tcp, GoesOnWithTheSocketOfTheProcessBefore) {
  SystemClock clock;
  AsioLoop before(clock), loop(clock);
  auto first = tcp_listen({"127.0.0.1", 0}, {&before});
  ASSERT_TRUE(first) << first.error().detail;
  const uint16_t port = first->port;
  const int kept = ::dup(first->socket);
  first->acceptors.clear();
  ASSERT_TRUE(is_listening(kept));
  auto next = tcp_listen({"127.0.0.1", port}, {&loop}, kept);
  ASSERT_TRUE(next) << next.error().detail;
  EXPECT_EQ(next->socket, kept);
  EXPECT_EQ(next->port, port);
  loop.start("test");
  EXPECT_TRUE(block_on(loop, reaches(loop, {"127.0.0.1", port})));
  loop.stop();
}

TEST(Tcp, TakesOverNothingThatDoesNotListen) {
  SystemClock clock;
  AsioLoop loop(clock);
  const int file = ::dup(STDERR_FILENO), connected = ::socket(AF_INET, SOCK_STREAM, 0);
  for (const int descriptor : {file, connected, -1, 9999}) {
    auto listener = tcp_listen({"127.0.0.1", 0}, {&loop}, descriptor);
    ASSERT_TRUE(listener) << listener.error().detail;
    EXPECT_NE(listener->socket, descriptor);
    EXPECT_TRUE(is_listening(listener->socket));
  }
  for (const int descriptor : {file, connected}) EXPECT_EQ(::close(descriptor), 0);
}

// Echo servers on several loops; each checks that it never leaves its own.
struct Servers {
  std::atomic<int> wrong_loop{0};
  std::vector<std::atomic<int>> accepted;
  explicit Servers(size_t n) : accepted(n) {}
};

Task<void> echo(Loop& loop, Servers& servers, std::unique_ptr<Stream> stream) {
  char buffer[4096];
  for (;;) {
    Result<size_t> n = co_await stream->read_some(buffer, sizeof buffer);
    if (!loop.is_current()) ++servers.wrong_loop;
    if (!n || *n == 0) co_return;
    std::vector<std::string_view> pieces{std::string_view(buffer, *n)};
    Result<void> wrote = co_await stream->write(std::move(pieces));
    if (!loop.is_current()) ++servers.wrong_loop;
    if (!wrote) co_return;
  }
}

Task<void> serve(Loop& loop, Servers& servers, size_t index, Acceptor& acceptor) {
  for (;;) {
    auto stream = co_await acceptor.accept();
    if (!stream) co_return;
    ++servers.accepted[index];
    spawn(loop, echo(loop, servers, std::move(*stream)));
  }
}

Task<int> talk(AsioLoop& loop, uint16_t port, int connections) {
  int right = 0;
  Address to{"127.0.0.1", port};
  std::vector<std::unique_ptr<Stream>> open;
  for (int i = 0; i < connections; ++i) {
    auto stream = co_await tcp_connect(loop, to, 5 * kSecond);
    if (stream) open.push_back(std::move(*stream));
  }
  for (int round = 0; round < 3; ++round)
    for (auto& stream : open) {
      std::string text = "round " + std::to_string(round);
      Result<void> wrote = co_await write_text(*stream, text);
      if (!wrote) continue;
      auto got = co_await read_exactly(*stream, text.size());
      right += got.value_or("") == text;
    }
  co_return right;
}

TEST(Tcp, LoopsShareConnectionsEvenly) {
  SystemClock clock;
  AsioLoop a(clock), b(clock), c(clock), client(clock);
  auto listener = tcp_listen({"127.0.0.1", 0}, {&a, &b, &c});
  ASSERT_TRUE(listener);
  Servers servers(3);
  AsioLoop* loops[] = {&a, &b, &c};
  for (size_t i = 0; i < 3; ++i) {
    spawn(*loops[i], serve(*loops[i], servers, i, *listener->acceptors[i]));
    loops[i]->start("server");
  }
  client.start("client");
  EXPECT_EQ(block_on(client, talk(client, listener->port, 300)), 900);
  EXPECT_EQ(servers.wrong_loop, 0);
  for (auto& n : servers.accepted) EXPECT_EQ(n, 100);
  client.stop();
  for (AsioLoop* loop : loops) loop->stop();
}

// Answers each byte with one, and notes who did what when.
Task<void> answer_bytes(Stream& stream, std::string* steps) {
  char byte;
  for (;;) {
    Result<size_t> n = co_await stream.read_some(&byte, 1);
    if (!n || *n == 0) co_return;
    *steps += 'r';
    std::vector<std::string_view> pieces{std::string_view(&byte, 1)};
    if (!co_await stream.write(std::move(pieces))) co_return;
    *steps += 'w';
  }
}

Task<Done> send_together(std::vector<int> clients) {
  for (int client : clients) EXPECT_EQ(::send(client, "x", 1, 0), 1);
  co_return Done{};
}

Task<std::unique_ptr<Stream>> accept_one(Acceptor& acceptor) {
  co_return std::move(*co_await acceptor.accept());
}

TEST(Tcp, AnswersOfATurnAreSentAfterAllThatCameWasTaken) {
  SystemClock clock;
  AsioLoop loop(clock);
  auto listener = tcp_listen({"127.0.0.1", 0}, {&loop});
  ASSERT_TRUE(listener);
  loop.start("server");
  std::string steps;
  std::vector<std::unique_ptr<Stream>> servers;
  std::vector<int> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to{.sin_family = AF_INET,
                   .sin_port = htons(listener->port),
                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ASSERT_EQ(connect(clients.back(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    servers.push_back(block_on(loop, accept_one(*listener->acceptors[0])));
    spawn(loop, answer_bytes(*servers.back(), &steps));
  }
  for (int round = 0; round < 3; ++round) {
    block_on(loop, send_together(clients));
    char byte;
    for (int client : clients) EXPECT_EQ(::recv(client, &byte, 1, MSG_WAITALL), 1);
  }
  loop.stop();
  const std::string turn = "rrrrrrrrwwwwwwww";
  EXPECT_EQ(steps, turn + turn + turn);
  for (int client : clients) ::close(client);
}

Task<void> close_it(Acceptor& acceptor) {
  acceptor.close();
  co_return;
}

TEST(Tcp, PortIsFreeAfterTheLastAcceptorCloses) {
  SystemClock clock;
  AsioLoop a(clock), b(clock);
  auto listener = tcp_listen({"127.0.0.1", 0}, {&a, &b});
  ASSERT_TRUE(listener);
  a.start("a");
  b.start("b");
  block_on(a, close_it(*listener->acceptors[0]));
  EXPECT_FALSE(tcp_listen({"127.0.0.1", listener->port}, {&a}));
  block_on(b, close_it(*listener->acceptors[1]));
  bool is_free = false;
  for (int i = 0; i < 1000 && !is_free; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    is_free = tcp_listen({"127.0.0.1", listener->port}, {&a}).has_value();
  }
  EXPECT_TRUE(is_free);
  a.stop();
  b.stop();
}

}  // namespace
}  // namespace kura::testing
