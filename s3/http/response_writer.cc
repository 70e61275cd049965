#include "s3/http/response_writer.h"

namespace kura::s3 {
namespace {

bool sends_body(const Response& response, bool head_request) {
  return !head_request && !response.head_only && response.status != 204 && response.status != 304;
}

// The next bytes of a body with `left` to come; an end that is too early or too late is an error.
Task<Result<std::string>> next_bytes(ResponseBody& body, uint64_t left) {
  Result<std::string> bytes = co_await body.next();
  if (bytes && (bytes->empty() || bytes->size() > left))
    co_return fail(Errc::corrupt, "a body of another length than announced");
  co_return bytes;
}

}  // namespace

Task<Result<std::string>> first_bytes(Response& response, bool head_request) {
  if (!response.stream || response.stream_bytes == 0 || !sends_body(response, head_request))
    co_return std::string();
  co_return co_await next_bytes(*response.stream, response.stream_bytes);
}

Task<Result<void>> write_response(Connection& connection, Response response, std::string first,
                                  bool head_request, HeadFields fields, int64_t silence_ns) {
  response.head_only |= head_request;
  const std::string head = response_head(response, fields);
  std::vector<std::string_view> pieces{head};
  uint64_t left = 0;
  if (sends_body(response, head_request)) {
    if (response.stream) {
      left = response.stream_bytes - first.size();
      pieces.push_back(first);
    } else {
      pieces.push_back(response.body);
    }
  }
  bool sent = co_await connection.write(std::move(pieces), silence_ns);
  while (sent && left > 0) {
    Result<std::string> bytes = co_await next_bytes(*response.stream, left);
    // The status is out: the only honest sign of a failure is a short body.
    if (!bytes) co_return fail(bytes.error());
    left -= bytes->size();
    std::vector<std::string_view> more{*bytes};
    sent = co_await connection.write(std::move(more), silence_ns);
  }
  if (!sent) co_return fail(Errc::closed, "the client is gone or does not read");
  co_return Result<void>{};
}

}  // namespace kura::s3
