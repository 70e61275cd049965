// Writing a response: the head with the first bytes of the body in one write, the rest as it comes.

#pragma once

#include <string>

#include "s3/http/connection.h"
#include "s3/http/message.h"
#include "s3/http/response_head.h"

namespace kura::s3 {

// The first bytes of a streamed body, fetched before the status goes out. A body that fails here
// becomes an honest error. None: the response has no streamed body to send.
Task<Result<std::string>> first_bytes(Response& response, bool head_request);

// `first` is what first_bytes() gave. After an error the client has not got all of it, and the
// connection cannot be used again. Errors: closed (the client), those of the body.
Task<Result<void>> write_response(Connection& connection, Response response, std::string first,
                                  bool head_request, HeadFields fields, int64_t silence_ns);

}  // namespace kura::s3
