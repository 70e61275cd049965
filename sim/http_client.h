// HttpConnection: the client's side of HTTP/1.1 over a Stream (RFC 9112), one request at a time.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/loop.h"
#include "base/stream.h"
#include "s3/http/message.h"

namespace kura::sim {

struct HttpRequest {
  s3::RequestHead head;  // Without content-length.
  std::string body;
  bool expect_continue = false;
  std::optional<uint64_t> abandon_after;  // Closes after so many bytes of the body.
};

struct HttpReply {
  int status = 0;
  s3::Headers headers;
  std::string body;
};

class HttpConnection {
 public:
  explicit HttpConnection(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}

  // Errors: closed, io_error, corrupt (no HTTP), timed_out. After an error, or when usable() is
  // false, the connection is of no more use.
  Task<Result<HttpReply>> exchange(HttpRequest request, int64_t timeout_ns);
  bool usable() const { return usable_; }

 private:
  Task<Result<HttpReply>> run(HttpRequest request);
  Task<Result<void>> send_body(const HttpRequest& request);
  Task<Result<HttpReply>> receive(bool head_request);
  Task<Result<HttpReply>> receive_head();
  Task<Result<void>> receive_chunks(std::string* body);
  Task<Result<void>> fill();  // Reads some more; closed at the end.
  Task<Result<std::string>> receive_exactly(uint64_t size_bytes);

  std::unique_ptr<Stream> stream_;
  std::string buffer_;  // Received, not yet used.
  bool usable_ = true;
};

}  // namespace kura::sim
