// The configuration: any TOML text gives a configuration or one line that says what is wrong.
//
// Input: which grammar, then its text.

#include "node/server/config.h"

#include "node/server/ellipsis.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using namespace node;  // NOLINT: a test of this namespace.

std::optional<std::string> no_environment(const std::string&) { return std::nullopt; }

// The settings as flags give the same configuration: one grammar for all origins.
void check_toml(const std::string& text) {
  const auto config =
      load_config({}, {}, no_environment, std::pair(text, std::string("kura.toml")));
  if (!config) {
    INVARIANT(config.error().code == Errc::invalid_argument && !config.error().detail.empty(),
              "what is wrong, in words");
    return;
  }
  INVARIANT(config->settings.size() == setting_table().size(), "every setting has its origin");
  INVARIANT(config->drives.size() <= 1 << 20, "bounded");
  std::map<std::string, std::string> flags;
  for (const Setting& s : config->settings) flags[s.name] = s.value;
  const auto again = load_config(flags, {}, no_environment, std::nullopt);
  INVARIANT(again && again->drives == config->drives && again->listen == config->listen &&
                again->cache_bytes == config->cache_bytes && again->domains == config->domains &&
                again->parity_standard == config->parity_standard &&
                again->region_strict == config->region_strict &&
                again->connections_max == config->connections_max,
            "a flag means what the file means");
}

void check_ellipsis(const std::string& text) {
  const auto all = expand_ellipsis(text);
  if (!all) {
    INVARIANT(all.error().code == Errc::invalid_argument, "a bad pattern");
    return;
  }
  INVARIANT(!all->empty() && all->size() <= 1024, "bounded");
  if (text.find('{') == std::string::npos) INVARIANT(all->front() == text, "as it is");
}

void check_bytes(const std::string& text) {
  const auto bytes = parse_bytes(text);
  if (!bytes) return;
  const auto again = parse_bytes(std::to_string(*bytes));
  INVARIANT(again && *again == *bytes, "a size as plain bytes");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  const auto grammar = in.number<uint8_t>() % 3;
  const std::string text(in.rest());
  if (grammar == 0) check_toml(text);
  if (grammar == 1) check_ellipsis(text);
  if (grammar == 2) check_bytes(text);
}

}  // namespace kura::fuzz
