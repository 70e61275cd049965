#include "s3/http/connection.h"

#include <algorithm>

#include "base/limits.h"

namespace kura::s3 {
namespace {

constexpr int64_t kBodySilenceNs = 60'000'000'000;  // Without one byte of a body.
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

tl::unexpected<S3Error> broken(std::string_view code) {
  S3Error error = s3_error(code);
  error.close = true;
  return s3_fail(std::move(error));
}

}  // namespace

// Closes the stream when a step takes too long; gone when the step ends.
struct Connection::Watch {
  Watch(Connection& connection, int64_t silence_ns) : loop(*Loop::current()) {
    id = loop.timer().after(silence_ns, [&connection] {
      connection.timed_out_ = true;
      connection.close();
    });
  }
  ~Watch() { loop.timer().cancel(id); }
  Watch(const Watch&) = delete;
  Loop& loop;
  Timer::Id id;
};

Task<bool> Connection::fill(int64_t silence_ns) {
  const size_t before = ahead.size();
  ahead.resize(before + std::min<size_t>(kBodyChunkBytes, 64 * kKiB));
  Watch watch(*this, silence_ns);
  Result<size_t> size = co_await stream_->read_some(ahead.data() + before, ahead.size() - before);
  ahead.resize(before + size.value_or(0));
  bytes_in += size.value_or(0);
  co_return size.value_or(0) > 0;
}

Task<bool> Connection::write(std::vector<std::string_view> pieces, int64_t silence_ns) {
  for (std::string_view piece : pieces) bytes_out += piece.size();
  Watch watch(*this, silence_ns);
  Result<void> written = co_await stream_->write(std::move(pieces));
  co_return written.has_value();
}

RequestBody::RequestBody(Connection& connection, const RequestHead& head)
    : connection_(connection),
      chunked_(head.chunked),
      left_(head.content_length.value_or(0)),
      continue_pending_(head.expect_continue) {
  if (!chunked_) length_ = left_;
  ended_ = !chunked_ && left_ == 0;
}

Task<S3Result<std::string>> RequestBody::next() {
  if (failed_) co_return broken("IncompleteBody");
  if (ended_) co_return std::string();
  if (continue_pending_) {
    continue_pending_ = false;
    std::vector<std::string_view> pieces{kContinue};
    if (!co_await connection_.write(std::move(pieces), kBodySilenceNs)) {
      failed_ = true;
      co_return broken("IncompleteBody");
    }
  }
  if (connection_.ahead.empty() && !co_await connection_.fill(kBodySilenceNs)) {
    failed_ = true;
    co_return broken(connection_.timed_out() ? "RequestTimeout" : "IncompleteBody");
  }
  if (chunked_) co_return co_await next_chunked();
  const size_t taken = std::min<uint64_t>({left_, connection_.ahead.size(), kBodyChunkBytes});
  std::string bytes;
  if (taken == connection_.ahead.size()) {
    bytes.swap(connection_.ahead);
  } else {
    bytes = connection_.ahead.substr(0, taken);
    connection_.ahead.erase(0, taken);
  }
  left_ -= taken;
  ended_ = left_ == 0;
  co_return bytes;
}

Task<S3Result<std::string>> RequestBody::next_chunked() {
  for (;;) {
    auto step = decoder_.feed(connection_.ahead);
    if (!step) {
      failed_ = true;
      co_return s3_fail(step.error());
    }
    connection_.ahead.erase(0, step->consumed);
    ended_ = decoder_.done();
    if (ended_ || !step->decoded.empty()) co_return std::move(step->decoded);
    if (!co_await connection_.fill(kBodySilenceNs)) {
      failed_ = true;
      co_return broken(connection_.timed_out() ? "RequestTimeout" : "IncompleteBody");
    }
  }
}

Task<bool> RequestBody::drain(uint64_t bytes_max) {
  // A client that waits for 100 Continue has not sent the body, or may: nobody can tell.
  if (!ended_ && continue_pending_) co_return false;
  uint64_t drained = 0;
  while (!ended_) {
    if (failed_ || drained > bytes_max) co_return false;
    S3Result<std::string> bytes = co_await next();
    if (!bytes) co_return false;
    drained += bytes->size();
  }
  co_return true;
}

}  // namespace kura::s3
