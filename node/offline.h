// What the command line reads from the drives of a stopped node, and checks of the machine.

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace kura::node {

// Errors: not_found, invalid_argument, corrupt, unavailable.
Result<nlohmann::ordered_json> offline_drives(const std::vector<std::string>& paths);
// "whole" tells whether every mirror has every record.
Result<nlohmann::ordered_json> verify_journal(const std::vector<std::string>& paths);
// Prints a table; 0 if nothing failed.
int run_doctor();

}  // namespace kura::node
