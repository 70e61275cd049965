#include "node/server/ellipsis.h"

#include <charconv>

namespace kura::node {
namespace {

constexpr size_t kResultsMax = 1024;

Result<uint32_t> number(const std::string& text) {
  uint32_t value = 0;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end)
    return fail(Errc::invalid_argument,
                "'" + text + "' is not a number: a range is written {1...6}");
  return value;
}

std::string padded(uint32_t value, const std::string& lower) {
  std::string digits = std::to_string(value);
  if (lower.size() > 1 && lower[0] == '0' && digits.size() < lower.size())
    digits.insert(0, lower.size() - digits.size(), '0');
  return digits;
}

}  // namespace

Result<std::vector<std::string>> expand_ellipsis(const std::string& pattern) {
  const size_t open = pattern.find('{');
  if (open == std::string::npos) return std::vector<std::string>{pattern};
  const size_t close = pattern.find('}', open);
  const size_t dots = pattern.find("...", open);
  if (close == std::string::npos || dots == std::string::npos || dots > close)
    return fail(Errc::invalid_argument, "'" + pattern + "': a range is written {1...6}");

  const std::string lower = pattern.substr(open + 1, dots - open - 1);
  auto first = number(lower);
  if (!first) return fail(Errc::invalid_argument, "'" + pattern + "': " + first.error().detail);
  auto last = number(pattern.substr(dots + 3, close - dots - 3));
  if (!last) return fail(Errc::invalid_argument, "'" + pattern + "': " + last.error().detail);
  if (*last < *first || *last - *first >= kResultsMax)
    return fail(Errc::invalid_argument, "'" + pattern + "': the range is empty or too long");

  auto tails = expand_ellipsis(pattern.substr(close + 1));
  if (!tails) return tails;
  if (tails->size() * (*last - *first + 1) > kResultsMax)
    return fail(Errc::invalid_argument, "'" + pattern + "' stands for too many drives");
  std::vector<std::string> all;
  for (uint32_t value = *first; value <= *last; ++value)
    for (const std::string& tail : *tails)
      all.push_back(pattern.substr(0, open) + padded(value, lower) + tail);
  return all;
}

}  // namespace kura::node
