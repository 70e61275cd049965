// Loop: one serial executor. Everything that runs on a loop runs alone on it, one call at a time.
//
// In production a loop is a thread (net/asio_loop.h); in the simulator every loop of every node
// shares one thread and the seed picks which runs next (sim/sim_loop.h). A coroutine that suspends
// on a loop resumes on the same loop.

#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/check.h"
#include "base/clock.h"
#include "base/task.h"

namespace kura {

using Callback = std::function<void()>;

// Timer: runs a callback later, on the loop that owns the timer.
class Timer {
 public:
  using Id = uint64_t;  // Never 0, never reused.
  virtual ~Timer() = default;
  virtual Id after(int64_t delay_ns, Callback fn) = 0;  // On the loop's thread only.
  virtual void cancel(Id id) = 0;  // On the loop's thread only; a timer that ran is ignored.
};

class Loop {
 public:
  virtual ~Loop() = default;
  // Runs `fn` on this loop, after what was posted before. From any thread.
  virtual void post(Callback fn) = 0;
  // Runs `fn` once, after everything that is ready now. A turn is the unit of batching. On the
  // loop's thread only.
  virtual void at_turn_end(Callback fn) = 0;
  virtual Timer& timer() = 0;
  virtual Clock& clock() = 0;

  // The loop that the caller runs on, or null outside every loop.
  static Loop* current() { return current_; }
  bool is_current() const { return current_ == this; }

 protected:
  // Implementations hold one of these while they run something.
  class Running {
   public:
    explicit Running(Loop* loop) : before_(std::exchange(current_, loop)) {}
    ~Running() { current_ = before_; }
    Running(const Running&) = delete;

   private:
    Loop* before_;
  };

 private:
  static inline thread_local Loop* current_ = nullptr;
};

// Starts `task` on `loop` and forgets it. From any thread.
void spawn(Loop& loop, Task<void> task);

// Number of spawned tasks that have not ended, and their destruction: a simulated crash frees the
// frames of the dead node without running them. Single-threaded use only.
size_t spawned_tasks(const Loop& loop);
void destroy_spawned_tasks(const Loop& loop);

namespace detail {
template <class T>
struct Slot {
  std::optional<T> value;
  std::coroutine_handle<> waiter;
  Loop* loop = nullptr;
  std::atomic<int> arrived{0};  // The second of {value set, coroutine suspended} goes on.
};
}  // namespace detail

// The right to resume one suspended coroutine, exactly once, from any thread.
template <class T>
class Resolver {
 public:
  Resolver() = default;
  explicit Resolver(detail::Slot<T>* slot) : slot_(slot) {}
  // REQUIRES: called once for each suspension. The coroutine continues on its own loop.
  void operator()(T value) const {
    detail::Slot<T>* slot = slot_;
    slot->value.emplace(std::move(value));
    if (slot->arrived.fetch_add(1, std::memory_order_acq_rel) == 1)
      slot->loop->post([waiter = slot->waiter] { waiter.resume(); });
  }
  // As operator(), without the post. REQUIRES: the caller runs on the coroutine's loop, outside
  // the start function, in a call of its own (a socket's completion) that may go on afterwards.
  void resume_now(T value) const {
    detail::Slot<T>* slot = slot_;
    slot->value.emplace(std::move(value));
    int before = slot->arrived.fetch_add(1, std::memory_order_acq_rel);
    INVARIANT(before == 1 && slot->loop->is_current(), "resume_now() follows the suspension");
    slot->waiter.resume();
  }

 private:
  detail::Slot<T>* slot_ = nullptr;
};

// co_await suspend<T>([&](Resolver<T> resolve) { ...; }) starts something and waits until it calls
// resolve(value), now or later, on this thread or another.
template <class T, class Start>
class Suspend {
 public:
  explicit Suspend(Start start) : start_(std::move(start)) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    slot_.waiter = waiter;
    slot_.loop = Loop::current();
    INVARIANT(slot_.loop != nullptr, "a task waits only on a loop");
    start_(Resolver<T>(&slot_));
    // Nobody touches the slot after this unless the value is still to come.
    return slot_.arrived.fetch_add(1, std::memory_order_acq_rel) == 0;
  }
  T await_resume() { return std::move(*slot_.value); }

 private:
  Start start_;
  detail::Slot<T> slot_;
};

template <class T, class Start>
Suspend<T, Start> suspend(Start start) {
  return Suspend<T, Start>(std::move(start));
}

struct Done {};

// Waits `delay_ns` on the current loop.
inline Task<void> sleep_for(int64_t delay_ns) {
  co_await suspend<Done>([delay_ns](Resolver<Done> resolve) {
    Loop::current()->timer().after(delay_ns, [resolve] { resolve(Done{}); });
  });
}

// Lets what else is ready on the current loop go first.
inline Task<void> next_turn() {
  co_await suspend<Done>(
      [](Resolver<Done> resolve) { Loop::current()->post([resolve] { resolve(Done{}); }); });
}

// Moves the calling task to `loop` for the rest of `task` and back to its own loop with the result.
template <class T>
Task<T> run_on(Loop& loop, Task<T> task);

namespace detail {
template <class T>
Task<void> resolve_with(Task<T> task, Resolver<T> resolve) {
  T value = co_await std::move(task);
  resolve(std::move(value));
}
}  // namespace detail

template <class T>
Task<T> run_on(Loop& loop, Task<T> task) {
  if (loop.is_current()) co_return co_await std::move(task);
  Task<T> moved = std::move(task);
  co_return co_await suspend<T>([&loop, &moved](Resolver<T> resolve) {
    spawn(loop, detail::resolve_with<T>(std::move(moved), resolve));
  });
}

}  // namespace kura
