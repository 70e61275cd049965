#include "s3/http/session.h"

#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/codec/xml_writer.h"
#include "s3/http/connection.h"
#include "s3/http/parser.h"
#include "s3/http/response_head.h"

namespace kura::s3 {
namespace {

std::string new_request_id(Random& random) {
  uint64_t bits = random.next();
  std::string id(16, '0');
  for (char& c : id) {
    c = "0123456789ABCDEF"[bits & 15];
    bits >>= 4;
  }
  return id;
}

// Counts a request while it is answered, also when the frame is destroyed.
struct InFlight {
  explicit InFlight(uint64_t& counter) : count(counter) { ++count; }
  ~InFlight() { --count; }
  InFlight(const InFlight&) = delete;
  uint64_t& count;
};

struct Ended {
  std::shared_ptr<SessionState> state;
  ~Ended() { state->stream = nullptr; }
};

bool has_body(const Response& response, const RequestHead& head) {
  return head.method != "HEAD" && !response.head_only && response.status != 204 &&
         response.status != 304;
}

// False: the connection cannot be used again.
Task<bool> send(Connection& connection, Response response, const RequestHead& head,
                HeadFields fields, int64_t silence_ns) {
  if (head.method == "HEAD") response.head_only = true;
  const std::string text = response_head(response, fields);
  const bool body = has_body(response, head);
  std::vector<std::string_view> pieces{text};
  if (body && !response.stream && !response.body.empty()) pieces.push_back(response.body);
  std::string first;
  uint64_t left = body && response.stream ? response.stream_bytes : 0;
  if (left > 0) {  // Head and first bytes in one write.
    Result<std::string> bytes = co_await response.stream->next();
    if (!bytes || bytes->empty() || bytes->size() > left) co_return false;
    first = std::move(*bytes);
    left -= first.size();
    pieces.push_back(first);
  }
  if (!co_await connection.write(std::move(pieces), silence_ns)) co_return false;
  while (left > 0) {
    Result<std::string> bytes = co_await response.stream->next();
    // The status is out: the only honest sign of a failure is a short body.
    if (!bytes || bytes->empty() || bytes->size() > left) co_return false;
    left -= bytes->size();
    std::vector<std::string_view> more{*bytes};
    if (!co_await connection.write(std::move(more), silence_ns)) co_return false;
  }
  co_return true;
}

// Waits for a whole head. None: the connection has ended or `error` is set.
Task<std::optional<ParsedHead>> read_head(Connection& connection, const SessionShared& shared,
                                          SessionState& state, std::optional<S3Error>& error) {
  for (;;) {
    if (!connection.ahead.empty()) {
      auto parsed = parse_head(connection.ahead);
      if (!parsed) {
        error = parsed.error();
        co_return std::nullopt;
      }
      if (*parsed) {
        connection.ahead.erase(0, (*parsed)->size_bytes);
        co_return std::move(**parsed);
      }
    }
    state.idle = connection.ahead.empty();
    if (state.idle && shared.draining) co_return std::nullopt;
    const bool more = co_await connection.fill(state.idle ? shared.options.idle_ns
                                                          : shared.options.head_silence_ns);
    state.idle = false;
    if (!more) co_return std::nullopt;
  }
}

// One request and its answer. False: the session ends.
Task<bool> serve_request(Connection& connection, SessionShared& shared, RequestHead head) {
  InFlight in_flight(shared.in_flight);
  const int64_t started_ns = shared.clock.monotonic_ns();
  const uint64_t in_before = connection.bytes_in, out_before = connection.bytes_out;
  ConnectionInfo info{connection.stream().peer(), connection.stream().encrypted(),
                      new_request_id(shared.random)};
  RequestBody body(connection, head);
  Reply reply = co_await shared.handler.handle(head, body, info);
  RequestLogEntry entry;
  entry.status = reply.response.status;
  entry.error_code = reply.response.error_code;
  bool keep = head.keep_alive && !reply.response.close && !shared.draining;
  if (keep && !body.ended()) {
    const bool drained = co_await body.drain(shared.options.drain_bytes_max);
    keep = drained;
  }
  HeadFields fields{info.request_id, shared.clock.wall_ms(), !keep};
  const bool sent = co_await send(connection, std::move(reply.response), head, fields,
                                  shared.options.write_silence_ns);
  if (shared.log) {
    entry.request_id = info.request_id;
    entry.peer = info.peer;
    entry.method = head.method;
    entry.target = head.path + (head.query.empty() ? "" : "?" + redact_query(head.query));
    entry.operation = reply.operation;
    entry.bucket = reply.bucket;
    entry.access_key = reply.access_key;
    entry.bytes_in = connection.bytes_in - in_before;
    entry.bytes_out = connection.bytes_out - out_before;
    entry.duration_ns = shared.clock.monotonic_ns() - started_ns;
    shared.log(entry);
  }
  co_return keep && sent;
}

}  // namespace

Response plain_error(const S3Error& error, bool head_request, std::string_view resource,
                     std::string_view request_id) {
  Response response;
  response.status = error.status;
  response.error_code = error.code;
  response.close = error.close;
  if (head_request) return response;
  XmlWriter xml("Error", "");
  xml.text("Code", error.code);
  xml.text("Message", error.message);
  for (const auto& [name, value] : error.details) xml.text(name, value);
  xml.text("Resource", resource);
  xml.text("RequestId", request_id);
  xml.text("HostId", request_id);
  response.headers.add("content-type", "application/xml");
  response.body = xml.finish();
  return response;
}

Task<void> serve_session(std::unique_ptr<Stream> stream, std::shared_ptr<SessionShared> shared,
                         std::shared_ptr<SessionState> state) {
  Connection connection(std::move(stream));
  state->stream = &connection.stream();
  Ended ended{state};
  for (;;) {
    std::optional<S3Error> error;
    std::optional<ParsedHead> parsed = co_await read_head(connection, *shared, *state, error);
    if (error) {
      const std::string id = new_request_id(shared->random);
      Response response = plain_error(*error, false, "/", id);
      HeadFields fields{id, shared->clock.wall_ms(), true};
      RequestHead none;
      (void)co_await send(connection, std::move(response), none, fields,
                          shared->options.write_silence_ns);
    }
    if (!parsed) break;
    const bool more = co_await serve_request(connection, *shared, std::move(parsed->head));
    if (!more) break;
  }
  connection.close();
}

}  // namespace kura::s3
