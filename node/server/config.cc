#include "node/server/config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/counted.h"
#include "base/limits.h"
#include "node/server/config_file.h"
#include "node/server/ellipsis.h"

namespace kura::node {
namespace {

// A document and its commands are 12 MiB (s3/http/admission.h), after a quarter went to uploads.
constexpr uint64_t kRequestMemoryMin = 32 * kMiB;
constexpr size_t kTextFileMax = kMiB;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, ',');)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

Result<std::string> secret_from_file(const std::string& path, const std::string& variable) {
  Result<std::string> read = read_text_file(path);
  if (!read) return fail(Errc::invalid_argument, variable + ": " + read.error().detail);
  std::string text = *read;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
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

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_';
  });
}

Result<std::string> parse_region(const std::string& text) {
  if (is_label(text)) return text;
  return fail(Errc::invalid_argument, "'" + text + "' is not the name of a region");
}

Result<std::vector<std::string>> parse_domains(const std::string& text) {
  std::vector<std::string> domains = split(text);
  for (const std::string& domain : domains) {
    std::string_view rest = domain;
    bool good = !rest.ends_with('.');
    while (good && !rest.empty()) {
      const size_t dot = std::min(rest.find('.'), rest.size());
      good = is_label(rest.substr(0, dot));
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (!good) return fail(Errc::invalid_argument, "'" + domain + "' is not a domain name");
  }
  return domains;
}

// As the journal takes it.
Result<uint64_t> parse_segment_size(const std::string& text) {
  constexpr uint64_t kLeast = 512 * kKiB, kMost = kGiB, kAlign = 4 * kKiB;  // A record: 256 KiB.
  Result<uint64_t> bytes = parse_bytes(text);
  if (bytes && *bytes != 0 && (*bytes < kLeast || *bytes > kMost || *bytes % kAlign != 0))
    return fail(Errc::invalid_argument,
                "'" + text + "' is not a multiple of 4KiB from 512KiB to 1GiB");
  return bytes;
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
    return take(parse_region(v), config.region, error);
  else if (s.name == "region-strict")
    return take(parse_bool(v), config.region_strict, error);
  else if (s.name == "domain")
    return take(parse_domains(v), config.domains, error);
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
    return take(parse_segment_size(v), config.journal_segment_bytes, error);
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

// What an error of a value begins with: "--region", "KURA_REGION", "kura.toml:3: region".
std::string place_of(const Setting& s) {
  if (s.origin == Origin::file) return at_line(s.source, s.line) + ": " + toml_key_of(s.name);
  return s.source.empty() ? s.name : s.source;
}

// What the Credential of a request can hold (SigV4): it is split at these.
bool can_sign(const std::string& access_key) {
  return std::all_of(access_key.begin(), access_key.end(), [](unsigned char c) {
    return std::isgraph(c) && c < 0x7f && c != '/' && c != ',' && c != '=';
  });
}

Result<void> check(const Config& config) {
  if (config.tls_cert.empty() != config.tls_key.empty())
    return fail(Errc::invalid_argument,
                place_of(config, config.tls_cert.empty() ? "tls-key" : "tls-cert") +
                    ": give both tls-cert and tls-key, or neither");
  if (config.root_access_key.empty() != config.root_secret_key.empty())
    return fail(Errc::invalid_argument, "give both KURA_ROOT_ACCESS_KEY and KURA_ROOT_SECRET_KEY");
  if (!config.root_access_key.empty() && config.root_access_key.size() < 3)
    return fail(Errc::invalid_argument, "KURA_ROOT_ACCESS_KEY needs at least 3 characters");
  if (!can_sign(config.root_access_key))
    return fail(Errc::invalid_argument,
                "KURA_ROOT_ACCESS_KEY may not hold spaces, '/', ',', '=' or what is not ASCII");
  if (!config.root_secret_key.empty() && config.root_secret_key.size() < 8)
    return fail(Errc::invalid_argument, "KURA_ROOT_SECRET_KEY needs at least 8 characters");
  if (config.parity_standard && config.parity_reduced &&
      *config.parity_reduced > *config.parity_standard)
    return fail(Errc::invalid_argument, place_of(config, "storage-class-rrs") +
                                            ": more parity than STANDARD has (" +
                                            place_of(config, "storage-class-standard") + ")");
  if (config.request_memory_bytes < kRequestMemoryMin)
    return fail(Errc::invalid_argument,
                place_of(config, "request-memory") + ": less than 32MiB holds no large request");
  for (const auto& [name, parity] : {std::pair("storage-class-standard", config.parity_standard),
                                     std::pair("storage-class-rrs", config.parity_reduced)})
    if (parity && !config.drives.empty() && *parity >= config.drives.size())
      return fail(Errc::invalid_argument, place_of(config, name) +
                                              ": EC:" + std::to_string(*parity) +
                                              " needs at least " + counted(*parity + 1, "drive"));
  std::vector<std::string> sorted = config.drives;
  std::sort(sorted.begin(), sorted.end());
  auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return fail(Errc::invalid_argument,
                place_of(config, "drives") + ": drive '" + *twice + "' is named twice");
  return {};
}

}  // namespace

std::string place_of(const Config& config, const std::string& name) {
  for (const Setting& s : config.settings)
    if (s.name == name) return place_of(s);
  return name;
}

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  char buffer[4096];
  while (in) {
    if (text.size() > kTextFileMax)
      return fail(Errc::too_large, "the file '" + path + "' is larger than 1MiB");
    in.read(buffer, sizeof buffer);
    text.append(buffer, static_cast<size_t>(in.gcount()));
  }
  // A folder opens, and then cannot be read.
  if (!in.eof()) return fail(Errc::io_error, "cannot read the file '" + path + "'");
  return text;
}

std::string variable_of(const std::string& name) {
  std::string variable = "KURA_" + toml_key_of(name);
  for (char& c : variable) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

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
      {"drives", "", "folders, one for each drive, by comma; ranges as /mnt/d{1...6}",
       SettingKind::list},
      {"tls-cert", "", "PEM file with the certificate chain; serves HTTPS"},
      {"tls-key", "", "PEM file with the private key"},
      {"root-access-key", "", "access key of the administrator", SettingKind::text, true},
      {"root-secret-key", "", "secret key of the administrator", SettingKind::text, true},
      {"region", "us-east-1", "region that the store reports"},
      {"region-strict", "false", "refuse signatures for another region", SettingKind::on_off},
      {"domain", "", "domains for virtual-host style requests, by comma", SettingKind::list},
      {"storage-class-standard", "",
       "parity of STANDARD as EC:n; by the number of drives if empty"},
      {"storage-class-rrs", "", "parity of REDUCED_REDUNDANCY as EC:n; EC:1 if empty"},
      {"io-threads", "1", "threads that serve connections", SettingKind::number},
      {"cache-size", "256MiB", "memory for blocks of the metadata view", SettingKind::size},
      {"row-cache-size", "128MiB", "memory for rows of the metadata view used lately; 0 keeps none",
       SettingKind::size},
      {"journal-segment-size", "", "bytes of a journal segment; by drive size if empty",
       SettingKind::size},
      {"set-member-size", "", "bytes of a segment set's member file; by drive size if empty",
       SettingKind::size},
      {"connections-max", "16384", "open connections; more get 503 SlowDown and are closed",
       SettingKind::number},
      {"requests-max", "1024", "requests worked on at a time; more wait shortly, then get 503",
       SettingKind::number},
      {"request-memory", "1GiB",
       "memory for requests under way; what finds no room waits, then 503", SettingKind::size},
      {"test-transform", "false", "store 16 bytes more per 64 KiB, to test sizes",
       SettingKind::on_off},
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
  std::map<std::string, FileValue> from_file;
  if (file) {
    auto values = read_config_file(file->first, file->second);
    if (!values) return fail(values.error());
    from_file = *values;
  }
  Config config;
  for (const SettingInfo& info : setting_table()) {
    Setting s{info.name, info.fallback, Origin::builtin, "", 0, info.secret, info.help};
    if (auto it = from_file.find(info.name); it != from_file.end()) {
      s.value = it->second.text, s.line = it->second.line;
      s.origin = Origin::file, s.source = file->second;
    }
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
    if (s.origin != Origin::file) s.line = 0;
    Error error{Errc::invalid_argument, ""};
    if (!assign(config, s, error))
      return fail(Errc::invalid_argument, place_of(s) + ": " + error.detail);
    config.settings.push_back(std::move(s));
  }
  std::vector<std::string> expanded;
  for (const std::string& pattern : config.drives) {
    auto more = expand_ellipsis(pattern);
    if (!more)
      return fail(Errc::invalid_argument, place_of(config, "drives") + ": " + more.error().detail);
    expanded.insert(expanded.end(), more->begin(), more->end());
  }
  config.drives = std::move(expanded);
  auto checked = check(config);
  if (!checked) return fail(checked.error());
  return config;
}

}  // namespace kura::node
