#include "s3/op/params.h"

#include "s3/codec/encoding.h"

namespace kura::s3 {
std::optional<std::string_view> header_of(const Request& request, std::string_view name) {
  if (!request.head.headers.has(name)) return std::nullopt;
  return request.head.headers.get(name);
}

S3Result<uint64_t> number_param(std::string_view name, std::string_view text, uint64_t least,
                                uint64_t most) {
  std::optional<uint64_t> value = parse_decimal(text);
  if (!value || *value < least || *value > most) {
    return s3_fail(invalid_argument("Argument " + std::string(name) +
                                        " must be an integer between " + std::to_string(least) +
                                        " and " + std::to_string(most),
                                    name, text));
  }
  return *value;
}

S3Result<uint64_t> query_number(const Query& query, std::string_view name, uint64_t least,
                                uint64_t most, uint64_t absent) {
  std::string_view text = query.get(name);
  if (text.empty()) return absent;
  return number_param(name, text, least, most);
}

S3Error invalid_argument(std::string message, std::string_view name, std::string_view value) {
  S3Error error = s3_error("InvalidArgument", std::move(message));
  error.details.emplace_back("ArgumentName", name);
  error.details.emplace_back("ArgumentValue", value);
  return error;
}

}  // namespace kura::s3
