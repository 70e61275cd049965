// Calls to several drives at once, with a deadline: a drive that hangs must not hold up the others.

#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"

namespace kura::disk {

namespace detail {

template <class T>
struct Gather {
  std::vector<std::optional<Result<T>>> results;
  size_t left = 0;
  Timer::Id deadline = 0;
  std::optional<Resolver<Done>> waiter;
};

template <class T>
Task<void> run_call(std::shared_ptr<Gather<T>> gather, size_t i, Task<Result<T>> call) {
  Result<T> result = co_await std::move(call);
  gather->results[i].emplace(std::move(result));
  if (--gather->left > 0 || !gather->waiter) co_return;
  Loop::current()->timer().cancel(gather->deadline);
  Resolver<Done> resolve = *gather->waiter;
  gather->waiter.reset();
  resolve(Done{});
}

}  // namespace detail

// Runs `calls` side by side on the current loop. The result of a call that has not returned after
// `timeout_ns` is timed_out; it goes on alone, so a call must own all that it uses.
template <class T>
Task<std::vector<Result<T>>> all_within(std::vector<Task<Result<T>>> calls, int64_t timeout_ns) {
  std::vector<Result<T>> out;
  if (calls.empty()) co_return out;
  auto gather = std::make_shared<detail::Gather<T>>();
  gather->results.resize(calls.size());
  gather->left = calls.size();
  Loop& loop = *Loop::current();
  for (size_t i = 0; i < calls.size(); ++i) {
    Task<void> run = detail::run_call<T>(gather, i, std::move(calls[i]));
    spawn(loop, std::move(run));
  }
  co_await suspend<Done>([&loop, &gather, timeout_ns](Resolver<Done> resolve) {
    gather->waiter = resolve;
    std::weak_ptr<detail::Gather<T>> weak = gather;
    gather->deadline = loop.timer().after(timeout_ns, [weak] {
      auto late = weak.lock();
      if (!late || !late->waiter) return;
      Resolver<Done> timed_out = *late->waiter;
      late->waiter.reset();
      timed_out(Done{});
    });
  });
  for (auto& result : gather->results) {
    if (result)
      out.push_back(std::move(*result));
    else
      out.push_back(fail(Errc::timed_out, "a drive did not answer in time"));
    result.reset();
  }
  co_return out;
}

// One call with the same deadline.
template <class T>
Task<Result<T>> within(Task<Result<T>> call, int64_t timeout_ns) {
  std::vector<Task<Result<T>>> calls;
  calls.push_back(std::move(call));
  auto results = co_await all_within<T>(std::move(calls), timeout_ns);
  co_return std::move(results.front());
}

}  // namespace kura::disk
