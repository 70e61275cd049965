// Calls to several drives at once, with a deadline: a drive that hangs must not hold up the others.
//
// The time is counted in slices, each of which ends when the loop comes round to it. A process that
// stood still for long loses one slice by that, and does not take its drives for hanging.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/loop.h"
#include "base/result.h"
#include "base/task.h"

namespace kura {

namespace detail {

template <class T>
struct Gather {
  std::vector<std::optional<Result<T>>> results;
  size_t left = 0;
  std::function<bool(size_t)> given_up;
  int64_t slice_ns = 0;
  int slices_left = 0;
  Timer::Id alarm = 0;  // At the end of a slice.
  std::optional<Resolver<Done>> waiter;

  bool waits_in_vain() const {
    if (!given_up) return false;
    for (size_t i = 0; i < results.size(); ++i)
      if (!results[i] && !given_up(i)) return false;
    return true;
  }
};

inline constexpr int kSlices = 8;

template <class T>
Task<void> run_call(std::shared_ptr<Gather<T>> gather, size_t i, Task<Result<T>> call) {
  Result<T> result = co_await std::move(call);
  gather->results[i].emplace(std::move(result));
  if (--gather->left > 0 || !gather->waiter) co_return;
  Loop::current()->timer().cancel(gather->alarm);
  Resolver<Done> resolve = *gather->waiter;
  gather->waiter.reset();
  resolve(Done{});
}

template <class T>
void set_alarm(Loop& loop, const std::shared_ptr<Gather<T>>& gather) {
  std::weak_ptr<Gather<T>> weak = gather;
  gather->alarm = loop.timer().after(gather->slice_ns, [&loop, weak] {
    auto late = weak.lock();
    if (!late || !late->waiter) return;
    if (--late->slices_left > 0 && !late->waits_in_vain()) return set_alarm<T>(loop, late);
    Resolver<Done> timed_out = *late->waiter;
    late->waiter.reset();
    timed_out(Done{});
  });
}

}  // namespace detail

// Runs `calls` side by side on the current loop. The result of a call that has not returned after
// `timeout_ns` is timed_out; it goes on alone, so a call must own all that it uses. The wait ends
// earlier, within an eighth of the time, once `given_up(i)` holds for all that are under way.
template <class T>
Task<std::vector<Result<T>>> all_within(std::vector<Task<Result<T>>> calls, int64_t timeout_ns,
                                        std::function<bool(size_t)> given_up = {}) {
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
  gather->given_up = std::move(given_up);
  gather->slices_left = detail::kSlices;
  gather->slice_ns = timeout_ns / detail::kSlices;
  co_await suspend<Done>([&loop, &gather](Resolver<Done> resolve) {
    gather->waiter = resolve;
    detail::set_alarm<T>(loop, gather);
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

}  // namespace kura
