// Runs one task on one simulated loop to its end.

#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/sim_loop.h"
#include "tests/base/kept_result.h"

namespace kura::sim {

inline constexpr int64_t kTaskMaxNs = 3600 * kSecond;  // Of virtual time.

inline Task<void> note_end(Task<void> task, bool* ended) {
  co_await std::move(task);
  *ended = true;
}

// REQUIRES, also below: the task ends within kTaskMaxNs.
inline void run_task(SimWorld& world, Loop& loop, Task<void> task) {
  bool ended = false;
  spawn(loop, note_end(std::move(task), &ended));
  ASSERT_TRUE(world.run_until([&ended] { return ended; }, world.now_ns() + kTaskMaxNs));
}

template <class T>
T run_task(SimWorld& world, Loop& loop, Task<T> task) {
  std::optional<T> result;
  spawn(loop, keep_result<T>(std::move(task), &result));
  const bool ended =
      world.run_until([&] { return result.has_value(); }, world.now_ns() + kTaskMaxNs);
  if (!ended) {
    ADD_FAILURE() << "a task never ended";
    std::abort();
  }
  return std::move(*result);
}

}  // namespace kura::sim
