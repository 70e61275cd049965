// RequestBody: the body that follows a head on a connection, with its transfer coding taken off.

#pragma once

#include <optional>
#include <string>

#include "s3/http/admission.h"
#include "s3/http/chunked.h"
#include "s3/http/connection.h"
#include "s3/http/message.h"
#include "s3/http/session_options.h"

namespace kura::s3 {

class RequestBody final : public BodySource {
 public:
  // `connection`, `options` and `ticket` outlive it; without a ticket nothing is limited. "100
  // Continue" goes out when the body is first asked for, also when it turns out to be empty.
  RequestBody(Connection& connection, const RequestHead& head, const SessionOptions& options,
              Ticket* ticket);

  // Errors: SlowDown; and with `close` IncompleteBody, RequestTimeout, BadRequest (chunked coding).
  Task<S3Result<std::string>> next() override;
  std::optional<uint64_t> length_bytes() const override { return length_; }
  const Headers& trailer() const override { return decoder_.trailer(); }

  bool ended() const { return ended_; }
  // Whether drain() may be tried. Not when the client waits for "100 Continue": it has not sent the
  // body, or it has, and nobody can tell.
  bool can_drain() const;
  // Reads and drops what the operation left; false: the connection cannot be used again.
  Task<bool> drain();

 private:
  Task<bool> send_continue();
  Task<bool> fill(std::string* bytes);
  Task<size_t> receive(char* out, size_t size_bytes);
  S3Result<std::string> broken(std::string_view code);

  Connection& connection_;
  const SessionOptions& options_;
  Ticket* ticket_;
  const bool chunked_;
  std::optional<uint64_t> length_;
  uint64_t left_ = 0;
  bool continue_pending_;
  bool ended_ = false;
  bool failed_ = false;
  ChunkedDecoder decoder_;
  size_t chunk_bytes_;   // Of the next chunk, if so much is left.
  size_t read_bytes_;    // Asked for at once: twice as much after a read that got all of it.
  int64_t patience_ns_;  // Left until the peer must have made progress.
  uint64_t progress_bytes_ = 0;
};

}  // namespace kura::s3
