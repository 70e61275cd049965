#include "s3/codec/xml_writer.h"

#include "base/check.h"

namespace kura::s3 {

void append_xml_escaped(std::string* out, std::string_view value) {
  for (char c : value) {
    switch (c) {
      case '&':
        *out += "&amp;";
        break;
      case '<':
        *out += "&lt;";
        break;
      case '>':
        *out += "&gt;";
        break;
      case '"':
        *out += "&quot;";
        break;
      case '\'':
        *out += "&apos;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20) {
          *out += c;
          break;
        }
        *out += "&#x";
        if (byte >= 0x10) *out += '1';
        *out += "0123456789abcdef"[byte & 15];
        *out += ';';
      }
    }
  }
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
