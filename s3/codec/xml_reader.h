// Reading the XML that clients send, within bounds: no DTD, no entities of their own, limited size,
// depth and number of elements. Whatever breaks a bound is MalformedXML. Pure.

#pragma once

#include <string>
#include <string_view>

#include "s3/http/error.h"

namespace kura::s3 {

inline constexpr size_t kXmlDepthMax = 8;
// S3's documents have the default namespace and at most xsi:type. A tag with 100,000 attributes or
// namespaces keeps a loop for a second.
inline constexpr size_t kXmlAttributesMax = 16;
// Of one tag, comment or the like, to about a slice of the parser's input: what cannot be refused
// before it has ended must end soon.
inline constexpr size_t kXmlTokenBytesMax = 16 * 1024;
inline constexpr size_t kXmlTextBytesMax =
    16 * 1024;                                      // A key has 1,024 bytes, a continuation more.
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
