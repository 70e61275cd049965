// One run: a world from one seed, a node on its drives, clients, faults, and the checks at the end.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/sim_drive.h"
#include "sim/sim_node.h"
#include "sim/workload.h"

namespace kura::sim {

// What a node is made of. All of it outlives the node.
struct NodeParts {
  SimWorld& world;
  SimNetwork& network;
  std::vector<std::unique_ptr<SimDisk>>& disks;
  size_t drives;  // The first so many of them are named to it, at first.
  std::string address;
  std::string access_key;
  std::string secret;
  uint64_t part_bytes_min;
  SimRandom random;     // The node's own, and what configures it.
  std::string planted;  // Name of a planted fault, or empty.
  Probes& probes;       // What the run reached.
};
using NodeFactory = std::function<std::unique_ptr<SimNode>(NodeParts)>;

// Which faults a run may have. `quiet`: none; `crash`: crashes, cut connections, slow and
// black-holed networks; `swarm`: also faults of drives, within what the product promises to
// survive; `power`: as `crash`, but ten times as often, and each crash loses unsynced writes;
// `drives`: as `crash`, while drives come and go (churn.h).
enum class Profile : uint8_t { quiet, crash, swarm, power, drives };

struct RunOptions {
  uint64_t seed = 0;
  int64_t virtual_ns = 8 * kSecond;  // Of the workload; healing and reading back come on top.
  Profile profile = Profile::swarm;
  std::string planted;
  uint64_t watch_first = 0, watch_last = 0;  // See SimWorld::watch,
  bool log = false;                          // and SimWorld::keep_log.
};

struct RunResult {
  uint64_t seed = 0;
  uint64_t hash = 0;
  uint64_t steps = 0;
  int64_t virtual_ns = 0;
  uint64_t operations = 0;  // In the history.
  uint64_t answered = 0;    // Requests.
  std::vector<uint64_t> prefixes;
  std::optional<Violation> violation;
  Probes probes;
  std::vector<std::string> window;
};

RunResult run_once(const RunOptions& options, const NodeFactory& make_node);

// The probes that a set of runs with this profile has to reach.
const std::vector<std::string>& required_probes(Profile profile);

}  // namespace kura::sim
