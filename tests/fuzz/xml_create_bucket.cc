// CreateBucket bodies, and the escaping of text in answers: any text that XML can say comes back.

#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"
#include "s3/codec/xml_reader.h"
#include "s3/codec/xml_request.h"
#include "s3/codec/xml_writer.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

class OneText final : public s3::XmlHandler {
 public:
  bool open(std::string_view path) override { return path == "A" || path == "A/B"; }
  bool close(std::string_view path, std::string text) override {
    if (path == "A/B") found = std::move(text);
    return true;
  }
  std::string found;
};

// XML 1.0 cannot say most control characters, nor U+FFFE and U+FFFF, not even as references.
bool can_be_said(std::string_view text) {
  if (text.find("\xef\xbf\xbe") != text.npos || text.find("\xef\xbf\xbf") != text.npos)
    return false;
  return s3::is_utf8(text) && std::all_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x20 || byte == '\t' || byte == '\n' || byte == '\r';
         });
}

void check_escaping(std::string_view text) {
  s3::XmlWriter out("A");
  out.text("B", text);
  const std::string document = out.finish();
  OneText reader;
  const auto read = s3::read_xml(document, reader);
  if (!can_be_said(text)) return;
  INVARIANT(read && reader.found == text, "text comes back as it was");
}

}  // namespace

void fuzz_one(std::string_view input) {
  check_escaping(input);
  const auto location = s3::parse_create_bucket(input);
  if (!location) {
    INVARIANT(location.error().code == "MalformedXML", "what a bad document is");
    return;
  }
  s3::XmlWriter out("CreateBucketConfiguration");
  out.text("LocationConstraint", *location);
  const auto again = s3::parse_create_bucket(out.finish());
  INVARIANT(again && *again == *location, "a document reads as it was written");
}

}  // namespace kura::fuzz
