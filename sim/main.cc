// The command line of the simulator.

#include <cstdio>

#include "net/kernel.h"
#include "sim/run_sim.h"
#include "sim/sim_kura_node.h"

int main(int argc, char** argv) {
  using namespace kura;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  auto options = sim::parse_sim_options(arguments);
  if (options && !options->planted.empty() && options->planted != sim::kAckBeforeSync)
    options = fail(Errc::invalid_argument, "no fault is called '" + options->planted +
                                               "'; there is " + std::string(sim::kAckBeforeSync));
  if (!options) {
    std::fprintf(stderr, "%s\n%s\n", options.error().detail.c_str(), sim::sim_usage().c_str());
    return sim::kSimUsage;
  }
  SystemClock clock;
  return sim::run_sim(*options, sim::make_kura_node, clock, [](bool note, const std::string& line) {
    std::fprintf(note ? stderr : stdout, "%s\n", line.c_str());
    std::fflush(note ? stderr : stdout);
  });
}
