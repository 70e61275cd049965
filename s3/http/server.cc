#include "s3/http/server.h"

#include <algorithm>

#include "s3/http/connection.h"
#include "s3/http/response_head.h"

namespace kura::s3 {
namespace {

constexpr int64_t kDrainStepNs = 20'000'000;
constexpr int64_t kHeadGraceNs = 1'000'000'000;  // For a head that was under way to be complete.
constexpr int64_t kCutNs = 1'000'000'000;  // For requests to notice that their client is gone.
constexpr int64_t kAcceptRetryNs = 100'000'000;
constexpr size_t kSweepEvery = 64;
// A refused connection is kept until its client has read why, or for so long: with a request still
// unread, closing would reset it.
constexpr int64_t kRefusedLingerNs = 1'000'000'000;
constexpr size_t kRefusedMax = 256;  // Beyond, they are closed at once. About 4 MiB.
constexpr size_t kRefusedReadBytes = 16 * kKiB;
constexpr uint64_t kRefusedBytesMax = kMiB;

Task<void> refuse(std::unique_ptr<Stream> stream, int64_t now_ms, std::shared_ptr<size_t> open) {
  // A TLS handshake would take the very time and memory that are short.
  if (stream->encrypted() || *open >= kRefusedMax) co_return;
  struct Open {
    explicit Open(std::shared_ptr<size_t> n) : count(std::move(n)) { ++*count; }
    ~Open() { --*count; }
    Open(const Open&) = delete;
    std::shared_ptr<size_t> count;
  } counted(std::move(open));
  Response response = plain_error(s3_error("SlowDown"), false, "/", "0000000000000000");
  response.headers.add("retry-after", "1");
  HeadFields fields{"0000000000000000", now_ms, true};
  const std::string head = response_head(response, fields);
  std::vector<std::string_view> pieces{head, response.body};
  Connection connection(std::move(stream));
  const bool more = co_await connection.write(std::move(pieces), kRefusedLingerNs);
  connection.set_deadline(kRefusedLingerNs);
  if (more) co_await connection.drop(kRefusedBytesMax, kRefusedReadBytes);
  connection.close();
}

}  // namespace

HttpServer::HttpServer(Loop& loop, RequestHandler& handler, Random& random, SessionOptions options,
                       size_t connections_max, std::function<void(const RequestLogEntry&)> log)
    : loop_(loop),
      connections_max_(connections_max),
      shared_(std::make_shared<SessionShared>(handler, random, loop.clock(), options,
                                              std::move(log))) {}

void HttpServer::start(std::unique_ptr<Acceptor> acceptor) {
  acceptor_ = std::move(acceptor);
  spawn(loop_, accept_all());
}

Task<HttpServer::Counters> HttpServer::counters_here() {
  co_return Counters{connections(), in_flight(), refused(), admission()};
}

void HttpServer::forget_ended() {
  std::erase_if(sessions_, [](const auto& state) { return state.use_count() == 1; });
}

Task<void> HttpServer::accept_all() {
  size_t since_sweep = 0;
  while (!shared_->draining) {
    Result<std::unique_ptr<Stream>> stream = co_await acceptor_->accept();
    if (!stream) {
      if (stream.error().code == Errc::closed) break;
      co_await sleep_for(kAcceptRetryNs);  // Out of descriptors: better later than a busy loop.
      continue;
    }
    if (sessions_.size() >= connections_max_ || ++since_sweep >= kSweepEvery) {
      forget_ended();
      since_sweep = 0;
    }
    if (sessions_.size() >= connections_max_) {
      ++refused_;
      spawn(loop_, refuse(std::move(*stream), loop_.clock().wall_ms(), refused_open_));
      continue;
    }
    auto state = std::make_shared<SessionState>();
    sessions_.push_back(state);
    spawn(loop_, serve_session(std::move(*stream), shared_, std::move(state)));
  }
}

Task<void> HttpServer::drain(int64_t deadline_ns) {
  shared_->draining = true;
  if (acceptor_) acceptor_->close();
  const int64_t began_ns = loop_.clock().monotonic_ns(), end_ns = began_ns + deadline_ns;
  for (;;) {
    forget_ended();
    const int64_t now_ns = loop_.clock().monotonic_ns();
    const bool late = now_ns >= end_ns;
    for (const auto& state : sessions_) {
      const bool asks_nothing = state->in_flight == 0 && now_ns >= began_ns + kHeadGraceNs;
      if (state->stream && (state->idle || asks_nothing || late)) state->stream->close();
    }
    if (sessions_.empty()) co_return;
    // What waits for something else than its client, such as a drive that hangs, may never end.
    if (late && (shared_->in_flight == 0 || now_ns >= end_ns + kCutNs)) co_return;
    co_await sleep_for(kDrainStepNs);
  }
}

}  // namespace kura::s3
