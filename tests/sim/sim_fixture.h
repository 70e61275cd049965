// Runs one task on one simulated loop to its end.

#pragma once

#include <gtest/gtest.h>

#include "sim/sim_loop.h"

namespace kura::sim {

inline Task<void> note_end(Task<void> task, bool* ended) {
  co_await std::move(task);
  *ended = true;
}

// REQUIRES: the task ends within an hour of virtual time.
inline void run_task(SimWorld& world, Loop& loop, Task<void> task) {
  bool ended = false;
  spawn(loop, note_end(std::move(task), &ended));
  ASSERT_TRUE(world.run_until([&ended] { return ended; }, world.now_ns() + 3600 * kSecond));
}

}  // namespace kura::sim
