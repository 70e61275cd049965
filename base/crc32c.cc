#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace kura {

uint32_t crc32c_extend(uint32_t crc, std::string_view data) {
  constexpr size_t kCallBytesMax = 1 << 30;  // isa-l takes int lengths.
  uint32_t state = ~crc;
  while (!data.empty()) {
    const size_t bytes = std::min(data.size(), kCallBytesMax);
    // It reads only, but its declaration does not say so.
    auto* begin = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
    state = crc32_iscsi(begin, static_cast<int>(bytes), state);
    data.remove_prefix(bytes);
  }
  return ~state;
}

}  // namespace kura
