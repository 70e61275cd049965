// The real node behind SimNode: node/node.h on simulated loops, drives, network and views.

#pragma once

#include <memory>

#include "sim/run.h"

namespace kura::sim {

// Planted faults: "ack-before-sync".
std::unique_ptr<SimNode> make_kura_node(NodeParts parts);

}  // namespace kura::sim
