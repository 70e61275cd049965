// The TOML file of settings: its keys are those of setting_table(), its values of their types.

#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace kura::node {

struct FileValue {
  std::string text;  // As a flag would have it.
  uint32_t line = 0;
};

// Values by setting name; a list is one text, by comma. An unknown key is an error, so that a
// typing mistake is not a silent default. Errors: invalid_argument, one line that begins with file
// and line.
Result<std::map<std::string, FileValue>> read_config_file(const std::string& text,
                                                          const std::string& path);

// "tls_cert" of "tls-cert".
std::string toml_key_of(std::string name);
// "kura.toml:3"
std::string at_line(const std::string& path, size_t line);

}  // namespace kura::node
