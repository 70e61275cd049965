// A long sleep of a task that may be told to stop.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/loop.h"

namespace kura::node {

// Ends within a twentieth of `delay_ns` after `stopping` is set, which outlives the Task.
inline Task<void> sleep_unless(const std::atomic<bool>& stopping, int64_t delay_ns) {
  constexpr int64_t kNaps = 20;
  for (int64_t nap = 0; nap < kNaps && !stopping; ++nap)
    co_await sleep_for(std::max<int64_t>(delay_ns / kNaps, 1));
}

}  // namespace kura::node
