// SimWorld: one thread, virtual time, and the order of everything, chosen by one seed.
//
// Whatever happens in a run is an event (a timer, an arriving byte, a finished disk operation) or a
// callback of a ready loop. Events run at their time; among ready loops the seed picks. Every
// choice and every observable step goes into a trace hash: the same seed gives the same hash,
// always. When it does not, the prefixes kept every 1,000 steps name where two runs part.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/sim_random.h"

namespace kura::sim {

class SimLoop;

using Callback = std::function<void()>;

inline constexpr int64_t kMicrosecond = 1'000, kMillisecond = 1'000'000, kSecond = 1'000'000'000;

// Which ready loop runs next. Each finds other bugs; a run draws one.
enum class Schedule : uint8_t {
  random,
  fifo,
  lifo,
  starve,  // One loop, drawn now and then, hardly ever runs.
};

class SimWorld {
 public:
  static constexpr uint64_t kPrefixSteps = 1000;

  // An event that is still to come.
  struct Event {
    int64_t time_ns = 0;
    uint64_t tie = 0;  // Drawn: the order of events at the same time.
    uint64_t number = 0;
    auto operator<=>(const Event&) const = default;
  };

  explicit SimWorld(uint64_t seed, Schedule schedule = Schedule::random);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;

  uint64_t seed() const { return seed_; }
  int64_t now_ns() const { return now_ns_; }  // Since the world began, plus one second.
  // Another stream of randomness; see SimRandom::fork.
  SimRandom random(std::string_view name, uint64_t number = 0) const {
    return root_.fork(name, number);
  }

  Event at(int64_t time_ns, Callback fn);
  Event after(int64_t delay_ns, Callback fn) { return at(now_ns_ + delay_ns, std::move(fn)); }
  void cancel(const Event& event) { events_.erase(event); }

  // Runs one event or one callback of a loop; moves time only when nothing is ready. False: nothing
  // will ever happen again.
  bool step();
  // Steps until `done` holds (true), or time has reached `deadline_ns` or nothing is left (false).
  bool run_until(const std::function<bool()>& done, int64_t deadline_ns);
  void run_for(int64_t duration_ns);

  // Adds an observable step to the trace.
  void trace(std::string_view what, uint64_t a = 0, uint64_t b = 0);
  uint64_t hash() const { return hash_; }
  uint64_t steps() const { return steps_; }
  // The hash after every kPrefixSteps steps.
  const std::vector<uint64_t>& prefixes() const { return prefixes_; }
  // Keeps the text of the steps in [first, last) for people; see window().
  void watch(uint64_t first, uint64_t last);
  const std::vector<std::string>& window() const { return window_; }
  // Part of the trace, and of window() if the log is kept: what the node and the faults say.
  void say(const std::string& line);
  void keep_log(bool keep) { keep_log_ = keep; }

  // For SimLoop: `loop` has something to run, or has not.
  void set_ready(SimLoop& loop, bool ready);

 private:
  void run_event();
  void run_loop();
  size_t choose();

  uint64_t seed_;
  SimRandom root_;
  SimRandom schedule_random_;
  Schedule schedule_;
  int64_t now_ns_ = kSecond;
  uint64_t next_event_ = 1;
  std::map<Event, Callback> events_;
  std::vector<SimLoop*> ready_;  // In the order of becoming ready.
  SimLoop* starved_ = nullptr;
  uint64_t hash_;
  uint64_t steps_ = 0;
  std::vector<uint64_t> prefixes_;
  uint64_t watch_first_ = 0;
  uint64_t watch_last_ = 0;
  bool keep_log_ = false;
  std::vector<std::string> window_;
};

}  // namespace kura::sim
