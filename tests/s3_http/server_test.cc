#include "s3/http/server.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/s3_http/edge.h"

namespace kura::s3 {
namespace {

using sim::kSecond;

struct Clients {
  Edge edge;
  HttpServer server;
  std::vector<std::string> got;
  std::vector<bool> gone;  // The server has closed the connection.
  std::vector<std::unique_ptr<Stream>> open;
  bool drained = false;

  explicit Clients(size_t connections_max, SessionOptions options = {})
      : server(edge.server_loop, edge.handler, edge.random, options, connections_max,
               [this](const RequestLogEntry& entry) { edge.log.push_back(entry); }) {
    server.start(edge.network.listen(edge.server_host, "s:9000"));
  }
  ~Clients() {
    edge.network.crash(edge.client_host);
    edge.network.crash(edge.server_host);
    edge.client_loop.stop();
    edge.server_loop.stop();
    destroy_spawned_tasks(edge.client_loop);
    destroy_spawned_tasks(edge.server_loop);
  }

  // Sends `bytes` on a new connection, which stays open; its index in `got`.
  size_t send(std::string bytes) {
    got.emplace_back();
    gone.emplace_back();
    open.emplace_back();
    spawn(edge.client_loop, run(this, got.size() - 1, std::move(bytes)));
    edge.world.run_for(kSecond / 10);
    return got.size() - 1;
  }
  // More on a connection that is open.
  void send_on(size_t i, std::string bytes) {
    spawn(edge.client_loop, run_send(open[i].get(), std::move(bytes)));
    edge.world.run_for(kSecond / 10);
  }
  void drain(int64_t deadline_ns) { spawn(edge.server_loop, run_drain(this, deadline_ns)); }

 private:
  static Task<void> run(Clients* self, size_t i, std::string bytes) {
    Result<std::unique_ptr<Stream>> stream =
        co_await self->edge.network.connect(self->edge.client_host, "s:9000");
    if (!stream) co_return;
    Stream* raw = stream->get();
    self->open[i] = std::move(*stream);
    std::vector<std::string_view> pieces{bytes};
    Result<void> sent = co_await raw->write(std::move(pieces));
    char buffer[4096];
    while (true) {
      Result<size_t> n = co_await raw->read_some(buffer, sizeof buffer);
      if (!n || *n == 0) break;
      self->got[i].append(buffer, *n);
    }
    self->gone[i] = true;
  }
  static Task<void> run_send(Stream* stream, std::string bytes) {
    std::vector<std::string_view> pieces{bytes};
    (void)co_await stream->write(std::move(pieces));
  }
  static Task<void> run_drain(Clients* self, int64_t deadline_ns) {
    co_await self->server.drain(deadline_ns);
    self->drained = true;
  }
};

TEST(Server, RefusesConnectionsOverTheLimitAndRecovers) {
  Clients clients(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(statuses(clients.got[clients.send(get("/x"))]), "200");
  EXPECT_EQ(clients.server.connections(), 3u);
  EXPECT_EQ(statuses(clients.got[clients.send(get("/x"))]), "503");
  EXPECT_EQ(clients.server.refused(), 1u);
  clients.open[0]->close();
  clients.edge.world.run_for(kSecond);
  EXPECT_EQ(clients.server.connections(), 2u);
  EXPECT_EQ(statuses(clients.got[clients.send(get("/x"))]), "200");
}

// They change on the server's loop at every request: nobody else looks at them.
TEST(Server, CountersAreReadOnItsLoop) {
  Clients clients(1);
  clients.send(get("/hang"));
  clients.send(get("/x"));
  std::optional<HttpServer::Counters> got;
  Loop* answered_on = nullptr;
  auto ask = [](HttpServer& server, auto* out, Loop** on) -> Task<void> {
    *out = co_await server.counters();
    *on = Loop::current();
  };
  clients.edge.server_loop.set_paused(true);
  spawn(clients.edge.client_loop, ask(clients.server, &got, &answered_on));
  clients.edge.world.run_for(kSecond);
  EXPECT_FALSE(got);
  clients.edge.server_loop.set_paused(false);
  clients.edge.world.run_for(kSecond);
  ASSERT_TRUE(got);
  EXPECT_EQ(answered_on, &clients.edge.client_loop);
  EXPECT_EQ(got->connections, 1u);
  EXPECT_EQ(got->in_flight, 1u);
  EXPECT_EQ(got->refused, 1u);
  EXPECT_EQ(got->admission.working, 1u);
}

SessionOptions one_at_a_time() {
  SessionOptions options;
  options.admission.requests_max = 1;
  options.admission.wait_ns = kSecond / 4;  // "/slow" takes a second.
  return options;
}

TEST(Server, RequestsOverTheLimitAreToldToComeBack) {
  Clients clients(10, one_at_a_time());
  const size_t slow = clients.send(get("/slow"));
  const size_t read = clients.send(get("/x") + get("/y"));
  const size_t written = clients.send(put("/echo", "body") + get("/z"));
  const size_t head = clients.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  clients.edge.world.run_for(kSecond / 2);
  EXPECT_EQ(clients.got[slow], "");
  for (size_t i : {read, written}) {
    EXPECT_EQ(statuses(clients.got[i]).substr(0, 3), "503");
    EXPECT_NE(clients.got[i].find("<Code>SlowDown</Code>"), std::string::npos);
    EXPECT_NE(clients.got[i].find("retry-after: 1\r\n"), std::string::npos);
    EXPECT_EQ(clients.got[i].find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(statuses(clients.got[head]), "503");
  clients.edge.world.run_for(2 * kSecond);
  EXPECT_EQ(statuses(clients.got[slow]), "200");
  // What was sent ahead is the next request, not the rest of the refused one.
  EXPECT_EQ(statuses(clients.got[read]), "503 503");
  EXPECT_EQ(statuses(clients.got[written]).substr(0, 4), "503 ");
  EXPECT_GE(clients.server.admission().refused, 3u);
  EXPECT_EQ(clients.server.admission().working, 0u);
  EXPECT_EQ(clients.server.admission().held_bytes, 0u);
  EXPECT_EQ(statuses(clients.got[clients.send(put("/echo", "body"))]), "200");
}

TEST(Server, ABodyThatFindsNoPlaceIsNotAskedFor) {
  Clients clients(10, one_at_a_time());
  clients.send(get("/slow"));
  const size_t waits = clients.send(
      "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
  clients.edge.world.run_for(kSecond / 2);
  EXPECT_EQ(statuses(clients.got[waits]), "503");
}

TEST(Server, SlowClientsTakeNoPlace) {
  Clients clients(10, one_at_a_time());
  for (int i = 0; i < 5; ++i) {
    clients.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab");
    clients.edge.world.run_for(kSecond / 5);
  }
  EXPECT_EQ(statuses(clients.got[clients.send(get("/x"))]), "200");
}

constexpr size_t kBodyBytes = 2 * kMiB, kSentBytes = kSmallBodyBytes + 1000;

std::string begun_upload(size_t sent_bytes) {
  return put("/echo", std::string(kBodyBytes, 'a')).substr(0, sent_bytes);
}

SessionOptions two_large_uploads() {
  SessionOptions options;
  options.admission.memory_bytes = 4 * (kUploadBytes + kRequestBytes) - kMiB;
  return options;
}

TEST(Server, ALargeBodyThatHasBegunFindsItsRoom) {
  Clients clients(10, two_large_uploads());
  const size_t first = clients.send(begun_upload(1000));
  for (int i = 0; i < 3; ++i) clients.send(begun_upload(kSentBytes));
  const std::string rest = begun_upload(std::string::npos).substr(1000);
  clients.send_on(first, rest);
  EXPECT_EQ(statuses(clients.got[first]), "200");
}

TEST(Server, StalledUploadsEndWhenOthersNeedTheirMemory) {
  Clients clients(10, two_large_uploads());
  const size_t stalled = clients.send(begun_upload(kSentBytes));
  clients.send(begun_upload(kSentBytes));
  clients.edge.world.run_for(2 * kSecond);
  EXPECT_FALSE(clients.gone[stalled]);
  EXPECT_EQ(statuses(clients.got[clients.send(put("/echo", "small"))]), "200");
  EXPECT_FALSE(clients.gone[stalled]);
  const size_t next = clients.send(begun_upload(std::string::npos));
  clients.edge.world.run_for(kSecond / 4);
  EXPECT_TRUE(clients.gone[stalled]);
  EXPECT_EQ(statuses(clients.got[next]), "200");
}

TEST(Server, AByteNowAndThenIsAStallToo) {
  Clients clients(10, two_large_uploads());
  for (int i = 0; i < 2; ++i) clients.send(begun_upload(kSentBytes));
  for (int i = 0; i < 20; ++i) clients.send_on(i % 2, "a");
  const size_t next = clients.send(begun_upload(std::string::npos));
  for (int i = 0; i < 4; ++i) clients.send_on(i % 2, "a");
  EXPECT_TRUE(clients.gone[0] || clients.gone[1]);
  EXPECT_EQ(statuses(clients.got[next]), "200");
}

TEST(Server, RefusedConnectionsAreReadUntilTheirClientsKnow) {
  Clients clients(1);
  clients.send(get("/x"));
  const size_t refused = clients.send(put("/echo", std::string(100'000, 'a')));
  EXPECT_EQ(statuses(clients.got[refused]), "503");
  EXPECT_NE(clients.got[refused].find("retry-after: 1\r\n"), std::string::npos);
}

TEST(Server, ADrainWaitsForRequestsAndNotForIdleClients) {
  Clients clients(100);
  for (int i = 0; i < 5; ++i) clients.send(get("/x"));
  const size_t slow = clients.send(get("/slow"));
  EXPECT_EQ(clients.server.in_flight(), 1u);
  clients.drain(60 * kSecond);
  clients.edge.world.run_for(kSecond / 2);
  EXPECT_FALSE(clients.drained);
  clients.edge.world.run_for(kSecond);
  EXPECT_TRUE(clients.drained);
  EXPECT_EQ(statuses(clients.got[slow]), "200");
  EXPECT_EQ(clients.server.connections(), 0u);
  EXPECT_EQ(statuses(clients.got[clients.send(get("/x"))]), "");
}

TEST(Server, ADrainDoesNotWaitForHalfAHead) {
  Clients clients(100);
  clients.send("PUT /echo HTTP/1.1\r\nHost: h\r\n");
  const size_t late = clients.send("GET /x HTTP/1.1\r\n");
  const size_t slow = clients.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  clients.drain(60 * kSecond);
  clients.edge.world.run_for(kSecond / 2);
  clients.send_on(late, "Host: h\r\n\r\n");
  clients.edge.world.run_for(kSecond);
  EXPECT_EQ(statuses(clients.got[late]), "200");
  EXPECT_EQ(clients.server.connections(), 1u);
  EXPECT_FALSE(clients.drained);
  clients.send_on(slow, "cde");
  EXPECT_TRUE(clients.drained);
  EXPECT_EQ(statuses(clients.got[slow]), "200");
}

// As one that waits for a drive that hangs.
TEST(Server, ADrainEndsThoughARequestNeverDoes) {
  Clients clients(100);
  const size_t hung = clients.send(get("/hang"));
  clients.drain(2 * kSecond);
  clients.edge.world.run_for(3 * kSecond / 2);
  EXPECT_FALSE(clients.drained);
  clients.edge.world.run_for(2 * kSecond);
  EXPECT_TRUE(clients.drained);
  EXPECT_EQ(clients.server.in_flight(), 1u);
  EXPECT_TRUE(clients.gone[hung]);
  EXPECT_EQ(statuses(clients.got[hung]), "");
}

TEST(Server, ADrainEndsAtItsDeadline) {
  Clients clients(100);
  clients.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  clients.drain(2 * kSecond);
  clients.edge.world.run_for(3 * kSecond);
  EXPECT_TRUE(clients.drained);
  EXPECT_EQ(clients.server.connections(), 0u);
}

}  // namespace
}  // namespace kura::s3
