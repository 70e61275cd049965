#include "s3/http/message.h"

#include <algorithm>

namespace kura::s3 {

RequestHead::RequestHead() = default;
RequestHead::RequestHead(const RequestHead&) = default;
RequestHead::RequestHead(RequestHead&&) noexcept = default;
RequestHead& RequestHead::operator=(const RequestHead&) = default;
RequestHead& RequestHead::operator=(RequestHead&&) noexcept = default;
RequestHead::~RequestHead() = default;

Response::Response() = default;
Response::Response(Response&&) noexcept = default;
Response& Response::operator=(Response&&) noexcept = default;
Response::~Response() = default;

std::string_view Headers::get(std::string_view name) const {
  for (const auto& [n, v] : fields_)
    if (n == name) return v;
  return {};
}

bool Headers::has(std::string_view name) const { return count(name) > 0; }

size_t Headers::count(std::string_view name) const {
  return static_cast<size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Field& field) { return field.first == name; }));
}

}  // namespace kura::s3
