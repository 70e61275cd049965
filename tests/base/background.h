// Background: a task that a test starts on the current loop and joins later.

#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "base/loop.h"

namespace kura::testing {

template <class T>
class Background {
 public:
  // Starts `task`; from a task of the same loop.
  explicit Background(Task<T> task) : state_(std::make_shared<State>()) {
    spawn(*Loop::current(), run(std::move(task), state_));
  }
  bool done() const { return state_->value.has_value(); }
  // Waits for the end, up to `limit_ns`; none when it has not come by then.
  Task<std::optional<T>> join(int64_t limit_ns = 10'000'000'000) { return wait(state_, limit_ns); }

 private:
  struct State {
    std::optional<T> value;
  };
  static Task<void> run(Task<T> task, std::shared_ptr<State> state) {
    T value = co_await std::move(task);
    state->value.emplace(std::move(value));
  }
  static Task<std::optional<T>> wait(std::shared_ptr<State> state, int64_t limit_ns) {
    Clock& clock = Loop::current()->clock();
    int64_t end_ns = clock.monotonic_ns() + limit_ns;
    while (!state->value && clock.monotonic_ns() < end_ns) co_await sleep_for(200'000);
    co_return std::exchange(state->value, std::nullopt);
  }
  std::shared_ptr<State> state_;
};

}  // namespace kura::testing
