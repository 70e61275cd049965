#include "node/output.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "node/exit_code.h"
#include "node/table.h"

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

template <class LineOf>
std::string lines_of(const Json& answer, LineOf line_of) {
  if (!answer.contains("items")) return line_of(answer) + "\n";
  std::string out;
  for (const Json& item : answer["items"]) out += line_of(item) + "\n";
  return out;
}

std::string hint_of(int exit_code) {
  switch (exit_code) {
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

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> names = {"table", "json", "jsonl", "yaml", "name"};
  return names;
}

Format format_of(const std::string& name) {
  const std::vector<std::string>& names = format_names();
  const auto at = std::find(names.begin(), names.end(), name);
  INVARIANT(at != names.end(), "checked where the flag is parsed");
  return static_cast<Format>(at - names.begin());
}

std::string render(const Json& answer, Format format) {
  switch (format) {
    case Format::table:
      return table_of(answer);
    case Format::json:
      return answer.dump() + "\n";
    case Format::jsonl:
      return lines_of(answer, [](const Json& item) { return item.dump(); });
    case Format::yaml:
      return yaml_of(answer);
    case Format::name:
      return lines_of(answer, name_of);
  }
  return {};
}

std::string render(const Failure& failure, Format format) {
  if (format == Format::table) return "kura: " + failure.message + "\n";
  const Json document{{"apiVersion", "kura/v1"},
                      {"code", failure.code},
                      {"message", failure.message},
                      {"resource", failure.resource},
                      {"requestId", failure.request_id},
                      {"hint", hint_of(failure.exit_code)},
                      {"retryable", failure.exit_code == kExitUnavailable},
                      {"exitCode", failure.exit_code}};
  return document.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n";
}

}  // namespace kura::node
