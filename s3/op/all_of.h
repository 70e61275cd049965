// all_of(): runs tasks at the same time on the current loop and waits for every result.

#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/loop.h"
#include "base/task.h"

namespace kura::s3 {

namespace detail {
template <class T>
struct Gathering {
  std::vector<std::optional<T>> results;
  size_t left = 0;
  std::optional<Resolver<Done>> waiter;
};

template <class T>
Task<void> gather_one(std::shared_ptr<Gathering<T>> all, size_t index, Task<T> task) {
  T result = co_await std::move(task);
  all->results[index] = std::move(result);
  if (--all->left == 0 && all->waiter) (*all->waiter)(Done{});
}
}  // namespace detail

// Results in the order of the tasks.
template <class T>
Task<std::vector<T>> all_of(std::vector<Task<T>> tasks) {
  auto all = std::make_shared<detail::Gathering<T>>();
  all->results.resize(tasks.size());
  all->left = tasks.size();
  for (size_t i = 0; i < tasks.size(); ++i) {
    spawn(*Loop::current(), detail::gather_one<T>(all, i, std::move(tasks[i])));
  }
  if (all->left > 0) {
    co_await suspend<Done>([&all](Resolver<Done> resolve) { all->waiter = resolve; });
  }
  std::vector<T> results;
  for (std::optional<T>& result : all->results) results.push_back(std::move(*result));
  co_return results;
}

}  // namespace kura::s3
