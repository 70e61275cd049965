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
#include "s3/http/message.h"

namespace kura::s3 {

struct ConnectionInfo {
  std::string peer;  // "127.0.0.1:40123"
  bool encrypted = false;
  std::string request_id;  // Of this request: 16 upper-case hex digits.
};

// What the handler knows when a request has ended.
struct Reply {
  Response response;
  std::string operation;   // "PutObject"; empty when the request names none.
  std::string access_key;  // Empty before authentication.
  std::string bucket;
};

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Always an answer. All arguments live until it returns.
  virtual Task<Reply> handle(const RequestHead& head, BodySource& body,
                             const ConnectionInfo& connection) = 0;
};

// One line of the request log, and the source of the request metrics.
struct RequestLogEntry {
  std::string request_id, peer, method, target;  // `target` without secrets.
  std::string operation, bucket, access_key, error_code;
  int status = 0;
  uint64_t bytes_in = 0, bytes_out = 0;  // Of the connection, heads included.
  int64_t duration_ns = 0;               // From the whole head to the last byte handed over.
};

struct SessionOptions {
  int64_t head_silence_ns = 30'000'000'000;   // While a head is incomplete.
  int64_t idle_ns = 75'000'000'000;           // Between requests.
  int64_t write_silence_ns = 60'000'000'000;  // While a client does not read.
  uint64_t drain_bytes_max = 256 * 1024;      // Of a body that the operation did not read.
};

// What the sessions of one server share. `draining` is read between requests.
struct SessionShared {
  RequestHandler& handler;
  Random& random;
  Clock& clock;
  SessionOptions options;
  std::function<void(const RequestLogEntry&)> log;  // May be empty.
  bool draining = false;      // On the session's loop.
  uint64_t in_flight = 0;     // Requests between head and last byte.
};

// Tells a session's owner whether it waits for a request, so that a drain may close it.
struct SessionState {
  Stream* stream = nullptr;  // Null once the session has ended.
  bool idle = false;
};

Task<void> serve_session(std::unique_ptr<Stream> stream, std::shared_ptr<SessionShared> shared,
                         std::shared_ptr<SessionState> state);

// The document of an error that no operation answered.
Response plain_error(const S3Error& error, bool head_request, std::string_view resource,
                     std::string_view request_id);

}  // namespace kura::s3
