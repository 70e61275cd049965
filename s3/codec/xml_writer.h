// XmlWriter: the XML of S3 answers, element by element, in S3's form and escaping.
//
// Every text is escaped, control characters as references (&#x1;), so that any key can be shown.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kura::s3 {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

class XmlWriter {
 public:
  // Writes the declaration and opens the root element; no xmlns attribute if `ns` is empty.
  explicit XmlWriter(std::string_view root, std::string_view ns = kS3Namespace);

  // `name` must be a literal (or live until its close()): it is kept for the end tag.
  void open(std::string_view name);
  // `attributes` is markup of ours: name="value", by space.
  void open_with(std::string_view name, std::string_view attributes);
  void close();  // The innermost open element.
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, uint64_t value);
  void flag(std::string_view name, bool value);  // "true", "false"

  // Closes what is open and gives the document away.
  std::string finish();

 private:
  std::string out_;
  std::vector<std::string_view> open_;
};

// Appends `value` escaped for element content and attributes.
void append_xml_escaped(std::string* out, std::string_view value);

}  // namespace kura::s3
