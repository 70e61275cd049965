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
#include "object.pb.h"
#include "s3/http/error.h"

namespace kura::s3 {

// Names in lower case, in the order received; a name may come more than once.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;
  void add(std::string name, std::string value) {
    if (fields_.capacity() == 0) fields_.reserve(12);  // What most heads need.
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

// Its members are in message.cc, as those of Response: they are moved on at each step of a request,
// and a copy of that code in every function was more than the instruction cache holds.
struct RequestHead {
  RequestHead();
  RequestHead(const RequestHead&);
  RequestHead(RequestHead&&) noexcept;
  RequestHead& operator=(const RequestHead&);
  RequestHead& operator=(RequestHead&&) noexcept;
  ~RequestHead();

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

// What an operation reads: a body whose digests are known once it has ended well.
class VerifiedBody : public BodySource {
 public:
  // After the good end: 16 raw bytes, over the decoded bytes.
  virtual const std::string& md5() const = 0;
  // The digest that the client announced, before the body is read; algorithm NONE if none.
  virtual v1::Checksum::Algorithm checksum_algorithm() const = 0;
  // After the good end: that digest, verified, type FULL_OBJECT; NONE if none was announced.
  virtual const v1::Checksum& checksum() const = 0;
};

// The bytes of a response body, written while they are produced.
class ResponseBody {
 public:
  virtual ~ResponseBody() = default;
  virtual Task<Result<std::string>> next() = 0;  // Empty at the end. An error cuts the connection.
};

struct Response {
  Response();
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  ~Response();

  int status = 200;
  Headers headers;   // Without content-length, date, request ids: the session adds them.
  std::string body;  // XML or empty, unless `stream`.
  std::unique_ptr<ResponseBody> stream;
  uint64_t stream_bytes = 0;  // Exact length of `stream`.
  bool head_only = false;     // HEAD: content-length of the body, no body.
  std::string error_code;     // S3 code for the log and the metrics; empty on success.
  std::string cause;          // What is behind it, for the log alone; often empty.
  bool close = false;         // The connection ends after this response.
};

}  // namespace kura::s3
