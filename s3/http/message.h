// HTTP messages as the S3 layer sees them. RFC 9110, RFC 9112.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.h"
#include "s3/http/error.h"

namespace kura::s3 {

// Names in lower case, in the order received; a name may come more than once.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  // The first value; empty view when absent (see has()).
  std::string_view get(std::string_view name) const;
  bool has(std::string_view name) const;
  size_t count(std::string_view name) const;
  const std::vector<Field>& all() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

struct RequestHead {
  std::string method;  // As sent: "GET".
  std::string path;    // Raw, still percent-encoded, begins with "/".
  std::string query;   // Raw, without "?".
  Headers headers;
  int minor_version = 1;  // HTTP/1.x
  bool keep_alive = true;
  std::optional<uint64_t> content_length;
  bool chunked = false;  // Transfer-Encoding: chunked.
  bool expect_continue = false;
};

// The bytes of a request body, decoded (aws-chunked removed), checked while they pass: a wrong
// signature, hash, length or trailer is an error of the last next(), so nothing is committed.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // At least one byte, at most kBodyChunkBytes; empty at the good end.
  virtual Task<S3Result<std::string>> next() = 0;
  virtual std::optional<uint64_t> length_bytes() const = 0;  // Decoded; none if not declared.
  // Fields of the trailer (lower case), after the good end.
  virtual const Headers& trailer() const = 0;
};

// The bytes of a response body, written while they are produced.
class ResponseBody {
 public:
  virtual ~ResponseBody() = default;
  virtual Task<Result<std::string>> next() = 0;  // Empty at the end. An error cuts the connection.
};

struct Response {
  int status = 200;
  Headers headers;  // Without content-length, date, request ids: the session adds them.
  std::string body;  // XML or empty, unless `stream`.
  std::unique_ptr<ResponseBody> stream;
  uint64_t stream_bytes = 0;  // Exact length of `stream`.
  bool head_only = false;     // HEAD: content-length of the body, no body.
  std::string error_code;     // S3 code for the log and the metrics; empty on success.
};

}  // namespace kura::s3
