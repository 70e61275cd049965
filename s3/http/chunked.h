// ChunkedDecoder: takes the chunked transfer coding off a body (RFC 9112, section 7.1). Pure.

#pragma once

#include <string>
#include <string_view>

#include "s3/http/message.h"

namespace kura::s3 {

class ChunkedDecoder {
 public:
  struct Step {
    size_t consumed = 0;  // Bytes of the input that belong to this body.
    size_t produced = 0;  // Bytes of payload, now at the front of the input.
  };
  // Works in place and stops at the end of the body, which may be before the end of the input.
  // Errors: BadRequest with `close` set. Chunk extensions are refused: nobody needs them, and
  // readers disagree about them.
  S3Result<Step> decode(char* data, size_t size_bytes);
  bool done() const { return state_ == State::done; }
  const Headers& trailer() const { return trailer_; }

 private:
  enum class State : uint8_t { size_line, data, data_end, trailer, done };
  S3Result<void> take_line();
  S3Result<void> take_trailer_field();

  State state_ = State::size_line;
  std::string line_;
  uint64_t left_ = 0;
  size_t trailer_bytes_ = 0;
  Headers trailer_;
};

}  // namespace kura::s3
