// A session: the requests of one connection, one after the other, over the Stream and Timer ports
// (RFC 9112, section 9). Requests that were sent ahead wait in the read buffer, so their answers
// keep their order and memory stays bounded.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/stream.h"
#include "s3/http/admission.h"
#include "s3/http/message.h"
#include "s3/http/session_options.h"

namespace kura::s3 {

struct ConnectionInfo {
  std::string peer;  // "127.0.0.1:40123"
  bool encrypted = false;
  std::string request_id;  // Of this request: 16 upper-case hex digits.
};

// What the handler knows when a request has ended.
struct Reply {
  Reply();
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  Response response;
  std::string operation;   // "PutObject"; empty when the request names none.
  std::string access_key;  // Empty before authentication.
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Always an answer. All arguments live until it returns.
  virtual Task<Reply> handle(const RequestHead& head, BodySource& body,
                             const ConnectionInfo& connection) = 0;
  // Whether a request is answered at any load: what an operator needs to see a node that is busy.
  virtual bool always_admits(const RequestHead&) const { return false; }
};

// One line of the request log, and the source of the request metrics.
struct RequestLogEntry {
  RequestLogEntry();
  RequestLogEntry(const RequestLogEntry&);
  RequestLogEntry(RequestLogEntry&&) noexcept;
  RequestLogEntry& operator=(const RequestLogEntry&);
  RequestLogEntry& operator=(RequestLogEntry&&) noexcept;
  ~RequestLogEntry();

  std::string request_id, peer, method, target;  // `target` without secrets; empty: no whole head.
  std::string operation, access_key, error_code;
  std::string cause;        // Of a 5xx or an answer that was cut: the store's own words.
  int64_t answered_ms = 0;  // Wall clock, when the answer began.
  int status = 0;
  bool complete = true;                  // Else the client or the store gave up in the answer.
  uint64_t bytes_in = 0, bytes_out = 0;  // Of the connection, heads included.
  int64_t duration_ns = 0;               // From the whole head to the last byte handed over.
};

// What the sessions of one server share. `draining` is read between requests.
struct SessionShared {
  SessionShared(RequestHandler& handler_in, Random& random_in, Clock& clock_in,
                SessionOptions options_in, std::function<void(const RequestLogEntry&)> log_in)
      : handler(handler_in),
        random(random_in),
        clock(clock_in),
        options(options_in),
        log(std::move(log_in)) {}

  RequestHandler& handler;
  Random& random;
  Clock& clock;
  SessionOptions options;
  std::function<void(const RequestLogEntry&)> log;  // May be empty.
  Admission admission{options.admission};
  bool draining = false;     // On the session's loop.
  uint64_t in_flight = 0;    // Requests between head and last byte.
  uint64_t connections = 0;  // Sessions that have not ended.
};

// Tells a session's owner whether it waits for a request, so that a drain may close it.
struct SessionState {
  Stream* stream = nullptr;  // Null once the session has ended.
  bool idle = false;
  uint64_t in_flight = 0;  // Requests of this connection: one at a time.
};

// Runs until the client, a deadline or a drain ends it. On the loop of `stream`.
Task<void> serve_session(std::unique_ptr<Stream> stream, std::shared_ptr<SessionShared> shared,
                         std::shared_ptr<SessionState> state);

// The answer that reports `error`: S3's document, or nothing but the status for HEAD and 304.
Response plain_error(const S3Error& error, bool head_request, std::string_view resource,
                     std::string_view request_id);

}  // namespace kura::s3
