// Runs several tasks at once on the current loop and waits for all of them.

#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/task.h"

namespace kura {

namespace detail {
template <class T>
struct Gathering {
  std::vector<std::optional<T>> results;
  size_t left = 0;
  Resolver<Done> done;
};

template <class T>
Task<void> gather_one(Task<T> task, std::shared_ptr<Gathering<T>> all, size_t index) {
  T result = co_await std::move(task);
  all->results[index].emplace(std::move(result));
  if (--all->left == 0) all->done(Done{});
}
}  // namespace detail

// Results by index of `tasks`.
template <class T>
Task<std::vector<T>> concurrently(std::vector<Task<T>> tasks) {
  std::vector<T> out;
  out.reserve(tasks.size());
  if (tasks.size() == 1) {
    T only = co_await std::move(tasks[0]);
    out.push_back(std::move(only));
    co_return out;
  }
  if (tasks.empty()) co_return out;
  auto all = std::make_shared<detail::Gathering<T>>();
  all->results.resize(tasks.size());
  all->left = tasks.size();
  co_await suspend<Done>([&all, &tasks](Resolver<Done> done) {
    all->done = done;
    for (size_t i = 0; i < tasks.size(); ++i) {
      spawn(*Loop::current(), detail::gather_one<T>(std::move(tasks[i]), all, i));
    }
  });
  for (std::optional<T>& result : all->results) out.push_back(std::move(*result));
  co_return out;
}

}  // namespace kura
