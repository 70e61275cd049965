#include "s3/http/session.h"

#include <algorithm>
#include <optional>

#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/codec/xml_writer.h"
#include "s3/http/connection.h"
#include "s3/http/parser.h"
#include "s3/http/request_body.h"
#include "s3/http/response_writer.h"

namespace kura::s3 {
namespace {

constexpr size_t kHeadReadBytes = 8 * kKiB;  // What an idle connection costs.
constexpr std::string_view kBlankLine = "\r\n\r\n";

std::string new_request_id(Random& random) {
  uint64_t bits = random.next();
  std::string id(16, '0');
  for (char& c : id) {
    c = "0123456789ABCDEF"[bits & 15];
    bits >>= 4;
  }
  return id;
}

// Counts something while it lives, also when the frame that holds it is destroyed.
struct Counted {
  explicit Counted(uint64_t& counter) : count(counter) { ++count; }
  ~Counted() { --count; }
  Counted(const Counted&) = delete;
  uint64_t& count;
};

struct Ended {
  std::shared_ptr<SessionState> state;
  ~Ended() { state->stream = nullptr; }
};

// One before a request, which old clients send behind a body (RFC 9112, 2.2). False: there is none.
bool skip_empty_line(Connection& connection) {
  if (!connection.ahead().starts_with("\r\n")) return false;
  connection.use(2);
  return true;
}

// Waits for a whole head. None: the connection has ended, or `error` is set.
Task<std::optional<RequestHead>> read_head(Connection& connection, const SessionShared& shared,
                                           SessionState& state, std::optional<S3Error>& error) {
  size_t seen = 0;  // Of what was read ahead: looked through for the end of the head.
  bool skips = skip_empty_line(connection);
  connection.set_deadline(connection.ahead().empty() ? shared.options.idle_ns
                                                     : shared.options.head_ns);
  while (true) {
    const std::string_view ahead = connection.ahead();
    const size_t from = seen - std::min(seen, kBlankLine.size() - 1);
    if (!ahead.empty() && (seen == 0 || ahead.size() > kHttpHeadBytesMax ||
                           ahead.find(kBlankLine, from) != ahead.npos)) {
      S3Result<std::optional<ParsedHead>> parsed = parse_head(ahead);
      if (!parsed) {
        error = std::move(parsed.error());
        co_return std::nullopt;
      }
      if (*parsed) {
        connection.clear_deadline();
        connection.use((*parsed)->size_bytes);
        co_return std::move((*parsed)->head);
      }
    }
    seen = ahead.size();
    state.idle = ahead.empty();
    if (state.idle && shared.draining) co_return std::nullopt;
    const bool first = state.idle;
    const bool more = co_await connection.fill(kHeadReadBytes);
    state.idle = false;
    if (!more) co_return std::nullopt;
    if (first && !skips && (skips = skip_empty_line(connection))) continue;
    // A head has one deadline: a byte now and then does not extend it.
    if (first) connection.set_deadline(shared.options.head_ns);
  }
}

// Reads on while the client may still be sending, so that the answer reaches it.
Task<void> linger(Connection& connection, const SessionOptions& options, SessionState& state) {
  state.idle = true;  // A drain need not wait for this.
  connection.set_deadline(options.linger_ns);
  // Small: thousands that are refused linger together, and nothing is charged for them any more.
  co_await connection.drop(options.linger_bytes_max, kHeadReadBytes);
}

std::string log_target(const RequestHead& head) {
  return head.query.empty() ? head.path : head.path + "?" + redact_query(head.query);
}

// One request and its answer. `in_before`: bytes of the connection before its head. False: the
// session ends.
Task<bool> serve_request(Connection& connection, SessionShared& shared, SessionState& state,
                         RequestHead head, uint64_t in_before) {
  Counted in_flight(shared.in_flight), of_connection(state.in_flight);
  INVARIANT(state.in_flight == 1, "requests of a connection run in turn");
  const int64_t began_ns = shared.clock.monotonic_ns();
  const uint64_t out_before = connection.bytes_out();
  const bool head_request = head.method == "HEAD";
  const ConnectionInfo info{connection.stream().peer(), connection.stream().encrypted(),
                            new_request_id(shared.random)};
  Ticket ticket(shared.admission, head, [&connection] { connection.set_deadline(1); });
  Ticket* const limited = shared.handler.always_admits(head) ? nullptr : &ticket;
  RequestBody body(connection, head, shared.options, limited);
  bool admitted = true;
  // With a body it enters when the body is asked for: most refusals come before.
  if (limited && body.ended() && !ticket.try_enter()) admitted = co_await ticket.enter();
  Reply reply;
  if (admitted)
    reply = co_await shared.handler.handle(head, body, info);
  else
    reply.response = plain_error(s3_error("SlowDown"), head_request, head.path, info.request_id);
  Result<std::string> first = co_await first_bytes(reply.response, head_request);
  if (!first) {
    const S3Error error = s3_error(first.error());
    reply.response = plain_error(error, head_request, head.path, info.request_id);
    first = std::string();
  }
  if (reply.response.status == 503) reply.response.headers.add("retry-after", "1");
  ticket.answer(reply.response.body.size() + reply.response.stream_bytes);
  const bool keep =
      head.keep_alive && !reply.response.close && !shared.draining && body.can_drain();
  RequestLogEntry entry;
  entry.status = reply.response.status;
  entry.error_code = reply.response.error_code;
  entry.cause = std::move(reply.response.cause);
  entry.answered_ms = shared.clock.wall_ms();
  const HeadFields fields{info.request_id, entry.answered_ms, !keep};
  Result<void> sent =
      co_await write_response(connection, std::move(reply.response), std::move(*first),
                              head_request, fields, shared.options.write_silence_ns);
  ticket.release();
  entry.complete = sent.has_value();
  if (!sent) entry.cause = sent.error().detail;
  if (shared.log) {
    entry.request_id = info.request_id;
    entry.peer = info.peer;
    entry.method = head.method;
    entry.target = log_target(head);
    entry.operation = std::move(reply.operation);
    entry.access_key = std::move(reply.access_key);
    entry.bytes_in = connection.bytes_in() - in_before;
    entry.bytes_out = connection.bytes_out() - out_before;
    entry.duration_ns = shared.clock.monotonic_ns() - began_ns;
    shared.log(entry);
  }
  if (!entry.complete) co_return false;
  if (keep) co_return co_await body.drain();
  if (!body.ended()) co_await linger(connection, shared.options, state);
  co_return false;
}

// The answer to bytes that are no request.
Task<void> refuse_head(Connection& connection, SessionShared& shared, SessionState& state,
                       S3Error error) {
  const std::string id = new_request_id(shared.random);
  RequestLogEntry entry;
  entry.request_id = id;
  entry.peer = connection.stream().peer();
  entry.status = error.status;
  entry.error_code = error.code;
  Response response = plain_error(error, false, "/", id);
  entry.answered_ms = shared.clock.wall_ms();
  const HeadFields fields{id, entry.answered_ms, true};
  std::string none;
  Result<void> sent = co_await write_response(connection, std::move(response), std::move(none),
                                              false, fields, shared.options.write_silence_ns);
  entry.complete = sent.has_value();
  if (shared.log) shared.log(entry);
  if (entry.complete) co_await linger(connection, shared.options, state);
}

}  // namespace

Reply::Reply() = default;
Reply::Reply(Reply&&) noexcept = default;
Reply& Reply::operator=(Reply&&) noexcept = default;
Reply::~Reply() = default;

RequestLogEntry::RequestLogEntry() = default;
RequestLogEntry::RequestLogEntry(const RequestLogEntry&) = default;
RequestLogEntry::RequestLogEntry(RequestLogEntry&&) noexcept = default;
RequestLogEntry& RequestLogEntry::operator=(const RequestLogEntry&) = default;
RequestLogEntry& RequestLogEntry::operator=(RequestLogEntry&&) noexcept = default;
RequestLogEntry::~RequestLogEntry() = default;

Response plain_error(const S3Error& error, bool head_request, std::string_view resource,
                     std::string_view request_id) {
  Response response;
  response.status = error.status;
  response.error_code = error.code;
  response.cause = error.cause;
  response.close = error.close;
  for (const auto& [name, value] : error.headers) response.headers.add(name, value);
  if (head_request || error.status == 304) return response;
  XmlWriter xml("Error", "");
  xml.text("Code", error.code);
  xml.text("Message", error.message);
  for (const auto& [name, value] : error.details) xml.text(name, value);
  xml.text("Resource", resource);
  xml.text("RequestId", request_id);
  xml.text("HostId", request_id);
  response.headers.add("content-type", "application/xml");
  response.body = with_utf8_only(xml.finish());  // Headers and paths may hold any bytes.
  return response;
}

Task<void> serve_session(std::unique_ptr<Stream> stream, std::shared_ptr<SessionShared> shared,
                         std::shared_ptr<SessionState> state) {
  Counted open(shared->connections);
  Connection connection(std::move(stream));
  state->stream = &connection.stream();
  Ended ended{state};
  while (true) {
    std::optional<S3Error> error;
    const uint64_t in_before = connection.bytes_in();
    std::optional<RequestHead> head = co_await read_head(connection, *shared, *state, error);
    if (error) {
      co_await refuse_head(connection, *shared, *state, std::move(*error));
      break;
    }
    if (!head) break;
    const bool more =
        co_await serve_request(connection, *shared, *state, std::move(*head), in_before);
    if (!more) break;
    // A client that has sent thousands ahead would keep the loop for itself.
    if (!connection.ahead().empty()) co_await next_turn();
  }
  connection.close();
}

}  // namespace kura::s3
