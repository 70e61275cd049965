#include "node/server/fail_point_setting.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>

#include "base/fail_point.h"
#include "node/server/environment.h"

namespace kura::node {
namespace {

constexpr char kVariable[] = "KURA_FAIL_POINT";

}  // namespace

Result<std::string> arm_fail_point_of_environment() {
  const std::string text = environment_variable(kVariable).value_or("");
  if (text.empty()) return text;
  std::string_view name = text;
  uint64_t nth = 1;
  const size_t colon = name.rfind(':');
  if (colon != std::string_view::npos) {
    const auto [end, error] = std::from_chars(name.data() + colon + 1, name.end(), nth);
    if (error == std::errc() && end == name.end() && nth > 0) name = name.substr(0, colon);
  }
  const auto point = parse_fail_point(name);
  if (!point)
    return fail(Errc::invalid_argument,
                std::string(kVariable) + ": no fail point is '" + text +
                    "'; kura fail-points lists them, NAME:N means its N-th time");
  arm_fail_point(*point, nth, [] { ::kill(::getpid(), SIGKILL); });
  return text;
}

std::string fail_point_list() {
  std::string out;
  for (size_t step = 0; step < kDurableSteps.size(); ++step)
    for (Edge edge : {Edge::before, Edge::after})
      out += name_of({static_cast<uint16_t>(step), edge}) + "\n";
  return out;
}

}  // namespace kura::node
