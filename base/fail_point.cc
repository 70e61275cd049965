#include "base/fail_point.h"

#include <utility>

#include "base/check.h"

namespace kura {
namespace {

std::atomic<uint64_t> hits_left{0};
std::function<void()> fire_once;

}  // namespace

std::string name_of(FailPoint point) {
  return std::string(kDurableSteps.at(point.step)) +
         (point.edge == Edge::before ? ":before" : ":after");
}

std::optional<FailPoint> parse_fail_point(std::string_view name) {
  for (size_t step = 0; step < kDurableSteps.size(); ++step)
    for (Edge edge : {Edge::before, Edge::after}) {
      const FailPoint point{static_cast<uint16_t>(step), edge};
      if (name_of(point) == name) return point;
    }
  return std::nullopt;
}

void arm_fail_point(FailPoint point, uint64_t nth, std::function<void()> fire) {
  INVARIANT(nth > 0, "hits are counted from 1");
  fire_once = std::move(fire);
  hits_left = nth;
  detail::armed_fail_point = point.number();
}

void disarm_fail_points() {
  detail::armed_fail_point = 0;
  fire_once = nullptr;
}

void detail::fail_point_reached() {
  if (hits_left.fetch_sub(1) != 1) return;
  armed_fail_point = 0;
  std::exchange(fire_once, nullptr)();
}

}  // namespace kura
