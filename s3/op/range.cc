#include "s3/op/range.h"

#include <algorithm>
#include <optional>

#include "s3/codec/encoding.h"

namespace kura::s3 {
namespace {

// Decimal digits only; beyond 64 bits it stays at the maximum, which is behind every object.
std::optional<uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    uint64_t digit = static_cast<uint64_t>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  return value;
}

}  // namespace

RangeChoice choose_range(std::string_view header, uint64_t size_bytes) {
  RangeChoice whole{RangeChoice::Kind::whole, {0, size_bytes}};
  const RangeChoice unsatisfiable{RangeChoice::Kind::unsatisfiable, {}};
  size_t equals = header.find('=');
  if (equals == std::string_view::npos ||
      !equal_ignoring_case(trim_spaces(header.substr(0, equals)), "bytes")) {
    return whole;
  }
  std::string_view spec = trim_spaces(header.substr(equals + 1));
  size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return whole;
  std::string_view first_text = trim_spaces(spec.substr(0, dash)),
                   last_text = trim_spaces(spec.substr(dash + 1));
  std::optional<uint64_t> first = parse_position(first_text), last = parse_position(last_text);

  if (first_text.empty()) {  // "-n": the last n bytes.
    if (!last) return whole;
    if (*last == 0 || size_bytes == 0) return unsatisfiable;
    uint64_t length = std::min(*last, size_bytes);
    return {RangeChoice::Kind::part, {size_bytes - length, length}};
  }
  if (!first || (!last_text.empty() && !last)) return whole;
  if (last && *last < *first) return whole;
  if (*first >= size_bytes) return unsatisfiable;
  uint64_t end = last && *last < size_bytes - 1 ? *last + 1 : size_bytes;
  return {RangeChoice::Kind::part, {*first, end - *first}};
}

}  // namespace kura::s3
