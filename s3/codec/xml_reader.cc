#include "s3/codec/xml_reader.h"

#include <expat.h>

#include <memory>
#include <vector>

#include "base/limits.h"
#include "s3/codec/xml_writer.h"

namespace kura::s3 {
namespace {

constexpr char kNamespaceEnd = '|';
// AWS takes its first namespace too.
constexpr std::string_view kOldNamespace = "http://doc.s3.amazonaws.com/2006-03-01/";

struct ParserDeleter {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, ParserDeleter>;

// Of an element since its last child began: between elements there may be any amount of space.
struct Text {
  std::string bytes;
  bool too_long = false;
};

struct Reading {
  XML_Parser parser;
  XmlHandler& handler;
  std::string path;
  std::vector<Text> texts;  // One for each open element.
  size_t elements = 0;
  size_t namespaces = 0;
  bool moved = false;    // Something was reported since the last slice of input.
  bool stopped = false;  // Expat still reports the end of an empty element whose start stopped it.

  void stop() {
    stopped = true;
    XML_StopParser(parser, XML_FALSE);
  }
};

bool known_namespace(std::string_view ns) {
  const auto same = [&](std::string_view known) {
    return ns == known || ns == known.substr(0, known.size() - 1);
  };
  return same(kS3Namespace) || same(kOldNamespace);
}

void on_open(void* data, const XML_Char* name, const XML_Char** attributes) {
  auto* r = static_cast<Reading*>(data);
  r->moved = true;
  std::string_view local = name;
  if (const size_t at = local.rfind(kNamespaceEnd); at != std::string_view::npos) {
    if (!known_namespace(local.substr(0, at))) return r->stop();
    local.remove_prefix(at + 1);
  }
  for (size_t i = 0; attributes[i]; i += 2)
    if (i / 2 >= kXmlAttributesMax) return r->stop();
  if (r->texts.size() >= kXmlDepthMax || ++r->elements > kXmlElementsMax) return r->stop();
  if (!r->texts.empty()) r->texts.back() = {};
  if (!r->path.empty()) r->path += '/';
  r->path += local;
  r->texts.emplace_back();
  if (!r->handler.open(r->path)) r->stop();
}

void on_close(void* data, const XML_Char* /*name*/) {
  auto* r = static_cast<Reading*>(data);
  r->moved = true;
  if (r->stopped) return;
  Text text = std::move(r->texts.back());
  r->texts.pop_back();
  if (text.too_long || !r->handler.close(r->path, std::move(text.bytes))) return r->stop();
  const size_t slash = r->path.rfind('/');
  r->path.resize(slash == std::string::npos ? 0 : slash);
}

void on_text(void* data, const XML_Char* text, int length) {
  auto* r = static_cast<Reading*>(data);
  r->moved = true;
  if (r->texts.empty()) return;
  const auto size = static_cast<size_t>(length);
  Text& to = r->texts.back();
  to.too_long |= to.bytes.size() + size > kXmlTextBytesMax;
  if (!to.too_long) to.bytes.append(text, size);
}

void on_namespace(void* data, const XML_Char*, const XML_Char*) {
  auto* r = static_cast<Reading*>(data);
  if (++r->namespaces > kXmlAttributesMax) r->stop();
}

// In slices, so that a token without end is noticed before all of it is taken in.
bool parse(Reading& reading, std::string_view document) {
  constexpr size_t kSliceBytes = 4 * kKiB;
  size_t silent_bytes = 0;
  while (true) {
    const std::string_view slice = document.substr(0, kSliceBytes);
    document.remove_prefix(slice.size());
    reading.moved = false;
    const auto status = XML_Parse(reading.parser, slice.data(), static_cast<int>(slice.size()),
                                  document.empty() ? XML_TRUE : XML_FALSE);
    if (status != XML_STATUS_OK) return false;
    if (document.empty()) return true;
    silent_bytes = reading.moved ? 0 : silent_bytes + slice.size();
    if (silent_bytes > kXmlTokenBytesMax) return false;
  }
}

void on_doctype(void* data, const XML_Char*, const XML_Char*, const XML_Char*, int) {
  static_cast<Reading*>(data)->stop();
}

}  // namespace

S3Result<void> read_xml(std::string_view document, XmlHandler& handler) {
  if (document.size() > kXmlBodyBytesMax) return s3_fail("EntityTooLarge");
  Parser parser(XML_ParserCreateNS("UTF-8", kNamespaceEnd));
  if (!parser) return s3_fail("InternalError");
  Reading reading{parser.get(), handler, {}, {}};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), on_open, on_close);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartNamespaceDeclHandler(parser.get(), on_namespace);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  XML_SetHashSalt(parser.get(), 0x6b757261);  // Fixed: expat would ask the system for randomness.
  if (!parse(reading, document)) return s3_fail("MalformedXML");
  return {};
}

}  // namespace kura::s3
