// KURA_FAIL_POINT=NAME:EDGE[:N]: the server kills itself with SIGKILL when it reaches this fail
// point for the N-th time (base/fail_point.h). For ./dev crash; unset, nothing is armed.

#pragma once

#include <string>

#include "base/result.h"

namespace kura::node {

// What was armed, empty for nothing. Before any thread starts. Errors: invalid_argument.
Result<std::string> arm_fail_point_of_environment();

// One name on each line: what `kura fail-points` prints.
std::string fail_point_list();

}  // namespace kura::node
