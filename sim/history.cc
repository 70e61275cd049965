#include "sim/history.h"

#include <cinttypes>
#include <cstdio>

namespace kura::sim {

Value History::new_value(Content content) {
  contents_.emplace(next_value_, std::move(content));
  return next_value_++;
}

void History::add(const std::string& name, Operation operation) {
  operation.number = next_++;
  registers_[name].operations.push_back(std::move(operation));
}

namespace {

std::string value_text(Value value) {
  return value == kAbsent ? "nothing" : "value " + std::to_string(value);
}

std::string time_text(int64_t ns) {
  if (ns == kNever) return "unknown";
  char text[32];
  std::snprintf(text, sizeof text, "%" PRId64 ".%06" PRId64 " s", ns / 1'000'000'000,
                ns / 1'000 % 1'000'000);
  return text;
}

}  // namespace

std::string describe(const Operation& operation) {
  std::string out = "[" + time_text(operation.invoked_ns) + " .. " +
                    time_text(operation.returned_ns) + "] " + operation.what + ":";
  switch (operation.holds) {
    case Holds::anything:
      break;
    case Holds::is:
      out += " saw " + value_text(operation.operand);
      break;
    case Holds::is_present:
      out += " saw some value";
      break;
    case Holds::is_another:
      out += " saw a value other than " + value_text(operation.operand);
      break;
  }
  if (operation.writes) out += " wrote " + value_text(operation.written);
  return out;
}

}  // namespace kura::sim
