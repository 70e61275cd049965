// Reading the XML that clients send, within bounds: no DTD, no entities of their own, limited size,
// depth and number of elements. Whatever breaks a bound is MalformedXML. Pure.

#pragma once

#include <string>
#include <string_view>

#include "s3/http/error.h"

namespace kura::s3 {

inline constexpr size_t kXmlDepthMax = 8;
inline constexpr size_t kXmlElementsMax = 100'000;  // 10,000 parts of at most nine elements each.

// Paths are local names from the root, "Delete/Object/Key". The namespace is S3's or none.
class XmlHandler {
 public:
  virtual ~XmlHandler() = default;
  // False: the element does not belong there.
  virtual bool open(std::string_view path) = 0;
  // `text` is all the character data directly inside. False: the value is not allowed.
  virtual bool close(std::string_view path, std::string text) = 0;
};

// Errors: MalformedXML; EntityTooLarge above kXmlBodyBytesMax.
S3Result<void> read_xml(std::string_view document, XmlHandler& handler);

}  // namespace kura::s3
