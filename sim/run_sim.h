// run_sim: many runs, one verdict. What the command line of the simulator does.

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "sim/run.h"

namespace kura::sim {

// Exit codes of the simulator.
inline constexpr int kSimOk = 0, kSimUsage = 2, kSimViolation = 10, kSimNondeterminism = 11,
                     kSimBudget = 12;

struct SimOptions {
  uint64_t first_seed = 1, last_seed = 1;
  int64_t virtual_ns = 8 * kSecond;
  Profile profile = Profile::swarm;
  std::string planted;        // Then a violation is expected, and none within the seeds is exit 10.
  uint64_t twice_every = 10;  // Every how many seeds a seed runs twice; 0: never.
  bool keep_going = false;    // After a violation.
  int64_t budget_ms = 0;      // Of real time; 0: none.
  bool json = false;
  uint64_t watch_first = 0, watch_last = 0;  // Prints these steps.
  bool log = false;                          // Prints what the node and the faults say.
};

// Errors: one line that says what is wrong with the arguments.
Result<SimOptions> parse_sim_options(const std::vector<std::string>& arguments);
std::string sim_usage();

// `print` gets whole lines: data for stdout, or notes for stderr.
using Print = std::function<void(bool note, const std::string& line)>;
int run_sim(const SimOptions& options, const NodeFactory& make_node, Clock& clock,
            const Print& print);

}  // namespace kura::sim
