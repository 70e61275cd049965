// Configuration: one table of settings, each from flag > environment > TOML file > default.
//
// A setting has one name everywhere: "tls-cert" is the flag --tls-cert, the variable KURA_TLS_CERT
// (KURA_TLS_CERT_FILE names a file that holds the value) and the TOML key tls_cert, or tls-cert as
// `kura config show` prints it.

#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace kura::node {

enum class Origin { builtin, file, environment, flag };
std::string_view name_of(Origin origin);

struct Setting {
  std::string name;   // "listen"
  std::string value;  // As text; lists are separated by commas.
  Origin origin = Origin::builtin;
  std::string source;  // For people: "KURA_LISTEN", "/etc/kura/kura.toml", "--listen".
  uint32_t line = 0;   // Of the file; 0: it has none.
  bool secret = false;
  std::string help;
};

struct Config {
  std::string listen = "127.0.0.1:9000";
  std::vector<std::string> drives;  // Folders, ranges expanded.
  std::string tls_cert, tls_key;    // Both or none.
  std::string root_access_key, root_secret_key;
  std::string region = "us-east-1";
  bool region_strict = false;
  std::vector<std::string> domains;
  std::optional<uint32_t> parity_standard, parity_reduced;  // EC:n
  uint32_t io_threads = 1;
  uint64_t cache_bytes = 0;            // Of the view's blocks.
  uint64_t row_cache_bytes = 0;        // Of the view's rows; 0: none are kept.
  uint64_t journal_segment_bytes = 0;  // 0: by the size of the drives.
  uint64_t member_bytes = 0;           // 0: by the size of the drives.
  uint32_t connections_max = 0;
  uint32_t requests_max = 0;
  uint64_t request_memory_bytes = 0;
  bool test_transform = false;
  std::vector<Setting> settings;  // All of the above with their origins, in table order.
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// What a value is. In a TOML file it has a type, elsewhere it is text.
enum class SettingKind {
  text,
  list,    // Of texts; by comma where it is one text.
  number,  // Whole.
  size,    // "64MiB", or a whole number of bytes.
  on_off,  // A flag without a value.
};

// Names and help of every setting, for the command line parser.
struct SettingInfo {
  std::string name, fallback, help;
  SettingKind kind = SettingKind::text;
  bool secret = false;
};
const std::vector<SettingInfo>& setting_table();
// The whole of a small file. Errors: io_error, too_large, with its path.
Result<std::string> read_text_file(const std::string& path);
// "KURA_TLS_CERT" of "tls-cert".
std::string variable_of(const std::string& name);

// `flags` by setting name; `drives` are the positional arguments. `file`: TOML text and its path.
// Errors: invalid_argument, one line that names the setting, where its value came from (the flag,
// the variable, or file and line) and what to write instead.
Result<Config> load_config(const std::map<std::string, std::string>& flags,
                           const std::vector<std::string>& drives, const Environment& environment,
                           const std::optional<std::pair<std::string, std::string>>& file);

// Where the value of a setting came from, for the error that it causes: "--listen", "KURA_LISTEN",
// "/etc/kura/kura.toml:3: listen".
std::string place_of(const Config& config, const std::string& name);

// "64MiB", "1GiB", "4096". Errors: invalid_argument.
Result<uint64_t> parse_bytes(const std::string& text);

}  // namespace kura::node
