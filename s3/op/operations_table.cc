#include "s3/op/operations_table.h"

#include "s3/op/operation.h"

namespace kura::s3 {
namespace {

// "PUT /bucket/key?uploadId, x-amz-copy-source"
std::string request_line(const Route& route) {
  std::string line(route.method);
  line += route.target == Target::service  ? " /"
          : route.target == Target::bucket ? " /bucket"
                                           : " /bucket/key";
  std::string query, headers;
  std::string_view rest = route.required;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    std::string_view element = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    if (element.starts_with("header:")) {
      headers += " with " + std::string(element.substr(7));
    } else {
      query += (query.empty() ? "?" : "&") + std::string(element);
    }
  }
  return line + query + headers;
}

std::string answer(const Route& route) {
  if (route.fixed.empty()) return "works";
  if (route.fixed == "NotImplemented") return "not yet: 501 NotImplemented";
  return "nothing configured: " + std::string(route.fixed);
}

}  // namespace

std::string operations_table() {
  std::string out = "| Operation | Request | Answer |\n| --- | --- | --- |\n";
  std::string_view last;
  for (const Route& route : routes()) {
    if (route.name == last) continue;  // A second row of one operation serves only the routing.
    last = route.name;
    out += "| " + std::string(route.name) + " | `" + request_line(route) + "` | " + answer(route) +
           " |\n";
  }
  return out;
}

}  // namespace kura::s3
