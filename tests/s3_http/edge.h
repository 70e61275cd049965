// An HTTP session and a client that speaks raw bytes, on simulated streams and time.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "s3/codec/encoding.h"
#include "s3/http/session.h"
#include "sim/sim_loop.h"
#include "sim/sim_stream.h"

namespace kura::s3 {

// A body of `left` bytes that may fail on the way.
class TestBody : public ResponseBody {
 public:
  TestBody(uint64_t bytes, uint64_t fail_at) : left_(bytes), fail_in_(fail_at) {}
  Task<Result<std::string>> next() override {
    if (fail_in_ == 0) co_return fail(Errc::unavailable, "secret path /disk/7");
    const uint64_t n = std::min<uint64_t>({left_, fail_in_, 1 << 20});
    left_ -= n;
    fail_in_ -= n;
    co_return std::string(n, 's');
  }

 private:
  uint64_t left_, fail_in_;
};

// What a request gets follows from its path.
class TestHandler : public RequestHandler {
 public:
  Task<Reply> handle(const RequestHead& head, BodySource& body,
                     const ConnectionInfo& connection) override {
    at_once_max = std::max(at_once_max, ++at_once);
    Reply reply = co_await answer(head, body, connection);
    --at_once;
    co_return reply;
  }

  std::vector<std::string> seen, request_ids;
  std::string last_error;
  size_t at_once = 0, at_once_max = 0;  // Requests that are handled now, and the most there were.

 private:
  Task<Reply> answer(const RequestHead& head, BodySource& body, const ConnectionInfo& connection) {
    seen.push_back(head.method + " " + head.path);
    request_ids.push_back(connection.request_id);
    Reply reply;
    reply.operation = "Test";
    if (head.path == "/deny") {
      reply.response = plain_error(s3_error("AccessDenied"), head.method == "HEAD", head.path,
                                   connection.request_id);
    } else if (head.path == "/slow") {
      co_await sleep_for(sim::kSecond);
    } else if (head.path == "/hang") {
      co_await suspend<Done>([](Resolver<Done>) {});
    } else if (head.path.starts_with("/stream/")) {
      const uint64_t bytes = *parse_decimal(head.path.substr(8));
      const bool fails = !head.query.empty();
      const uint64_t fail_at = fails ? *parse_decimal(head.query) : UINT64_MAX;
      reply.response.stream = std::make_unique<TestBody>(bytes, fail_at);
      reply.response.stream_bytes = bytes;
    } else if (head.path == "/inject") {
      reply.response.headers.add("x-amz-meta-a", "b\r\nSet-Cookie: c");
      reply.response.body = "body";
    } else if (head.path == "/empty") {
      reply.response.status = 204;
    } else if (head.path == "/echo") {
      co_await echo(body, &reply.response);
    } else {
      reply.response.body = "hello";
    }
    co_return reply;
  }

  Task<void> echo(BodySource& body, Response* response) {
    while (true) {
      S3Result<std::string> bytes = co_await body.next();
      if (!bytes) {
        last_error = bytes.error().code;
        *response = plain_error(bytes.error(), false, "/echo", "id");
        co_return;
      }
      if (bytes->empty()) co_return;
      response->body += *bytes;
    }
  }
};

// One step of a client: send, or wait.
struct Step {
  std::string send;
  int64_t wait_ns = 0;
};

class Edge {
 public:
  explicit Edge(uint64_t seed = 1) : world(seed) {}
  ~Edge() {
    network.crash(client_host);
    network.crash(server_host);
    client_loop.stop();
    server_loop.stop();
    client.reset();
    destroy_spawned_tasks(client_loop);
    destroy_spawned_tasks(server_loop);
  }

  // Connects and plays `steps`, reading all the while.
  void connect(std::vector<Step> steps) {
    auto [near, far] = network.pair(client_host, server_host);
    client = std::move(near);
    state = std::make_shared<SessionState>();
    spawn(server_loop, serve_session(std::move(far), shared, state));
    spawn(client_loop, play(this, std::move(steps)));
    if (reads) spawn(client_loop, receive(this));
  }
  // Everything the client got until the server closed, or `for_ns` passed.
  std::string talk(std::vector<Step> steps, int64_t for_ns = 1000 * sim::kSecond) {
    connect(std::move(steps));
    world.run_until([this] { return closed; }, world.now_ns() + for_ns);
    return received;
  }
  std::string talk(std::string bytes) { return talk({Step{std::move(bytes)}}); }

  sim::SimWorld world;
  sim::SimClock clock{world};
  sim::SimLoop client_loop{world, "client", clock}, server_loop{world, "server", clock};
  sim::SimNetwork network{world, {}};
  sim::HostId client_host = network.new_host(), server_host = network.new_host();
  sim::SimRandom random{7};
  TestHandler handler;
  std::vector<RequestLogEntry> log;
  std::shared_ptr<SessionShared> shared = std::make_shared<SessionShared>(
      handler, random, clock, SessionOptions{},
      [this](const RequestLogEntry& entry) { log.push_back(entry); });
  std::shared_ptr<SessionState> state;
  std::unique_ptr<Stream> client;
  std::string received;
  bool closed = false;  // The server closed.
  bool reads = true;
  int64_t closed_at_ns = 0;

 private:
  static Task<void> play(Edge* edge, std::vector<Step> steps) {
    for (Step& step : steps) {
      if (step.wait_ns > 0) co_await sleep_for(step.wait_ns);
      if (step.send.empty()) continue;
      std::vector<std::string_view> pieces{step.send};
      Result<void> sent = co_await edge->client->write(std::move(pieces));
      if (!sent) co_return;
    }
  }
  static Task<void> receive(Edge* edge) {
    std::string buffer(16384, '\0');
    while (true) {
      Result<size_t> n = co_await edge->client->read_some(buffer.data(), buffer.size());
      if (!n || *n == 0) break;
      edge->received.append(buffer, 0, *n);
    }
    edge->closed = true;
    edge->closed_at_ns = edge->world.now_ns();
  }
};

// The statuses of the answers in `received`, in order: "100 200".
inline std::string statuses(std::string_view received) {
  std::string out;
  for (size_t at = received.find("HTTP/1.1 "); at != received.npos;
       at = received.find("HTTP/1.1 ", at + 1)) {
    if (!out.empty()) out += ' ';
    out += received.substr(at + 9, 3);
  }
  return out;
}

inline std::string get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}
inline std::string put(std::string_view path, std::string_view body, std::string_view fields = {}) {
  return "PUT " + std::string(path) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

}  // namespace kura::s3
