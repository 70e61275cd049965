#include "s3/codec/xml_writer.h"

#include "base/check.h"

namespace kura::s3 {

namespace {

// What stands for a character that cannot stand in text; empty: it can.
std::string_view escape_of(unsigned char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    default:
      return {};
  }
}

}  // namespace

void append_xml_escaped(std::string* out, std::string_view value) {
  size_t plain = 0;  // Start of the run that needs no escape.
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    const std::string_view escape = escape_of(c);
    if (escape.empty() && c >= 0x20) continue;
    out->append(value, plain, i - plain);
    plain = i + 1;
    if (!escape.empty()) {
      *out += escape;
      continue;
    }
    *out += "&#x";
    if (c >= 0x10) *out += '1';
    *out += "0123456789abcdef"[c & 15];
    *out += ';';
  }
  out->append(value, plain);
}

XmlWriter::XmlWriter(std::string_view root, std::string_view ns) {
  out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
  out_ += root;
  if (!ns.empty()) {
    out_ += " xmlns=\"";
    out_ += ns;
    out_ += '"';
  }
  out_ += '>';
  open_.push_back(root);
}

void XmlWriter::open(std::string_view name) {
  out_ += '<';
  out_ += name;
  out_ += '>';
  open_.push_back(name);
}

void XmlWriter::open_with(std::string_view name, std::string_view attributes) {
  out_ += '<';
  out_ += name;
  out_ += ' ';
  out_ += attributes;
  out_ += '>';
  open_.push_back(name);
}

void XmlWriter::close() {
  INVARIANT(!open_.empty(), "every close() has its open()");
  out_ += "</";
  out_ += open_.back();
  out_ += '>';
  open_.pop_back();
}

void XmlWriter::text(std::string_view name, std::string_view value) {
  open(name);
  append_xml_escaped(&out_, value);
  close();
}

void XmlWriter::number(std::string_view name, uint64_t value) { text(name, std::to_string(value)); }

void XmlWriter::flag(std::string_view name, bool value) { text(name, value ? "true" : "false"); }

std::string XmlWriter::finish() {
  while (!open_.empty()) close();
  return std::move(out_);
}

}  // namespace kura::s3
