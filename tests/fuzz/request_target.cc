// From a request head to the bucket and the key: the same object in path style and in
// virtual-host style, and names within their bounds.

#include "base/limits.h"
#include "s3/codec/uri.h"
#include "s3/http/parser.h"
#include "s3/op/address.h"
#include "s3/op/bucket_name.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

const std::vector<std::string> kDomains = {"s3.example.com", "example.com"};

void check_other_style(const s3::RequestHead& head, const s3::Address& address) {
  if (address.target == s3::Target::service || !s3::is_bucket_name(address.bucket)) return;
  s3::RequestHead path_style;
  path_style.path = "/" + address.bucket + "/" + s3::percent_encode(address.key, true);
  path_style.headers.add("host", "127.0.0.1:9000");
  s3::RequestHead host_style;
  host_style.path = "/" + s3::percent_encode(address.key, true);
  host_style.headers.add("host", address.bucket + ".s3.example.com:9000");
  for (const s3::RequestHead& other : {path_style, host_style}) {
    const auto again = s3::address_of(other, kDomains);
    INVARIANT(again && again->bucket == address.bucket && again->key == address.key &&
                  again->target == address.target,
              "both styles name the same object");
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto parsed = s3::parse_head(input);
  if (!parsed || !*parsed) return;
  const s3::RequestHead& head = (*parsed)->head;
  const auto address = s3::address_of(head, kDomains);
  if (!address) return;
  INVARIANT(address->key.size() <= kKeyBytesMax && s3::is_utf8(address->key) &&
                address->key.find('\0') == std::string::npos,
            "a key that can be stored and listed");
  INVARIANT((address->target == s3::Target::object) == !address->key.empty(), "a key is an object");
  INVARIANT((address->target == s3::Target::service) == address->bucket.empty(), "no bucket");
  check_other_style(head, *address);
}

}  // namespace kura::fuzz
