#include "node/server/environment.h"

#include <cstdlib>

namespace kura::node {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace kura::node
