// TestLoop: a loop without a thread, for tests of code that runs on one.

#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/loop.h"
#include "tests/base/kept_result.h"

namespace kura::journal {

class TestLoop final : public Loop, private Timer, private Clock {
 public:
  ~TestLoop() override { stop(); }

  void post(Callback fn) override {
    if (!stopped_) queue_.push_back(std::move(fn));
  }
  void at_turn_end(Callback fn) override { post(std::move(fn)); }
  Timer& timer() override { return *this; }
  Clock& clock() override { return *this; }

  std::function<bool()> halted;  // A machine without power: no time passes any more.

  // Until nothing is left to do.
  void run() {
    Running running(this);
    while (!queue_.empty() || !timers_.empty()) {
      if (queue_.empty()) {
        if (halted && halted()) return;
        auto first = timers_.begin();
        now_ns_ = std::max(now_ns_, first->first.first);
        queue_.push_back(std::move(first->second));
        timers_.erase(first);
      }
      Callback fn = std::move(queue_.front());
      queue_.pop_front();
      fn();
    }
  }

  int64_t now_ns() const { return now_ns_; }

  // Runs `task` to its end. None: it waits for something that never comes.
  template <class T>
  std::optional<T> run(Task<T> task) {
    std::optional<T> out;
    spawn(*this, keep_result(std::move(task), &out));
    run();
    return out;
  }
  template <class T>
  T get(Task<T> task) {
    std::optional<T> out = run(std::move(task));
    INVARIANT(out.has_value(), "the task ended");
    return std::move(*out);
  }

  // As after a crash: nothing that waits here ever goes on.
  void stop() {
    stopped_ = true;
    destroy_spawned_tasks(*this);
    queue_.clear();
    timers_.clear();
  }

 private:
  Timer::Id after(int64_t delay_ns, Callback fn) override {
    timers_[{now_ns_ + delay_ns, ++last_timer_}] = std::move(fn);
    return last_timer_;
  }
  void cancel(Timer::Id id) override {
    std::erase_if(timers_, [&](const auto& timer) { return timer.first.second == id; });
  }
  int64_t wall_ms() const override { return now_ns_ / 1'000'000; }
  int64_t monotonic_ns() const override { return now_ns_; }

  std::deque<Callback> queue_;
  std::map<std::pair<int64_t, Timer::Id>, Callback> timers_;
  Timer::Id last_timer_ = 0;
  int64_t now_ns_ = 0;
  bool stopped_ = false;
};

}  // namespace kura::journal
