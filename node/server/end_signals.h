// EndSignals: SIGTERM, SIGINT, SIGQUIT and SIGHUP, which ask the process to end, as the main thread
// waits for them.

#pragma once

#include <signal.h>

#include <memory>
#include <mutex>
#include <optional>

#include "base/loop.h"

namespace kura::node {

sigset_t end_signals();
// Whether one has been received.
bool asked_to_end();

class EndSignals {
 public:
  // Blocks them. Before any thread starts, so that every thread leaves them to this one.
  EndSignals();

  void wait() const;
  bool within(int64_t timeout_ns) const;  // Whether one came.

  // Runs `task` on `loop` and waits for it. None: a signal came first, or it took longer than
  // `timeout_ns`; then it goes on alone.
  template <class T>
  std::optional<T> run(Loop& loop, Task<T> task, int64_t timeout_ns) const {
    auto ran = std::make_shared<Ran<T>>();
    spawn(loop, keep<T>(std::move(task), ran));
    const int64_t begun_ns = loop.clock().monotonic_ns();
    while (loop.clock().monotonic_ns() - begun_ns < timeout_ns) {
      if (within(kLookNs)) return std::nullopt;
      std::lock_guard lock(ran->mutex);
      if (ran->value) return std::move(ran->value);
    }
    return std::nullopt;
  }

 private:
  static constexpr int64_t kLookNs = 5'000'000;

  template <class T>
  struct Ran {
    std::mutex mutex;
    std::optional<T> value;
  };
  template <class T>
  static Task<void> keep(Task<T> task, std::shared_ptr<Ran<T>> ran) {
    T value = co_await std::move(task);
    std::lock_guard lock(ran->mutex);
    ran->value.emplace(std::move(value));
  }

  const sigset_t signals_ = end_signals();
};

}  // namespace kura::node
