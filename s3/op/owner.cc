#include "s3/op/owner.h"

#include "s3/codec/checksum.h"
#include "s3/codec/encoding.h"

namespace kura::s3 {

std::string owner_id(const Store& store) {
  return hex_encode(sha256_of("owner " + to_hex(store.tenants.state()->cluster)));
}

void write_owner(XmlWriter* xml, std::string_view name, const std::string& id) {
  xml->open(name);
  xml->text("ID", id);
  xml->text("DisplayName", kOwnerName);
  xml->close();
}

}  // namespace kura::s3
