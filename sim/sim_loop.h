// SimLoop: a loop of a simulated node. Many share the one thread of a SimWorld.

#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/loop.h"
#include "sim/sim_world.h"

namespace kura::sim {

// The clock of one node: world time with its own rate, and a wall clock that is off.
class SimClock final : public Clock {
 public:
  // The world begins on this day of its wall clock: 2026-01-01 00:00:00 UTC.
  static constexpr int64_t kWallStartMs = 1'767'225'600'000;

  explicit SimClock(SimWorld& world, int64_t drift_ppm = 0, int64_t wall_skew_ms = 0)
      : world_(world), drift_ppm_(drift_ppm), wall_skew_ms_(wall_skew_ms) {}

  int64_t wall_ms() const override {
    return kWallStartMs + local(world_.now_ns()) / kMillisecond + wall_skew_ms_;
  }
  int64_t monotonic_ns() const override { return local(world_.now_ns()); }
  void step_wall(int64_t by_ms) { wall_skew_ms_ += by_ms; }

  // The first world time at which this clock has moved on by `delay_ns`.
  int64_t world_time_after(int64_t delay_ns) const {
    const int64_t due = monotonic_ns() + delay_ns;
    int64_t at = world_.now_ns() + delay_ns - delay_ns / 1'000'000 * drift_ppm_;
    while (local(at) < due) at += 1 + (due - local(at)) / 2;
    return at;
  }

 private:
  int64_t local(int64_t world_ns) const { return world_ns + world_ns / 1'000'000 * drift_ppm_; }

  SimWorld& world_;
  int64_t drift_ppm_;
  int64_t wall_skew_ms_;
};

class SimLoop final : public Loop, private Timer {
 public:
  SimLoop(SimWorld& world, std::string name, Clock& clock)
      : world_(world), name_(std::move(name)), clock_(clock) {}
  SimLoop(SimWorld& world, std::string name, SimClock& clock)
      : world_(world), name_(std::move(name)), clock_(clock), sim_clock_(&clock) {}
  ~SimLoop() override { stop(); }

  void post(kura::Callback fn) override;
  void at_turn_end(kura::Callback fn) override;
  Timer& timer() override { return *this; }
  Clock& clock() override { return clock_; }

  const std::string& name() const { return name_; }
  // For SimWorld: runs the next callback, or the ends of a turn.
  void run_one();
  // A paused loop runs nothing until it is resumed; time goes on.
  void set_paused(bool paused);
  // Nothing runs here any more, as after a crash: queue and timers are dropped, posts are ignored.
  void stop();

 private:
  struct Posted {
    uint64_t number;
    kura::Callback fn;
  };
  struct Armed {
    SimWorld::Event event;
    kura::Callback fn;
  };

  Id after(int64_t delay_ns, kura::Callback fn) override;
  void cancel(Id id) override;
  void fire(Id id);
  void update_ready();

  SimWorld& world_;
  std::string name_;
  Clock& clock_;
  SimClock* sim_clock_ = nullptr;
  bool paused_ = false;
  bool stopped_ = false;
  uint64_t posted_ = 0;
  std::deque<Posted> queue_;
  std::vector<kura::Callback> turn_end_;
  uint64_t turn_end_after_ = 0;  // The turn ends behind the callback of this number.
  Id next_timer_ = 1;
  std::map<Id, Armed> timers_;
};

}  // namespace kura::sim
