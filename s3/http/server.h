// HttpServer: accepts connections on one loop and serves them until it is drained. A node has one
// for each io loop.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/loop.h"
#include "s3/http/session.h"

namespace kura::s3 {

class HttpServer {
 public:
  // All references outlive the server; it is used on `loop` only, but for counters().
  HttpServer(Loop& loop, RequestHandler& handler, Random& random, SessionOptions options,
             size_t connections_max, std::function<void(const RequestLogEntry&)> log);

  // Accepts until drain() or until the acceptor fails. Once.
  void start(std::unique_ptr<Acceptor> acceptor);
  // Accepts no more, closes idle connections, and returns when the requests under way are answered.
  // After `deadline_ns` it closes what is left and returns about a second later, whatever still
  // runs: in_flight() of them.
  Task<void> drain(int64_t deadline_ns);

  struct Counters {
    uint64_t connections = 0, in_flight = 0, refused = 0;
    Admission::Counters admission;
  };
  // As they are below, all of one moment. From any loop: asks `loop`, which has to run.
  Task<Counters> counters() { return run_on(loop_, counters_here()); }

  size_t connections() const { return shared_->connections; }
  uint64_t in_flight() const { return shared_->in_flight; }
  uint64_t refused() const { return refused_; }  // Connections over the limit.
  const Admission::Counters& admission() const { return shared_->admission.counters(); }

 private:
  Task<Counters> counters_here();
  Task<void> accept_all();
  void forget_ended();

  Loop& loop_;
  const size_t connections_max_;
  std::shared_ptr<SessionShared> shared_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<std::shared_ptr<SessionState>> sessions_;
  uint64_t refused_ = 0;
  std::shared_ptr<size_t> refused_open_ = std::make_shared<size_t>(0);  // Not yet closed.
};

}  // namespace kura::s3
