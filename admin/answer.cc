#include "admin/answer.h"

#include <utility>

namespace kura::admin {

s3::Response text_response(int status, std::string type, std::string body) {
  s3::Response response;
  response.status = status;
  response.headers.add("content-type", std::move(type));
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

s3::Response json_response(const Json& fields, int status) {
  return text_response(
      status, "application/json",
      document(fields).dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n");
}

s3::Response error_response(const s3::S3Error& error) {
  s3::Response response =
      json_response({{"code", error.code}, {"message", error.message}}, error.status);
  response.error_code = error.code;
  response.cause = error.cause;
  response.close = error.close;
  return response;
}

}  // namespace kura::admin
