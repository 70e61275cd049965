#include "s3/http/request_body.h"

#include <algorithm>

#include "base/limits.h"

namespace kura::s3 {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kFirstChunkBytes = kPackedBodyMax;  // A small body comes in one chunk.
constexpr size_t kFirstReadBytes = 16 * kKiB;

}  // namespace

RequestBody::RequestBody(Connection& connection, const RequestHead& head,
                         const SessionOptions& options, Ticket* ticket)
    : connection_(connection),
      options_(options),
      ticket_(ticket),
      chunked_(head.chunked),
      left_(head.content_length.value_or(0)),
      continue_pending_(head.expect_continue && (head.chunked || head.content_length)),
      chunk_bytes_(kFirstChunkBytes),
      read_bytes_(kFirstReadBytes),
      patience_ns_(options.body_silence_ns) {
  length_ = head.content_length;
  ended_ = !chunked_ && left_ == 0;
}

Task<S3Result<std::string>> RequestBody::next() {
  if (failed_) co_return broken("IncompleteBody");
  if (ticket_ && !ticket_->try_enter()) {
    const bool in = co_await ticket_->enter();
    if (!in) co_return s3_fail("SlowDown");
  }
  // Before an empty body, too: botocore up to 1.35 takes the final status of one request for that
  // of the next when no 100 came.
  if (continue_pending_) {
    const bool sent = co_await send_continue();
    if (!sent) co_return broken("IncompleteBody");
  }
  if (ended_) co_return std::string();
  while (true) {
    std::string bytes = connection_.take_ahead();
    const bool filled = co_await fill(&bytes);
    if (!filled) co_return broken(connection_.timed_out() ? "RequestTimeout" : "IncompleteBody");
    size_t used = 0, produced = 0;
    if (chunked_) {
      S3Result<ChunkedDecoder::Step> step = decoder_.decode(bytes.data(), bytes.size());
      if (!step) {
        failed_ = true;
        co_return s3_fail(std::move(step.error()));
      }
      used = step->consumed;
      produced = step->produced;
      ended_ = decoder_.done();
    } else {
      used = produced = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      left_ -= used;
      ended_ = left_ == 0;
    }
    if (used < bytes.size()) connection_.put_back(std::string_view(bytes).substr(used));
    bytes.resize(produced);
    if (ended_ || !bytes.empty()) co_return bytes;
  }
}

Task<bool> RequestBody::send_continue() {
  continue_pending_ = false;
  // Who has sent the body already does not wait for it.
  if (!connection_.ahead().empty()) co_return true;
  std::vector<std::string_view> pieces{kContinue};
  co_return co_await connection_.write(std::move(pieces), options_.write_silence_ns);
}

// Adds to what was read ahead until a whole chunk is there; of a chunked coding, whose frames say
// what follows, until anything is. False: the connection ended first.
Task<bool> RequestBody::fill(std::string* bytes) {
  size_t size = bytes->size();
  if (chunked_ && size > 0) co_return true;
  size_t goal = chunk_bytes_;
  if (!chunked_) goal = static_cast<size_t>(std::min<uint64_t>(goal, left_));
  chunk_bytes_ = std::min(2 * chunk_bytes_, kBodyChunkBytes);
  if (size >= goal) co_return true;
  bytes->reserve(goal);
  do {
    // What is reserved is not touched yet: a client that stalls holds a few times what it sends at
    // once.
    bytes->resize(std::max(bytes->size(), std::min(goal, size + read_bytes_)));
    const size_t asked = bytes->size() - size;
    const size_t more = co_await receive(bytes->data() + size, asked);
    if (more == 0) co_return false;
    if (more == asked) read_bytes_ = std::min(2 * read_bytes_, kBodyChunkBytes);
    if (more < asked / 4) read_bytes_ = std::max(read_bytes_ / 2, kFirstReadBytes);
    size += more;
  } while (!chunked_ && size < goal);
  bytes->resize(size);
  co_return true;
}

// A peer that sends a byte now and then makes no progress: patience is renewed by the amount.
Task<size_t> RequestBody::receive(char* out, size_t size_bytes) {
  Clock& clock = Loop::current()->clock();
  const int64_t began_ns = clock.monotonic_ns();
  connection_.set_deadline(std::max<int64_t>(patience_ns_, 1), Connection::Ends::reading);
  if (ticket_) ticket_->wait_begins(options_.body_silence_ns - patience_ns_);
  const size_t received = co_await connection_.read(out, size_bytes);
  if (ticket_) ticket_->wait_ends();
  connection_.clear_deadline();
  progress_bytes_ += received;
  patience_ns_ -= clock.monotonic_ns() - began_ns;
  if (progress_bytes_ >= options_.body_progress_bytes) {
    progress_bytes_ = 0;
    patience_ns_ = options_.body_silence_ns;
  }
  co_return received;
}

S3Result<std::string> RequestBody::broken(std::string_view code) {
  failed_ = true;
  S3Error error = s3_error(code);
  error.close = true;
  return s3_fail(std::move(error));
}

bool RequestBody::can_drain() const {
  // An answer in place of 100 Continue: nobody knows whether the body comes.
  if (continue_pending_) return false;
  if (ended_) return true;
  return !failed_ && (chunked_ || left_ <= options_.drain_bytes_max);
}

Task<bool> RequestBody::drain() {
  if (!can_drain()) co_return false;
  ticket_ = nullptr;
  uint64_t drained = 0;
  while (!ended_) {
    if (drained > options_.drain_bytes_max) co_return false;
    S3Result<std::string> bytes = co_await next();
    if (!bytes) co_return false;
    drained += bytes->size();
  }
  co_return true;
}

}  // namespace kura::s3
