// What the command line reads from the drives of a stopped node, and checks of the machine.

#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace kura::node {

// Errors, of both: not_found, invalid_argument, corrupt, unavailable.
// "state" of each is "ok" or why it cannot be read.
Result<nlohmann::ordered_json> offline_drives(const std::vector<std::string>& paths);
// "whole" tells whether every mirror has every record; "skipped", which folders are no drives.
Result<nlohmann::ordered_json> verify_journal(const std::vector<std::string>& paths);
// One item for each check, with advice where it is not "ok".
Result<nlohmann::ordered_json> check_machine();

}  // namespace kura::node
