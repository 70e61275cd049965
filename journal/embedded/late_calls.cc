#include "journal/embedded/late_calls.h"

#include <algorithm>

namespace kura::journal {

void LateCalls::watch(const Mirror& mirror) {
  std::erase_if(calls_, [](const auto& entry) { return entry.second.expired(); });
  calls_.push_back({mirror.id, mirror.bounds});
}

bool LateCalls::any_on(DriveId drive) const {
  return std::any_of(calls_.begin(), calls_.end(), [&](const auto& entry) {
    const std::shared_ptr<CallBounds> bounds = entry.second.lock();
    return entry.first == drive && bounds && bounds->given_up && bounds->under_way > 0;
  });
}

}  // namespace kura::journal
