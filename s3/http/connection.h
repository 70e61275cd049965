// Connection: a stream with what was read ahead and a watchdog; and the body of one request on it.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "base/stream.h"
#include "s3/http/chunked.h"
#include "s3/http/message.h"

namespace kura::s3 {

class Connection {
 public:
  explicit Connection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Reads more into `ahead`. False: the peer has sent everything, closed, or was silent for
  // `silence_ns`; see timed_out().
  Task<bool> fill(int64_t silence_ns);
  Task<bool> write(std::vector<std::string_view> pieces, int64_t silence_ns);
  void close() { stream_->close(); }
  bool timed_out() const { return timed_out_; }

  Stream& stream() { return *stream_; }
  std::string ahead;  // Read, not used yet.
  uint64_t bytes_in = 0, bytes_out = 0;

 private:
  struct Watch;
  std::unique_ptr<Stream> stream_;
  bool timed_out_ = false;
};

// The body that follows a head, with its transfer coding taken off.
class RequestBody final : public BodySource {
 public:
  // `connection` outlives it. Answers "100 Continue" when the body is first asked for.
  RequestBody(Connection& connection, const RequestHead& head);

  Task<S3Result<std::string>> next() override;
  std::optional<uint64_t> length_bytes() const override { return length_; }
  const Headers& trailer() const override { return decoder_.trailer(); }

  bool ended() const { return ended_; }
  // Reads what the operation left, at most `bytes_max`; false: the connection is of no more use.
  Task<bool> drain(uint64_t bytes_max);

 private:
  Task<S3Result<std::string>> next_chunked();

  Connection& connection_;
  const bool chunked_;
  std::optional<uint64_t> length_;
  uint64_t left_ = 0;
  bool continue_pending_;
  bool ended_ = false;
  bool failed_ = false;
  ChunkedDecoder decoder_;
};

}  // namespace kura::s3
