#include "sim/sim_stream.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "tests/sim/sim_fixture.h"

namespace kura::sim {
namespace {

struct Net {
  explicit Net(uint64_t seed, NetworkOptions options = {})
      : world(seed),
        clock(world),
        client_loop(world, "client", clock),
        server_loop(world, "server", clock),
        network(world, options),
        client(network.new_host()),
        server(network.new_host()) {}
  ~Net() {
    network.crash(client);
    network.crash(server);
    client_loop.stop();
    server_loop.stop();
    destroy_spawned_tasks(client_loop);
    destroy_spawned_tasks(server_loop);
  }

  SimWorld world;
  SimClock clock;
  SimLoop client_loop, server_loop;
  SimNetwork network;
  HostId client, server;
};

std::string pattern(size_t n) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return out;
}

Task<void> send_all(Stream* stream, std::string bytes, Result<void>* result) {
  std::vector<std::string_view> pieces{std::string_view(bytes).substr(0, bytes.size() / 3),
                                       std::string_view(bytes).substr(bytes.size() / 3)};
  *result = co_await stream->write(std::move(pieces));
}

Task<void> send_and_close(Stream* stream, std::string bytes) {
  Result<void> result;
  co_await send_all(stream, std::move(bytes), &result);
  stream->close();
}

Task<void> receive_all(Stream* stream, std::string* out, std::optional<Errc>* error) {
  char buffer[1000];
  while (true) {
    Result<size_t> n = co_await stream->read_some(buffer, sizeof buffer);
    if (!n) *error = n.error().code;
    if (!n || *n == 0) co_return;
    out->append(buffer, *n);
  }
}

TEST(SimStream, BytesArriveInOrderThroughABoundedBuffer) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    NetworkOptions options;
    options.buffer_bytes = 3000;
    Net net(seed, options);
    auto [a, b] = net.network.pair(net.client, net.server);
    const std::string bytes = pattern(100'000);
    std::string got;
    std::optional<Errc> error;
    spawn(net.client_loop, send_and_close(a.get(), bytes));
    run_task(net.world, net.server_loop, receive_all(b.get(), &got, &error));
    EXPECT_EQ(got, bytes);
    EXPECT_FALSE(error);
  }
}

TEST(SimStream, WriterWaitsForItsReader) {
  Net net(1);
  auto [a, b] = net.network.pair(net.client, net.server);
  Result<void> written = fail(Errc::unknown);
  spawn(net.client_loop, send_all(a.get(), pattern(1'000'000), &written));
  net.world.run_for(60 * kSecond);
  EXPECT_FALSE(written) << "a megabyte does not fit into the buffer";
  b->close();
  net.world.run_for(60 * kSecond);
  EXPECT_EQ(written.error().code, Errc::closed);
}

TEST(SimStream, CloseFailsTheWaitingReadHere) {
  Net net(1);
  auto [a, b] = net.network.pair(net.client, net.server);
  std::string got;
  std::optional<Errc> error;
  spawn(net.client_loop, receive_all(a.get(), &got, &error));
  net.world.run_for(kSecond);
  EXPECT_FALSE(error);
  a->close();
  net.world.run_for(kSecond);
  EXPECT_EQ(error, Errc::closed);
}

TEST(SimStream, CutLosesBytesAndBothEndsLearn) {
  int cut_runs = 0;
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    NetworkOptions options;
    options.cut_per_million = 200'000;
    options.piece_bytes_max = 20'000;
    Net net(seed, options);
    auto [a, b] = net.network.pair(net.client, net.server);
    const std::string bytes = pattern(100'000);
    std::string got;
    std::optional<Errc> error;
    spawn(net.client_loop, send_and_close(a.get(), bytes));
    run_task(net.world, net.server_loop, receive_all(b.get(), &got, &error));
    if (got == bytes) continue;
    ++cut_runs;
    lengths.insert(got.size());
    EXPECT_EQ(error, Errc::closed);
    EXPECT_EQ(got, bytes.substr(0, got.size()));
    EXPECT_EQ(net.network.cuts(), 1u);
  }
  EXPECT_GT(cut_runs, 20);
  EXPECT_GT(lengths.size(), 5u);
}

Task<void> echo(Stream* stream) {
  char buffer[100];
  while (true) {
    Result<size_t> n = co_await stream->read_some(buffer, sizeof buffer);
    if (!n || *n == 0) co_return;
    std::vector<std::string_view> pieces{{buffer, *n}};
    Result<void> written = co_await stream->write(std::move(pieces));
    if (!written) co_return;
  }
}

Task<void> serve(Acceptor* acceptor, std::vector<std::unique_ptr<Stream>>* streams, Loop* loop,
                 bool* closed) {
  while (true) {
    auto stream = co_await acceptor->accept();
    if (!stream) {
      *closed = stream.error().code == Errc::closed;
      co_return;
    }
    streams->push_back(std::move(*stream));
    spawn(*loop, echo(streams->back().get()));
  }
}

Task<void> ask(SimNetwork* network, HostId host, std::string* answer, std::optional<Errc>* error) {
  auto stream = co_await network->connect(host, "server:1");
  if (!stream) {
    *error = stream.error().code;
    co_return;
  }
  std::vector<std::string_view> pieces{"hello"};
  Result<void> written = co_await (*stream)->write(std::move(pieces));
  char buffer[100];
  while (written && answer->size() < 5) {
    Result<size_t> n = co_await (*stream)->read_some(buffer, sizeof buffer);
    if (!n || *n == 0) {
      *error = n ? Errc::closed : n.error().code;
      co_return;
    }
    answer->append(buffer, *n);
  }
}

TEST(SimNetwork, ConnectAcceptEchoClose) {
  Net net(2);
  auto acceptor = net.network.listen(net.server, "server:1");
  std::vector<std::unique_ptr<Stream>> streams;
  bool closed = false;
  spawn(net.server_loop, serve(acceptor.get(), &streams, &net.server_loop, &closed));
  for (int i = 0; i < 5; ++i) {
    std::string answer;
    std::optional<Errc> error;
    run_task(net.world, net.client_loop, ask(&net.network, net.client, &answer, &error));
    EXPECT_EQ(answer, "hello");
  }
  EXPECT_EQ(streams.size(), 5u);
  acceptor->close();
  net.world.run_for(kSecond);
  EXPECT_TRUE(closed);
}

TEST(SimNetwork, NobodyListens) {
  std::set<Errc> errors;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Net net(seed);
    std::string answer;
    std::optional<Errc> error;
    run_task(net.world, net.client_loop, ask(&net.network, net.client, &answer, &error));
    ASSERT_TRUE(error);
    errors.insert(*error);
  }
  EXPECT_EQ(errors, (std::set<Errc>{Errc::closed, Errc::timed_out}));
}

TEST(SimNetwork, CrashedHostIsSilentAndItsPeerLearns) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Net net(seed);
    auto [a, b] = net.network.pair(net.client, net.server);
    std::string got_a, got_b;
    std::optional<Errc> error_a, error_b;
    spawn(net.client_loop, receive_all(a.get(), &got_a, &error_a));
    spawn(net.server_loop, receive_all(b.get(), &got_b, &error_b));
    net.world.run_for(kMillisecond);
    net.network.crash(net.server);
    net.server_loop.stop();
    destroy_spawned_tasks(net.server_loop);
    b.reset();
    net.world.run_for(60 * kSecond);
    EXPECT_EQ(error_a, Errc::closed);
    EXPECT_FALSE(error_b) << "nobody is there to be told";
  }
}

}  // namespace
}  // namespace kura::sim
