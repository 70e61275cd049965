// How a count stands in a text for people: "1 drive is", "2 drives are".

#pragma once

#include <cstdint>
#include <string>

namespace kura {

// `one`: the noun in singular, whose plural takes an s.
inline std::string counted(uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

inline const char* is_or_are(uint64_t count) { return count == 1 ? "is" : "are"; }

}  // namespace kura
