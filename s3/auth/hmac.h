// HMAC-SHA-256 (RFC 2104) and comparison in constant time.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace kura::s3 {

using Mac = std::array<uint8_t, 32>;

Mac hmac_sha256(std::string_view key, std::string_view message);

inline std::string_view as_view(const Mac& mac) {
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

// Time does not depend on where the two differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace kura::s3
