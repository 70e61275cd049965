// LoopClock: CAF's delayed messages and request timeouts, by the timer of a loop. For
// actors/loop_scheduler.cc only.

#pragma once

#include <caf/all.hpp>
#include <caf/detail/simple_actor_clock.hpp>
#include <memory>
#include <mutex>

#include "base/loop.h"

namespace kura {

// Thread-safe, except that it is destroyed when the loop does not run any more.
class LoopClock : public caf::detail::simple_actor_clock {
 public:
  explicit LoopClock(Loop& home) : alarm_(std::make_shared<Alarm>(home, this)) {}
  ~LoopClock() override { alarm_->clock = nullptr; }

  time_point now() const noexcept override {
    return time_point(std::chrono::nanoseconds(alarm_->home.clock().monotonic_ns()));
  }
  void set_ordinary_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                            uint64_t id) override {
    change([&] { simple_actor_clock::set_ordinary_timeout(t, self, type, id); });
  }
  void set_multi_timeout(time_point t, caf::abstract_actor* self, caf::atom_value type,
                         uint64_t id) override {
    change([&] { simple_actor_clock::set_multi_timeout(t, self, type, id); });
  }
  void set_request_timeout(time_point t, caf::abstract_actor* self, caf::message_id id) override {
    change([&] { simple_actor_clock::set_request_timeout(t, self, id); });
  }
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override {
    change([&] { simple_actor_clock::cancel_ordinary_timeout(self, type); });
  }
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override {
    change([&] { simple_actor_clock::cancel_request_timeout(self, id); });
  }
  void cancel_timeouts(caf::abstract_actor* self) override {
    change([&] { simple_actor_clock::cancel_timeouts(self); });
  }
  void schedule_message(time_point t, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override {
    change(
        [&] { simple_actor_clock::schedule_message(t, std::move(receiver), std::move(content)); });
  }
  void schedule_message(time_point t, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override {
    change([&] {
      simple_actor_clock::schedule_message(t, std::move(target), std::move(sender),
                                           std::move(content));
    });
  }
  void cancel_all() override {
    change([&] { simple_actor_clock::cancel_all(); });
  }

 private:
  // What callbacks on the home loop hold: they may come after the clock has gone.
  struct Alarm {
    Alarm(Loop& home_in, LoopClock* clock_in) : home(home_in), clock(clock_in) {}
    Loop& home;
    LoopClock* clock;
    Timer::Id timer = 0;  // On the home loop.
  };

  template <class Change>
  void change(Change apply) {
    std::lock_guard lock(mutex_);
    apply();
    if (schedule().empty() || schedule().begin()->first >= wake_) return;
    wake_ = schedule().begin()->first;
    if (alarm_->home.is_current()) return set_timer(*alarm_);
    alarm_->home.post([alarm = alarm_] {
      if (alarm->clock) alarm->clock->set_timer(*alarm);
    });
  }

  void set_timer(Alarm& alarm) {
    std::lock_guard lock(mutex_);
    Timer& timer = alarm.home.timer();
    if (alarm.timer != 0) timer.cancel(alarm.timer);
    alarm.timer = 0;
    if (wake_ == time_point::max()) return;
    alarm.timer = timer.after((wake_ - now()).count(), [shared = alarm_] {
      shared->timer = 0;
      if (shared->clock) shared->clock->ring();
    });
  }

  void ring() {
    std::lock_guard lock(mutex_);
    trigger_expired_timeouts();
    wake_ = schedule().empty() ? time_point::max() : schedule().begin()->first;
    set_timer(*alarm_);
  }

  // Recursive: a message that expires can end an actor, which cancels its timeouts.
  std::recursive_mutex mutex_;
  time_point wake_ = time_point::max();
  std::shared_ptr<Alarm> alarm_;
};

}  // namespace kura
