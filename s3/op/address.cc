#include "s3/op/address.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"

namespace kura::s3 {
namespace {

std::string_view without_port(std::string_view host) {
  size_t colon = host.rfind(':');
  // An IPv6 address in brackets has colons of its own, and no bucket.
  if (colon == std::string_view::npos || host.starts_with('[')) return host;
  return host.substr(0, colon);
}

S3Result<void> check_key(const std::string& key) {
  if (key.size() > kKeyBytesMax) {
    S3Error error = s3_error("KeyTooLongError");
    error.details.emplace_back("Size", std::to_string(key.size()));
    error.details.emplace_back("MaxSizeAllowed", std::to_string(kKeyBytesMax));
    return s3_fail(std::move(error));
  }
  if (!is_utf8(key)) return s3_fail("InvalidURI");
  if (key.find('\0') != std::string::npos) {
    return s3_fail("InvalidArgument", "A key cannot contain NUL");
  }
  return {};
}

}  // namespace

std::string bucket_of_host(std::string_view host, const std::vector<std::string>& domains) {
  std::string name = lower_case(without_port(host));
  size_t longest = 0;  // Of two domains that both fit, the longer one is meant.
  for (const std::string& domain : domains) {
    std::string lower = lower_case(domain);
    if (name == lower) return {};
    bool below = name.size() > lower.size() + 1 && name.ends_with(lower) &&
                 name[name.size() - lower.size() - 1] == '.';
    if (below && lower.size() > longest) longest = lower.size();
  }
  if (longest == 0) return {};
  return name.substr(0, name.size() - longest - 1);
}

S3Result<Address> address_of(const RequestHead& head, const std::vector<std::string>& domains) {
  std::optional<std::string> decoded = percent_decode(head.path, false);
  if (!decoded || !decoded->starts_with('/')) return s3_fail("InvalidURI");
  std::string_view rest = std::string_view(*decoded).substr(1);

  Address address;
  address.bucket = bucket_of_host(head.headers.get("host"), domains);
  if (address.bucket.empty()) {
    if (rest.empty()) return address;
    size_t slash = rest.find('/');
    address.bucket = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (address.bucket.empty() || !is_utf8(address.bucket)) return s3_fail("InvalidBucketName");
  }
  address.key = rest;
  address.target = address.key.empty() ? Target::bucket : Target::object;
  if (auto valid = check_key(address.key); !valid) return s3_fail(valid.error());
  return address;
}

}  // namespace kura::s3
