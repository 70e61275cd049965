// Task<T>: a lazily started coroutine that returns a T.
//
// All waiting code (HTTP sessions, journal, drives) is written as Tasks over ports, so that the
// simulator runs it in one thread. A Task starts when it is awaited or spawned (base/loop.h), and
// its frame is destroyed with the Task. Tasks do not throw: an escaping exception ends the process.
//
// Rule of use (g++ 12 destroys some temporaries of co_await expressions twice): bind arguments with
// destructors to named variables before `co_await f(...)`, never build them by braces inside it.

#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/frame_pool.h"

namespace kura {

template <class T>
class Task;

namespace detail {

// Control passes by nested resume() calls and not by symmetric transfer: g++ makes that a jump only
// at -O2 and without sanitizers, and elsewhere a long row of tasks that never wait would use up the
// stack. This way the stack is as deep as tasks are nested, in every build.
struct PromiseBase {
  std::coroutine_handle<> continuation;  // Null until the parent waits.
  bool ended = false;

  static void* operator new(size_t size_bytes) { return frame_pool::allocate(size_bytes); }
  static void operator delete(void* frame, size_t size_bytes) noexcept {
    frame_pool::release(frame, size_bytes);
  }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> done) noexcept {
      done.promise().ended = true;
      // Nothing of the frame may be touched afterwards: the parent destroys it.
      if (auto next = done.promise().continuation) next.resume();
    }
    void await_resume() noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle h) : handle_(h) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  // Runs the task up to its first wait; false if it never waited. A task stays on the thread of its
  // loop, so nothing of it runs meanwhile.
  bool await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.resume();
    if (handle_.promise().ended) return false;
    handle_.promise().continuation = caller;
    return true;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace kura
