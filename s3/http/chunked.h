// ChunkedDecoder: takes the chunked transfer coding off a body (RFC 9112, section 7.1). Pure.

#pragma once

#include <string>
#include <string_view>

#include "s3/http/message.h"

namespace kura::s3 {

class ChunkedDecoder {
 public:
  struct Step {
    std::string decoded;
    size_t consumed = 0;  // Bytes of the input that belong to this body.
  };
  // Errors: BadRequest with `close` set. Chunk extensions are refused: nobody needs them, and
  // readers disagree about them.
  S3Result<Step> feed(std::string_view input);
  bool done() const { return state_ == State::done; }
  const Headers& trailer() const { return trailer_; }

 private:
  enum class State { size_line, data, data_end, trailer, done };
  S3Result<void> end_line();

  State state_ = State::size_line;
  std::string line_;
  uint64_t left_ = 0;
  Headers trailer_;
};

}  // namespace kura::s3
