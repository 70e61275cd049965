// block_on: runs one task from a thread that is not a loop's (main, a test) and waits for it.

#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/loop.h"

namespace kura {

namespace detail {
template <class T>
struct Blocked {
  std::mutex mutex;
  std::condition_variable arrived;
  std::optional<T> value;
};

template <class T>
Task<void> finish_blocked(Task<T> task, Blocked<T>* blocked) {
  T value = co_await std::move(task);
  std::lock_guard lock(blocked->mutex);
  blocked->value.emplace(std::move(value));
  blocked->arrived.notify_one();  // Under the lock: the waiter may destroy it right after.
}

inline Task<Done> done_after(Task<void> task) {
  co_await std::move(task);
  co_return Done{};
}
}  // namespace detail

// REQUIRES: `loop` runs on another thread and is not stopped before the task ends.
template <class T>
T block_on(Loop& loop, Task<T> task) {
  INVARIANT(Loop::current() == nullptr, "a loop never blocks");
  detail::Blocked<T> blocked;
  spawn(loop, detail::finish_blocked<T>(std::move(task), &blocked));
  std::unique_lock lock(blocked.mutex);
  blocked.arrived.wait(lock, [&] { return blocked.value.has_value(); });
  return std::move(*blocked.value);
}

inline void block_on(Loop& loop, Task<void> task) {
  block_on<Done>(loop, detail::done_after(std::move(task)));
}

}  // namespace kura
