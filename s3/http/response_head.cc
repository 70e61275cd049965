#include "s3/http/response_head.h"

#include <algorithm>

#include "s3/codec/encoding.h"
#include "s3/codec/time.h"

namespace kura::s3 {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Requested Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

void field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string response_head(const Response& response, const HeadFields& fields) {
  bool clean = true;
  for (const auto& [name, value] : response.headers.all())
    clean = clean && is_field_value(name) && is_field_value(value);
  const int status = clean ? response.status : 500;
  std::string out;
  out.reserve(512);
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  out.append(reason_of(status)).append("\r\n");
  field(out, "Server", "Kura");
  field(out, "Date", http_date(fields.now_ms));
  field(out, "x-amz-request-id", fields.request_id);
  field(out, "x-amz-id-2", fields.request_id);
  field(out, "X-Content-Type-Options", "nosniff");
  if (fields.close) field(out, "Connection", "close");
  if (clean)
    for (const auto& [name, value] : response.headers.all()) field(out, name, value);
  const uint64_t length = !clean ? 0
                          : response.stream || response.head_only
                              ? std::max<uint64_t>(response.stream_bytes, response.body.size())
                              : response.body.size();
  if (status != 204 && status != 304) field(out, "Content-Length", std::to_string(length));
  out += "\r\n";
  return out;
}

}  // namespace kura::s3
