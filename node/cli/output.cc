#include "node/cli/output.h"

#include <map>
#include <string_view>

#include "node/cli/output_forms.h"
#include "node/cli/table.h"
#include "node/server/exit_code.h"
#include "s3/codec/encoding.h"

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// A scalar of JSON is one of YAML too (YAML 1.2, 1.3).
void write_yaml(const Json& value, size_t indent, std::string& out) {
  const std::string space(indent, ' ');
  if (value.empty() || value.is_primitive()) {
    out += " " + value.dump() + "\n";
  } else if (value.is_object()) {
    out += "\n";
    for (auto it = value.begin(); it != value.end(); ++it) {
      out += space + it.key() + ":";
      write_yaml(*it, indent + 2, out);
    }
  } else {
    out += "\n";
    for (const Json& item : value) {
      out += space + "-";
      write_yaml(item, indent + 2, out);
    }
  }
}

std::string yaml_of(const Json& answer) {
  std::string out;
  write_yaml(answer, 0, out);
  return out.substr(1);  // Behind the line end that a nested object begins with.
}

std::string name_of(const Json& item) {
  for (const char* field : {"name", "accessKey", "path", "check"})
    if (item.contains(field)) return text_of(item[field]);
  for (auto it = item.begin(); it != item.end(); ++it)
    if (it.key() != "apiVersion") return text_of(*it);
  return {};
}

// "drives.0.path": fields of objects and places in lists. Nothing there: what Go has.
std::string at_path(const Json& item, std::string_view path) {
  const Json* at = &item;
  while (!path.empty()) {
    const std::string part(path.substr(0, path.find('.')));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    const auto index = s3::parse_decimal(part);
    if (at->is_object() && at->contains(part))
      at = &(*at)[part];
    else if (at->is_array() && index && *index < at->size())
      at = &(*at)[*index];
    else
      return "<no value>";
  }
  return text_of(*at);
}

std::string fill(std::string_view form, const Json& item) {
  std::string out;
  while (!form.empty()) {
    const size_t end = form.starts_with("{{.") ? form.find("}}") : form.npos;
    size_t taken = 1;
    if (end != form.npos) {
      out += at_path(item, form.substr(3, end - 3));
      taken = end + 2;
    } else if (form.starts_with("\\n") || form.starts_with("\\t")) {
      out += form[1] == 'n' ? '\n' : '\t';
      taken = 2;
    } else {
      out += form.front();
    }
    form.remove_prefix(taken);
  }
  return out;
}

template <class LineOf>
std::string lines_of(const Json& answer, const OutputForms& forms, LineOf line_of) {
  const auto items = answer.find(std::string(forms.list));
  if (items == answer.end()) return line_of(answer) + "\n";
  std::string out;
  for (const Json& item : *items) out += line_of(item) + "\n";
  return out;
}

std::string narrow_table_of(Json answer, const OutputForms& forms) {
  if (forms.table) return forms.table();
  if (answer.contains("items"))
    for (Json& item : answer["items"])
      for (const std::string_view column : forms.wide) item.erase(std::string(column));
  return table_of(answer);
}

std::string hint_of(const Failure& failure) {
  // With a request id it is the node that says so.
  if (!failure.hint.empty() || !failure.request_id.empty()) return failure.hint;
  switch (failure.exit_code) {
    case kExitUsage:
      return "kura --help lists the commands";
    case kExitDenied:
      return "KURA_ROOT_ACCESS_KEY and KURA_ROOT_SECRET_KEY are those of the server";
    case kExitUnavailable:
      return "is the node running? --endpoint or KURA_ENDPOINT says where";
    default:
      return {};
  }
}

}  // namespace

std::optional<Format> format_of(const std::string& text) {
  static const std::map<std::string_view, Kind> kinds = {
      {"table", Kind::table}, {"wide", Kind::wide}, {"json", Kind::json},
      {"jsonl", Kind::jsonl}, {"yaml", Kind::yaml}, {"name", Kind::name}};
  if (auto it = kinds.find(text); it != kinds.end()) return Format{it->second, {}};
  constexpr std::string_view kTemplate = "template=";
  if (!text.starts_with(kTemplate)) return std::nullopt;
  const std::string form = text.substr(kTemplate.size());
  if (form.empty()) return std::nullopt;
  // "{{.state", "{{state}}": not a field.
  for (size_t at = form.find("{{"); at != form.npos; at = form.find("{{", at + 2))
    if (form.compare(at, 3, "{{.") != 0 || form.find("}}", at) == form.npos) return std::nullopt;
  return Format{Kind::filled, form};
}

std::string render(const Json& answer, const Format& format, const OutputForms& forms) {
  switch (format.kind) {
    case Kind::table:
      return narrow_table_of(answer, forms);
    case Kind::wide:
      return table_of(answer);
    case Kind::json:
      return answer.dump() + "\n";
    case Kind::jsonl:
      return lines_of(answer, forms, [](const Json& item) { return item.dump(); });
    case Kind::yaml:
      return yaml_of(answer);
    case Kind::name:
      return lines_of(answer, forms, name_of);
    case Kind::filled:
      return lines_of(answer, forms, [&](const Json& item) { return fill(format.form, item); });
  }
  return {};
}

std::string render(const Failure& failure, const Format& format) {
  const Kind kind = format.kind;
  if (kind == Kind::table || kind == Kind::wide || kind == Kind::filled)
    return "kura: " + failure.message + "\n";
  const Json document{{"apiVersion", "kura/v1"},
                      {"code", failure.code},
                      {"message", failure.message},
                      {"resource", failure.resource},
                      {"requestId", failure.request_id},
                      {"hint", hint_of(failure)},
                      {"retryable", failure.exit_code == kExitUnavailable},
                      {"exitCode", failure.exit_code}};
  return document.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n";
}

}  // namespace kura::node
