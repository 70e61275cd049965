// ChanceSites: decides the chance() points of the product (base/chance.h) by the seed.
//
// Each site is active in a run with a probability of 1/4, and an active one fires with 1/4: every
// run has its own few odd branches (after FoundationDB's BUGGIFY).

#pragma once

#include <map>
#include <string>

#include "base/chance.h"
#include "base/check.h"
#include "sim/sim_random.h"

namespace kura::sim {

// One at a time; decides while it lives.
class ChanceSites {
 public:
  explicit ChanceSites(SimRandom random) : random_(random) {
    INVARIANT(!chance_decider, "one run decides chance() at a time");
    chance_decider = [this](std::string_view site) { return decide(site); };
  }
  ~ChanceSites() { chance_decider = nullptr; }
  ChanceSites(const ChanceSites&) = delete;

  void set_enabled(bool enabled) { enabled_ = enabled; }
  // Sites visited so far, with how often each fired.
  const std::map<std::string, uint64_t, std::less<>>& fired() const { return fired_; }

 private:
  bool decide(std::string_view site) {
    auto it = fired_.find(site);
    if (it == fired_.end()) it = fired_.emplace(std::string(site), 0).first;
    if (!enabled_) return false;
    // Active or not is a function of seed and name, so that a new site leaves the others alone.
    if (random_.fork(site).draw() % 4 != 0 || random_.pick(4) != 0) return false;
    ++it->second;
    return true;
  }

  SimRandom random_;
  bool enabled_ = true;
  std::map<std::string, uint64_t, std::less<>> fired_;
};

}  // namespace kura::sim
