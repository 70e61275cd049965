#include "projections/metadata/outcome.h"

namespace kura {

std::string etag_text(std::string_view md5, uint32_t part_count) {
  std::string out;
  for (char c : md5) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  if (part_count != 0) out += "-" + std::to_string(part_count);
  return out;
}

}  // namespace kura
