// Address: host and port as people write them on a command line.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kura {

struct Address {
  std::string host;  // An IP address without brackets, a name, or "" for every local address.
  uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

// "127.0.0.1:9000", "[::1]:9000", "example.org:9000", ":9000". Errors: invalid_argument.
Result<Address> parse_address(std::string_view text);
// The inverse; brackets around an IPv6 address.
std::string to_string(const Address& address);

}  // namespace kura
