// The head of a response as bytes.

#pragma once

#include <string>

#include "s3/http/message.h"

namespace kura::s3 {

struct HeadFields {
  std::string_view request_id;
  int64_t now_ms = 0;
  bool close = false;
};

// Status line, the response's headers and those that every answer has. A header value with a
// control character would let a client write headers of its own: then none of them is sent and the
// status is 500.
std::string response_head(const Response& response, const HeadFields& fields);

}  // namespace kura::s3
