#include "sim/sim_world.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "base/check.h"
#include "sim/sim_loop.h"

namespace kura::sim {
namespace {

// What one callback costs in virtual time at most: so that long work lets timers come due.
constexpr int64_t kCallbackCostMaxNs = 2 * kMicrosecond;

}  // namespace

SimWorld::SimWorld(uint64_t seed, Schedule schedule)
    : seed_(seed),
      root_(mix64(seed + 0x5eed)),
      schedule_random_(root_.fork("schedule")),
      schedule_(schedule),
      hash_(mix64(seed)) {}

SimWorld::~SimWorld() = default;

SimWorld::Event SimWorld::at(int64_t time_ns, Callback fn) {
  Event event{std::max(time_ns, now_ns_), schedule_random_.draw(), next_event_++};
  events_.emplace(event, std::move(fn));
  return event;
}

bool SimWorld::step() {
  if (!events_.empty() && events_.begin()->first.time_ns <= now_ns_) {
    run_event();
    return true;
  }
  if (!ready_.empty()) {
    run_loop();
    return true;
  }
  if (events_.empty()) return false;
  now_ns_ = events_.begin()->first.time_ns;
  run_event();
  return true;
}

void SimWorld::run_event() {
  auto first = events_.extract(events_.begin());
  trace("event", static_cast<uint64_t>(now_ns_), first.key().number);
  first.mapped()();
}

void SimWorld::run_loop() {
  SimLoop* loop = ready_[choose()];
  trace(loop->name(), static_cast<uint64_t>(now_ns_));
  now_ns_ += schedule_random_.between(1, kCallbackCostMaxNs);
  loop->run_one();
}

size_t SimWorld::choose() {
  if (ready_.size() == 1) return 0;
  switch (schedule_) {
    case Schedule::fifo:
      return 0;
    case Schedule::lifo:  // Not always, so that the others are not starved for ever.
      return schedule_random_.pick(8) == 0 ? schedule_random_.pick(ready_.size())
                                           : ready_.size() - 1;
    case Schedule::starve: {
      size_t chosen = schedule_random_.pick(ready_.size());
      if (!starved_ || schedule_random_.pick(4096) == 0) starved_ = ready_[chosen];
      while (ready_[chosen] == starved_ && schedule_random_.pick(50) != 0)
        chosen = schedule_random_.pick(ready_.size());
      return chosen;
    }
    case Schedule::random:
      break;
  }
  return schedule_random_.pick(ready_.size());
}

bool SimWorld::run_until(const std::function<bool()>& done, int64_t deadline_ns) {
  while (!done()) {
    if (now_ns_ >= deadline_ns || !step()) return false;
  }
  return true;
}

void SimWorld::run_for(int64_t duration_ns) {
  bool over = false;
  at(now_ns_ + duration_ns, [&over] { over = true; });
  while (!over) step();
}

void SimWorld::trace(std::string_view what, uint64_t a, uint64_t b) {
  hash_ = mix64(hash_bytes(what, hash_) ^ (a * 0x9e3779b97f4a7c15ULL) ^ std::rotl(b, 32));
  if (steps_ >= watch_first_ && steps_ < watch_last_) {
    char line[160];
    std::snprintf(line, sizeof line,
                  "step %" PRIu64 " at %" PRId64 " ns: %.*s %" PRIx64 " %" PRIx64, steps_, now_ns_,
                  static_cast<int>(what.size()), what.data(), a, b);
    window_.emplace_back(line);
  }
  if (++steps_ % kPrefixSteps == 0) prefixes_.push_back(hash_);
}

void SimWorld::say(const std::string& line) {
  trace("log", hash_bytes(line));
  if (!keep_log_) return;
  char time[32];
  std::snprintf(time, sizeof time, "%10.3f ms  ", static_cast<double>(now_ns_) / kMillisecond);
  window_.push_back(time + line);
}

void SimWorld::watch(uint64_t first, uint64_t last) {
  watch_first_ = first;
  watch_last_ = last;
}

void SimWorld::set_ready(SimLoop& loop, bool ready) {
  auto it = std::find(ready_.begin(), ready_.end(), &loop);
  if (ready && it == ready_.end()) ready_.push_back(&loop);
  if (!ready && it != ready_.end()) ready_.erase(it);
  if (!ready && starved_ == &loop) starved_ = nullptr;
}

}  // namespace kura::sim
