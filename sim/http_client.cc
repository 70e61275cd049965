#include "sim/http_client.h"

#include "s3/codec/encoding.h"

namespace kura::sim {
namespace {

constexpr size_t kHeadBytesMax = 64 * 1024;

std::string head_text(const HttpRequest& request) {
  const s3::RequestHead& head = request.head;
  std::string out = head.method + " " + head.path;
  if (!head.query.empty()) out += "?" + head.query;
  out += " HTTP/1.1\r\n";
  for (const auto& [name, value] : head.headers.all()) out += name + ": " + value + "\r\n";
  if (!request.body.empty() || head.method == "PUT" || head.method == "POST")
    out += "content-length: " + std::to_string(request.body.size()) + "\r\n";
  if (request.expect_continue) out += "expect: 100-continue\r\n";
  return out + "\r\n";
}

Result<HttpReply> parse_head(std::string_view text) {
  HttpReply reply;
  size_t at = text.find("\r\n");
  if (text.substr(0, 9) != "HTTP/1.1 " || at < 12) return fail(Errc::corrupt, "no status line");
  const auto status = s3::parse_decimal(text.substr(9, 3));
  if (!status) return fail(Errc::corrupt, "no status");
  reply.status = static_cast<int>(*status);
  for (at += 2; at < text.size();) {
    const size_t end = text.find("\r\n", at);
    const std::string_view line = text.substr(at, end - at);
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return fail(Errc::corrupt, "header without a colon");
    reply.headers.add(s3::lower_case(line.substr(0, colon)),
                      std::string(s3::trim_spaces(line.substr(colon + 1))));
    at = end + 2;
  }
  return reply;
}

}  // namespace

Task<Result<HttpReply>> HttpConnection::exchange(HttpRequest request, int64_t timeout_ns) {
  Timer& timer = Loop::current()->timer();
  bool late = false;
  const Timer::Id id = timer.after(timeout_ns, [this, &late] {
    late = true;
    stream_->close();
  });
  Result<HttpReply> reply = co_await run(std::move(request));
  timer.cancel(id);
  if (!reply || reply->headers.get("connection") == "close") usable_ = false;
  if (!reply && late) co_return fail(Errc::timed_out, "no answer in time");
  co_return reply;
}

Task<Result<HttpReply>> HttpConnection::run(HttpRequest request) {
  const std::string text = head_text(request);
  std::vector<std::string_view> pieces{text};
  Result<void> sent = co_await stream_->write(std::move(pieces));
  const bool head_request = request.head.method == "HEAD";
  if (sent && request.expect_continue && !request.body.empty()) {
    Result<HttpReply> first = co_await receive_head();
    if (!first) co_return first;
    if (first->status != 100) {
      usable_ = false;  // The server refuses to read the body; it closes.
      const auto length = s3::parse_decimal(first->headers.get("content-length"));
      Result<std::string> body = co_await receive_exactly(length.value_or(0));
      if (!body) co_return fail(body.error());
      first->body = std::move(*body);
      co_return first;
    }
  }
  if (sent) sent = co_await send_body(request);
  if (request.abandon_after) {
    stream_->close();
    co_return fail(Errc::closed, "abandoned");
  }
  // An answer may have come although not everything could be sent.
  co_return co_await receive(head_request);
}

Task<Result<void>> HttpConnection::send_body(const HttpRequest& request) {
  std::string_view body = request.body;
  if (request.abandon_after) body = body.substr(0, *request.abandon_after);
  if (body.empty()) co_return Result<void>{};
  std::vector<std::string_view> pieces{body};
  co_return co_await stream_->write(std::move(pieces));
}

Task<Result<void>> HttpConnection::fill() {
  std::string chunk(64 * 1024, '\0');
  Result<size_t> n = co_await stream_->read_some(chunk.data(), chunk.size());
  if (!n) co_return fail(n.error());
  if (*n == 0) co_return fail(Errc::closed, "the server closed the connection");
  buffer_.append(chunk.data(), *n);
  co_return Result<void>{};
}

Task<Result<std::string>> HttpConnection::receive_exactly(uint64_t size_bytes) {
  while (buffer_.size() < size_bytes) {
    Result<void> more = co_await fill();
    if (!more) co_return fail(more.error());
  }
  std::string out = buffer_.substr(0, size_bytes);
  buffer_.erase(0, size_bytes);
  co_return out;
}

Task<Result<HttpReply>> HttpConnection::receive_head() {
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (buffer_.size() > kHeadBytesMax) co_return fail(Errc::corrupt, "endless head");
    Result<void> more = co_await fill();
    if (!more) co_return fail(more.error());
  }
  const std::string text = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  co_return parse_head(text);
}

Task<Result<HttpReply>> HttpConnection::receive(bool head_request) {
  Result<HttpReply> reply = fail(Errc::unknown);
  do {
    reply = co_await receive_head();
    if (!reply) co_return reply;
  } while (reply->status < 200);
  if (head_request || reply->status == 204 || reply->status == 304) co_return reply;
  if (reply->headers.get("transfer-encoding") == "chunked") {
    Result<void> chunks = co_await receive_chunks(&reply->body);
    if (!chunks) co_return fail(chunks.error());
    co_return reply;
  }
  const auto length = s3::parse_decimal(reply->headers.get("content-length"));
  if (!length) co_return fail(Errc::corrupt, "an answer without a length");
  Result<std::string> body = co_await receive_exactly(*length);
  if (!body) co_return fail(body.error());
  reply->body = std::move(*body);
  co_return reply;
}

Task<Result<void>> HttpConnection::receive_chunks(std::string* body) {
  while (true) {
    size_t end;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
      Result<void> more = co_await fill();
      if (!more) co_return more;
    }
    const uint64_t size = std::strtoull(buffer_.c_str(), nullptr, 16);
    buffer_.erase(0, end + 2);
    Result<std::string> chunk = co_await receive_exactly(size + 2);
    if (!chunk) co_return fail(chunk.error());
    body->append(*chunk, 0, size);
    if (size == 0) co_return Result<void>{};
  }
}

}  // namespace kura::sim
