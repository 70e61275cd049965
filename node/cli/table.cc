#include "node/cli/table.h"

#include <algorithm>
#include <vector>

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

// A key or a description may hold anything; on a terminal it must stay in its place.
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

// Columns on a terminal, but for what is wider than one: characters, not bytes.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string text_of(const Json& value) {
  if (value.is_string()) return printable(value.get<std::string>());
  if (value.is_array()) {
    std::string all;
    for (const Json& item : value) all += (all.empty() ? "" : " ") + text_of(item);
    return all;
  }
  return value.dump();
}

std::string list_of(const Json& items) {
  if (items.empty()) return "(none)\n";
  std::vector<std::string> names;
  for (const Json& item : items)
    for (auto it = item.begin(); it != item.end(); ++it)
      if (std::find(names.begin(), names.end(), it.key()) == names.end()) names.push_back(it.key());
  std::vector<std::vector<std::string>> rows{names};
  for (const Json& item : items) {
    std::vector<std::string> row;
    row.reserve(names.size());
    for (const std::string& name : names)
      row.push_back(item.contains(name) ? text_of(item[name]) : "-");
    rows.push_back(row);
  }
  std::vector<size_t> widths(names.size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out += std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out += "\n";
  }
  return out;
}

void lines_of(const Json& json, const std::string& prefix, std::string& out) {
  for (auto it = json.begin(); it != json.end(); ++it) {
    if (it.key() == "apiVersion") continue;
    if (it->is_object())
      lines_of(*it, prefix + it.key() + ".", out);
    else if (it->is_array() && !it->empty() && it->front().is_object())
      out += prefix + it.key() + ":\n" + list_of(*it);
    else
      out += prefix + it.key() + ": " + text_of(*it) + "\n";
  }
}

}  // namespace

std::string table_of(const Json& json) {
  if (json.contains("items")) return list_of(json["items"]);
  std::string out;
  lines_of(json, "", out);
  return out;
}

}  // namespace kura::node
