// LateCalls: what was given up on and is still under way on a drive. It may write what it was told
// to at any time, also over what a later call has written.

#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "journal/embedded/mirror.h"

namespace kura::journal {

class LateCalls {
 public:
  // The calls through this mirror count from now on, also when nobody else knows it any more.
  void watch(const Mirror& mirror);
  bool any_on(DriveId drive) const;

 private:
  std::vector<std::pair<DriveId, std::weak_ptr<CallBounds>>> calls_;  // Of all drives ever.
};

}  // namespace kura::journal
