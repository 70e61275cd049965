#include "node/config.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>

// toml++ 3.3 asserts what some malformed texts break ("[&]"). A text is no bug: it throws instead.
// Under NDEBUG the library would take the same for granted.
[[noreturn]] static void refuse_text() {
  throw std::invalid_argument("malformed near a key or value");
}
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : refuse_text())
#include <toml++/toml.h>

#include "base/limits.h"
#include "node/ellipsis.h"

namespace kura::node {
namespace {

// A document and its commands are 12 MiB (s3/http/admission.h), after a quarter went to uploads.
constexpr uint64_t kRequestMemoryMin = 32 * kMiB;

std::string with(std::string text, char from, char to, bool upper) {
  for (char& c : text) {
    if (c == from) c = to;
    if (upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}
std::string toml_key_of(const std::string& name) { return with(name, '-', '_', false); }

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

Result<std::string> secret_from_file(const std::string& path, const std::string& variable) {
  std::ifstream in(path);
  if (!in) return fail(Errc::invalid_argument, variable + ": cannot read the file '" + path + "'");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

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

// Values of the TOML file by setting name; an unknown key is an error, so that a typing mistake is
// not a silent default.
Result<std::map<std::string, std::string>> from_toml(const std::string& text,
                                                     const std::string& path) {
  std::map<std::string, std::string> values;
  if (const size_t line = line_beyond_ascii(text); line > 0)
    return fail(Errc::invalid_argument, path + ": line " + std::to_string(line) +
                                            " has letters beyond ASCII outside of quotes");
  toml::table table;
  try {
    (void)toml::parse(without_letters_beyond_ascii(text));
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument, path + ": line " +
                                            std::to_string(error.source().begin.line) + ": " +
                                            std::string(error.description()));
  } catch (const std::invalid_argument& error) {
    return fail(Errc::invalid_argument, path + ": " + error.what());
  }
  for (auto&& [key, node] : table) {
    std::string name(key.str());
    const auto& all = setting_table();
    auto known = std::find_if(all.begin(), all.end(),
                              [&](const SettingInfo& s) { return toml_key_of(s.name) == name; });
    if (known == all.end())
      return fail(Errc::invalid_argument, path + ": unknown setting '" + name + "'");
    std::string value;
    if (auto s = node.value<std::string>()) {
      value = *s;
    } else if (auto b = node.as_boolean()) {
      value = b->get() ? "true" : "false";
    } else if (auto i = node.as_integer()) {
      value = std::to_string(i->get());
    } else if (auto list = node.as_array()) {
      for (auto&& item : *list)
        value += (value.empty() ? "" : ",") + item.value<std::string>().value_or("");
    } else {
      return fail(Errc::invalid_argument, path + ": '" + name + "' has a type that is not taken");
    }
    values[known->name] = value;
  }
  return values;
}

Result<bool> parse_bool(const std::string& text) {
  if (text == "true" || text == "1" || text == "on" || text == "yes") return true;
  if (text == "false" || text == "0" || text == "off" || text == "no" || text.empty()) return false;
  return fail(Errc::invalid_argument, "'" + text + "' is neither true nor false");
}

Result<uint32_t> parse_number(const std::string& text, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || at != text.data() + text.size() || value < least ||
      value > most)
    return fail(Errc::invalid_argument, "'" + text + "' is not a number from " +
                                            std::to_string(least) + " to " + std::to_string(most));
  return value;
}

Result<std::optional<uint32_t>> parse_parity(const std::string& text) {
  if (text.empty()) return std::optional<uint32_t>();
  if (text.rfind("EC:", 0) != 0) return fail(Errc::invalid_argument, "'" + text + "' is not EC:n");
  auto parity = parse_number(text.substr(3), 0, 4);
  if (!parity) return fail(parity.error());
  return std::optional<uint32_t>(*parity);
}

// Moves a parsed value into its place, or the error out.
template <class T>
bool take(Result<T> parsed, T& out, Error& error) {
  if (!parsed) {
    error = parsed.error();
    return false;
  }
  out = *parsed;
  return true;
}

bool assign(Config& config, const Setting& s, Error& error) {
  const std::string& v = s.value;
  if (s.name == "listen")
    config.listen = v;
  else if (s.name == "drives")
    config.drives = split(v);
  else if (s.name == "tls-cert")
    config.tls_cert = v;
  else if (s.name == "tls-key")
    config.tls_key = v;
  else if (s.name == "root-access-key")
    config.root_access_key = v;
  else if (s.name == "root-secret-key")
    config.root_secret_key = v;
  else if (s.name == "region")
    config.region = v;
  else if (s.name == "region-strict")
    return take(parse_bool(v), config.region_strict, error);
  else if (s.name == "domain")
    config.domains = split(v);
  else if (s.name == "storage-class-standard")
    return take(parse_parity(v), config.parity_standard, error);
  else if (s.name == "storage-class-rrs")
    return take(parse_parity(v), config.parity_reduced, error);
  else if (s.name == "io-threads")
    return take(parse_number(v, 1, 256), config.io_threads, error);
  else if (s.name == "cache-size")
    return take(parse_bytes(v), config.cache_bytes, error);
  else if (s.name == "row-cache-size")
    return take(parse_bytes(v), config.row_cache_bytes, error);
  else if (s.name == "journal-segment-size")
    return take(parse_bytes(v), config.journal_segment_bytes, error);
  else if (s.name == "set-member-size")
    return take(parse_bytes(v), config.member_bytes, error);
  else if (s.name == "connections-max")
    return take(parse_number(v, 1, 1'000'000), config.connections_max, error);
  else if (s.name == "requests-max")
    return take(parse_number(v, 1, 1'000'000), config.requests_max, error);
  else if (s.name == "request-memory")
    return take(parse_bytes(v), config.request_memory_bytes, error);
  else if (s.name == "test-transform")
    return take(parse_bool(v), config.test_transform, error);
  return true;
}

Result<void> check(const Config& config) {
  if (config.tls_cert.empty() != config.tls_key.empty())
    return fail(Errc::invalid_argument, "give both --tls-cert and --tls-key, or neither");
  if (config.root_access_key.empty() != config.root_secret_key.empty())
    return fail(Errc::invalid_argument, "give both KURA_ROOT_ACCESS_KEY and KURA_ROOT_SECRET_KEY");
  if (!config.root_access_key.empty() && config.root_access_key.size() < 3)
    return fail(Errc::invalid_argument, "KURA_ROOT_ACCESS_KEY needs at least 3 characters");
  if (!config.root_secret_key.empty() && config.root_secret_key.size() < 8)
    return fail(Errc::invalid_argument, "KURA_ROOT_SECRET_KEY needs at least 8 characters");
  if (config.parity_standard && config.parity_reduced &&
      *config.parity_reduced > *config.parity_standard)
    return fail(Errc::invalid_argument,
                "--storage-class-rrs: more parity than --storage-class-standard");
  if (config.request_memory_bytes < kRequestMemoryMin)
    return fail(Errc::invalid_argument, "request-memory: less than 32MiB holds no large request");
  for (const auto& [flag, parity] : {std::pair("--storage-class-standard", config.parity_standard),
                                     std::pair("--storage-class-rrs", config.parity_reduced)})
    if (parity && !config.drives.empty() && *parity >= config.drives.size())
      return fail(Errc::invalid_argument, std::string(flag) + ": EC:" + std::to_string(*parity) +
                                              " needs at least " + std::to_string(*parity + 1) +
                                              " drives");
  std::vector<std::string> sorted = config.drives;
  std::sort(sorted.begin(), sorted.end());
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return fail(Errc::invalid_argument, "drive '" + *twice + "' is named twice");
  return {};
}

}  // namespace

std::string variable_of(const std::string& name) { return "KURA_" + with(name, '-', '_', true); }

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::builtin:
      return "default";
    case Origin::file:
      return "file";
    case Origin::environment:
      return "environment";
    case Origin::flag:
      return "flag";
  }
  return "?";
}

const std::vector<SettingInfo>& setting_table() {
  static const std::vector<SettingInfo> table = {
      {"listen", "127.0.0.1:9000", "address and port of the S3 and admin API"},
      {"drives", "", "folders, one for each drive, by comma; ranges as /mnt/d{1...6}"},
      {"tls-cert", "", "PEM file with the certificate chain; serves HTTPS"},
      {"tls-key", "", "PEM file with the private key"},
      {"root-access-key", "", "access key of the administrator", true},
      {"root-secret-key", "", "secret key of the administrator", true},
      {"region", "us-east-1", "region that the store reports"},
      {"region-strict", "false", "refuse signatures for another region", false, true},
      {"domain", "", "domains for virtual-host style requests, by comma"},
      {"storage-class-standard", "",
       "parity of STANDARD as EC:n; by the number of drives if empty"},
      {"storage-class-rrs", "", "parity of REDUCED_REDUNDANCY as EC:n; EC:1 if empty"},
      {"io-threads", "1", "threads that serve connections"},
      {"cache-size", "256MiB", "memory for blocks of the metadata view"},
      {"row-cache-size", "128MiB",
       "memory for rows of the metadata view used lately; 0 keeps none"},
      {"journal-segment-size", "", "bytes of a journal segment; by drive size if empty"},
      {"set-member-size", "", "bytes of a segment set's member file; by drive size if empty"},
      {"connections-max", "16384", "open connections; more are closed at once"},
      {"requests-max", "1024", "requests worked on at a time; more wait shortly, then get 503"},
      {"request-memory", "1GiB",
       "memory for requests under way; what finds no room waits, then 503"},
      {"test-transform", "false", "store 16 bytes more per 64 KiB, to test sizes", false, true},
  };
  return table;
}

Result<uint64_t> parse_bytes(const std::string& text) {
  if (text.empty()) return uint64_t{0};
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, value);
  const std::string unit(at, end);
  static const std::map<std::string, uint64_t> kUnits = {
      {"", 1}, {"B", 1}, {"KiB", kKiB}, {"MiB", kMiB}, {"GiB", kGiB}, {"TiB", kTiB}};
  auto it = kUnits.find(unit);
  if (error != std::errc() || it == kUnits.end() || value > UINT64_MAX / it->second)
    return fail(Errc::invalid_argument, "'" + text + "' is not a size such as 64MiB");
  return value * it->second;
}

Result<Config> load_config(const std::map<std::string, std::string>& flags,
                           const std::vector<std::string>& drives, const Environment& environment,
                           const std::optional<std::pair<std::string, std::string>>& file) {
  std::map<std::string, std::string> from_file;
  if (file) {
    auto values = from_toml(file->first, file->second);
    if (!values) return fail(values.error());
    from_file = *values;
  }
  Config config;
  for (const SettingInfo& info : setting_table()) {
    Setting s{info.name, info.fallback, Origin::builtin, "", info.secret, info.help};
    if (auto it = from_file.find(info.name); it != from_file.end())
      s.value = it->second, s.origin = Origin::file, s.source = file->second;
    const std::string variable = variable_of(info.name);
    if (auto path = environment(variable + "_FILE")) {
      if (environment(variable))
        return fail(Errc::invalid_argument, variable + " and " + variable + "_FILE: give one");
      auto value = secret_from_file(*path, variable + "_FILE");
      if (!value) return fail(value.error());
      s.value = *value, s.origin = Origin::environment, s.source = variable + "_FILE";
    }
    if (auto value = environment(variable))
      s.value = *value, s.origin = Origin::environment, s.source = variable;
    if (auto it = flags.find(info.name); it != flags.end())
      s.value = it->second, s.origin = Origin::flag, s.source = "--" + info.name;
    if (info.name == "drives" && !drives.empty()) {
      s.value.clear();
      for (const std::string& drive : drives) s.value += (s.value.empty() ? "" : ",") + drive;
      s.origin = Origin::flag, s.source = "arguments";
    }
    Error error{Errc::invalid_argument, ""};
    if (!assign(config, s, error)) {
      const std::string where = s.source.empty() ? s.name : s.source;
      return fail(Errc::invalid_argument, where + ": " + error.detail);
    }
    config.settings.push_back(std::move(s));
  }
  std::vector<std::string> expanded;
  for (const std::string& pattern : config.drives) {
    auto more = expand_ellipsis(pattern);
    if (!more) return fail(more.error());
    expanded.insert(expanded.end(), more->begin(), more->end());
  }
  config.drives = std::move(expanded);
  auto checked = check(config);
  if (!checked) return fail(checked.error());
  return config;
}

}  // namespace kura::node
