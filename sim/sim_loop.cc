#include "sim/sim_loop.h"

namespace kura::sim {

void SimLoop::post(kura::Callback fn) {
  if (stopped_) return;
  queue_.push_back({++posted_, std::move(fn)});
  update_ready();
}

void SimLoop::at_turn_end(kura::Callback fn) {
  if (stopped_) return;
  INVARIANT(is_current(), "at_turn_end is called on the loop");
  turn_end_.push_back(std::move(fn));
  turn_end_after_ = posted_;
  update_ready();
}

void SimLoop::run_one() {
  Running running(this);
  const bool turn_over =
      !turn_end_.empty() && (queue_.empty() || queue_.front().number > turn_end_after_);
  if (turn_over) {
    std::vector<kura::Callback> ends;
    ends.swap(turn_end_);
    for (kura::Callback& end : ends) end();
  } else {
    Posted next = std::move(queue_.front());
    queue_.pop_front();
    next.fn();
  }
  update_ready();
}

void SimLoop::set_paused(bool paused) {
  paused_ = paused;
  update_ready();
}

void SimLoop::stop() {
  INVARIANT(!is_current(), "a loop is stopped from outside");
  stopped_ = true;
  world_.set_ready(*this, false);
  for (auto& [id, armed] : timers_) world_.cancel(armed.event);
  // What a callback owns may post, or cancel timers, while it is destroyed.
  auto timers = std::move(timers_);
  auto queue = std::move(queue_);
  auto ends = std::move(turn_end_);
  timers_.clear();
  queue_.clear();
  turn_end_.clear();
}

Timer::Id SimLoop::after(int64_t delay_ns, kura::Callback fn) {
  const Id id = next_timer_++;
  if (stopped_) return id;
  INVARIANT(is_current(), "a timer is set on its loop");
  const int64_t delay = delay_ns < 0 ? 0 : delay_ns;
  const int64_t due = sim_clock_ ? sim_clock_->world_time_after(delay) : world_.now_ns() + delay;
  timers_[id] = {world_.at(due, [this, id] { post([this, id] { fire(id); }); }), std::move(fn)};
  return id;
}

void SimLoop::cancel(Id id) {
  INVARIANT(stopped_ || is_current(), "a timer is cancelled on its loop");
  auto it = timers_.find(id);
  if (it == timers_.end()) return;
  world_.cancel(it->second.event);
  timers_.erase(it);
}

void SimLoop::fire(Id id) {
  auto armed = timers_.extract(id);
  if (armed) armed.mapped().fn();
}

void SimLoop::update_ready() {
  world_.set_ready(*this, !stopped_ && !paused_ && (!queue_.empty() || !turn_end_.empty()));
}

}  // namespace kura::sim
