#include "node/server/config_file.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

// toml++ 3.3 asserts what some malformed texts break ("[&]"). A text is no bug: it throws instead.
// Under NDEBUG the library would take the same for granted.
[[noreturn]] static void refuse_text() {
  throw std::invalid_argument("malformed near a key or value");
}
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : refuse_text())
#include <toml++/toml.h>

#include "node/server/config.h"
#include "node/server/did_you_mean.h"

namespace kura::node {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Number of the first line with a byte beyond ASCII outside of strings and comments; 0: none. On
// such bytes toml++ 3.3 runs into what its authors took for unreachable.
size_t line_beyond_ascii(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  size_t line = 1;
  char quote = '\0';  // Of the string that is open; three in a row open one as well as one does.
  bool comment = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      comment = false;
    } else if (comment) {
      continue;
    } else if (quote != '\0') {
      if (c == '\\' && quote == '"') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      comment = true;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return line;
    }
  }
  return 0;
}

// toml++ 3.3 has undefined behaviour at letters beyond ASCII that stand in what is no value ("0x[["
// begins one that never ends, quotes or not). A text that parses without them has them where they
// may be.
std::string without_letters_beyond_ascii(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) >= 0x80) c = 'x';
  return out;
}

// A list as the one text that it is elsewhere. None: it is not a list of texts.
std::optional<std::string> joined(const toml::array& list) {
  std::string all;
  for (auto&& item : list) {
    if (!item.is_string()) return std::nullopt;
    all += (all.empty() ? "" : ",") + **item.as_string();
  }
  return all;
}

// None: it is of another type than the setting's.
std::optional<std::string> text_of(const toml::node& node, SettingKind kind) {
  const bool number = kind == SettingKind::number || kind == SettingKind::size;
  if (node.is_integer() && number) return std::to_string(**node.as_integer());
  if (node.is_boolean() && kind == SettingKind::on_off)
    return **node.as_boolean() ? "true" : "false";
  if (node.is_array() && kind == SettingKind::list) return joined(*node.as_array());
  const bool text = kind == SettingKind::text || kind == SettingKind::list;
  if (node.is_string() && (text || kind == SettingKind::size)) return **node.as_string();
  return std::nullopt;
}

const char* type_of(SettingKind kind) {
  switch (kind) {
    case SettingKind::text:
      return "a text in quotes";
    case SettingKind::list:
      return "a list of texts, [\"a\", \"b\"], or one text in quotes";
    case SettingKind::number:
      return "a whole number";
    case SettingKind::size:
      return "a size in quotes, \"64MiB\", or a whole number of bytes";
    case SettingKind::on_off:
      return "true or false, without quotes";
  }
  return "?";
}

const char* type_of(const toml::node& node, SettingKind wanted) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a text";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return wanted == SettingKind::list ? "a list of something else" : "a list";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or a time";
  }
}

}  // namespace

std::string toml_key_of(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string at_line(const std::string& path, size_t line) {
  return path + ":" + std::to_string(line);
}

Result<std::map<std::string, FileValue>> read_config_file(const std::string& text,
                                                          const std::string& path) {
  std::map<std::string, FileValue> values;
  if (const size_t line = line_beyond_ascii(text); line > 0)
    return fail(Errc::invalid_argument,
                at_line(path, line) + ": letters beyond ASCII outside of quotes");
  toml::table table;
  try {
    (void)toml::parse(without_letters_beyond_ascii(text));
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument,
                at_line(path, error.source().begin.line) + ": " + std::string(error.description()));
  } catch (const std::invalid_argument& error) {
    return fail(Errc::invalid_argument, path + ": " + error.what());
  }
  for (auto&& [key, node] : table) {
    const std::string name(key.str());
    const uint32_t line = node.source().begin.line;
    const auto& all = setting_table();
    auto known = std::find_if(all.begin(), all.end(), [&](const SettingInfo& s) {
      return s.name == name || toml_key_of(s.name) == name;
    });
    if (known == all.end()) {
      std::vector<std::string> keys;
      keys.reserve(all.size());
      for (const SettingInfo& s : all) keys.push_back(toml_key_of(s.name));
      return fail(Errc::invalid_argument, at_line(path, line) + ": unknown setting '" + name + "'" +
                                              did_you_mean(name, keys));
    }
    const std::optional<std::string> value = text_of(node, known->kind);
    if (!value)
      return fail(Errc::invalid_argument, at_line(path, line) + ": " + name + " is " +
                                              type_of(known->kind) + ", not " +
                                              type_of(node, known->kind));
    if (!values.emplace(known->name, FileValue{*value, line}).second)
      return fail(Errc::invalid_argument, at_line(path, line) + ": " + toml_key_of(known->name) +
                                              " and " + known->name + " are one setting: give one");
  }
  return values;
}

}  // namespace kura::node
