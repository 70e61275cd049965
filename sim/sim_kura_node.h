// The real node behind SimNode: node/node.h on simulated loops, drives, network and views.

#pragma once

#include <memory>
#include <string_view>

#include "sim/run.h"

namespace kura::sim {

std::unique_ptr<SimNode> make_kura_node(NodeParts parts);

inline constexpr std::string_view kAckBeforeSync = "ack-before-sync";  // The fault to plant.

}  // namespace kura::sim
