#include "node/cli/output_forms.h"

#include <map>

#include "s3/op/operations_table.h"

namespace kura::node {

// A command that is not here answers one document, whose fields are lines.
const OutputForms& output_forms_of(std::string_view command) {
  static const OutputForms document;
  static const std::map<std::string_view, OutputForms> lists = {
      {"drive ls", {.name = true, .wide = {"id", "mirror", "view"}}},
      {"drive add", {.name = true}},
      {"drive rm", {.name = true}},
      {"bucket ls", {.name = true, .wide = {"versions", "uploads"}}},
      {"object where", {.wide = {"offset", "part"}}},
      {"journal tail", {.name = true, .wide = {"epoch", "seq", "requestId"}}},
      {"key ls", {.name = true, .wide = {"createdAtMs"}}},
      {"key disable", {.name = true}},
      {"config show", {.name = true, .wide = {"line"}}},
      {"doctor", {.name = true}},
      {"operations", {.name = true, .list = "operations", .table = s3::operations_table}},
  };
  const auto found = lists.find(command);
  return found == lists.end() ? document : found->second;
}

std::string list_of(const OutputForms& forms) {
  return std::string("table, ") + (has(forms, Kind::wide) ? "wide, " : "") + "json, jsonl, yaml, " +
         (forms.name ? "name, " : "") + "template=TEXT";
}

bool has(const OutputForms& forms, Kind kind) {
  if (kind == Kind::name) return forms.name;
  if (kind == Kind::wide) return !forms.wide.empty();
  return true;
}

}  // namespace kura::node
