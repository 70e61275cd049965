// keep_result: a task whose result a test looks at from outside, once it is there.

#pragma once

#include <optional>
#include <utility>

#include "base/task.h"

namespace kura {

// `out` outlives the task, or the loop that it runs on.
template <class T>
Task<void> keep_result(Task<T> task, std::optional<T>* out) {
  T value = co_await std::move(task);
  out->emplace(std::move(value));
}

}  // namespace kura
