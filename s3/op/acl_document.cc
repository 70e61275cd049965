#include "s3/op/acl_document.h"

#include <string>

#include "s3/op/owner.h"

namespace kura::s3 {

XmlWriter owner_acl(const Store& store) {
  std::string owner = owner_id(store);
  XmlWriter xml("AccessControlPolicy");
  write_owner(&xml, "Owner", owner);
  xml.open("AccessControlList");
  xml.open("Grant");
  // With its namespace, as S3 shows it: parsers of old SDKs look for xsi:type.
  xml.open_with(
      "Grantee",
      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"");
  xml.text("ID", owner);
  xml.text("DisplayName", kOwnerName);
  xml.close();
  xml.text("Permission", "FULL_CONTROL");
  xml.close();
  xml.close();
  return xml;
}

}  // namespace kura::s3
