// "/mnt/d{1...6}" stands for six arguments, as in MinIO.

#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace kura::node {

// Every combination of the ranges, the last one fastest. Numbers keep the width of the lower bound
// when it has leading zeros. Errors: invalid_argument (malformed or more than 1,024 results).
Result<std::vector<std::string>> expand_ellipsis(const std::string& pattern);

}  // namespace kura::node
