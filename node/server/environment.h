// The process environment, read in one place.

#pragma once

#include <optional>
#include <string>

namespace kura::node {

std::optional<std::string> environment_variable(const std::string& name);

}  // namespace kura::node
