#include "net/address.h"

#include <charconv>

namespace kura {
namespace {

constexpr size_t kHostBytesMax = 253;  // RFC 1035, section 2.3.4.

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool address_character(char c) {  // IPv6 with an optional zone.
  return host_character(c) || c == ':' || c == '%';
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  auto wrong = [text](const char* why) {
    return fail(Errc::invalid_argument,
                "'" + std::string(text) + "': " + why + "; write HOST:PORT, [IPV6]:PORT or :PORT");
  };
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  std::string_view host = text.substr(0, colon), port = text.substr(colon + 1);
  bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed && host.find(':') == std::string_view::npos) return wrong("not an IPv6 address");
  if (host.size() > kHostBytesMax) return wrong("the host is too long");
  for (char c : host)
    if (bracketed ? !address_character(c) : !host_character(c))
      return wrong(c == ':' ? "an IPv6 address needs brackets" : "not a host");
  Address address{.host = std::string(host), .port = 0};
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return wrong("not a port");
  return address;
}

std::string to_string(const Address& address) {
  bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace kura
