// How several names stand in a text for people: "a, b, c".

#pragma once

#include <string>
#include <vector>

namespace kura {

inline std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

}  // namespace kura
