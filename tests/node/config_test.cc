#include "node/config.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace kura::node {
namespace {

using Variables = std::map<std::string, std::string>;

Result<Config> load(const std::map<std::string, std::string>& flags, const Variables& variables,
                    const std::string& toml = {}) {
  auto environment = [&](const std::string& name) -> std::optional<std::string> {
    auto it = variables.find(name);
    return it == variables.end() ? std::nullopt : std::optional<std::string>(it->second);
  };
  std::optional<std::pair<std::string, std::string>> file;
  if (!toml.empty()) file = {toml, "kura.toml"};
  return load_config(flags, {"/d{1...2}"}, environment, file);
}

const Setting& setting(const Config& config, const std::string& name) {
  for (const Setting& s : config.settings)
    if (s.name == name) return s;
  ADD_FAILURE() << name;
  return config.settings.front();
}

TEST(Config, FlagBeforeEnvironmentBeforeFileBeforeDefault) {
  const std::string toml = "region = \"file\"\nlisten = \"file:1\"\ndomain = [\"a\", \"b\"]\n";
  const Variables variables{{"KURA_REGION", "env"}, {"KURA_LISTEN", "env:1"}};
  auto config = load({{"region", "flag"}}, variables, toml);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->region, "flag");
  EXPECT_EQ(config->listen, "env:1");
  EXPECT_EQ(config->domains, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config->connections_max, 16384u);
  EXPECT_EQ(config->requests_max, 1024u);
  EXPECT_EQ(config->request_memory_bytes, 1024u * 1024 * 1024);
  EXPECT_EQ(config->cache_bytes, 256 * kMiB);
  EXPECT_EQ(config->drives, (std::vector<std::string>{"/d1", "/d2"}));
  EXPECT_EQ(setting(*config, "region").source, "--region");
  EXPECT_EQ(setting(*config, "listen").source, "KURA_LISTEN");
  EXPECT_EQ(setting(*config, "domain").origin, Origin::file);
  EXPECT_EQ(setting(*config, "io-threads").origin, Origin::builtin);
}

TEST(Config, NamesTheBadSetting) {
  auto bad = load({}, {{"KURA_IO_THREADS", "many"}});
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().detail.find("KURA_IO_THREADS"), std::string::npos);
  EXPECT_FALSE(load({{"storage-class-standard", "2"}}, {}));
  EXPECT_FALSE(load({}, {}, "regoin = \"x\"\n"));
  EXPECT_FALSE(load({}, {}, "region = \n"));
  EXPECT_FALSE(load({{"tls-cert", "c.pem"}}, {}));
  EXPECT_FALSE(load({}, {{"KURA_ROOT_ACCESS_KEY", "only"}}));
  EXPECT_FALSE(load({}, {{"KURA_ROOT_SECRET_KEY_FILE", "no such file"}}));
}

// Silently less parity than was asked for would be found out when a drive is lost.
TEST(Config, ParityNeedsDrives) {
  auto standard = load({{"storage-class-standard", "EC:2"}}, {});
  ASSERT_FALSE(standard);
  EXPECT_NE(standard.error().detail.find("at least 3 drives"), std::string::npos);
  EXPECT_FALSE(load({{"storage-class-rrs", "EC:2"}}, {}));
  EXPECT_TRUE(load({{"storage-class-rrs", "EC:0"}}, {}));
}

TEST(Config, Parity) {
  auto config = load({{"storage-class-standard", "EC:1"}}, {});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->parity_standard, 1u);
  EXPECT_EQ(config->parity_reduced, std::nullopt);
}

TEST(Config, Bytes) {
  EXPECT_EQ(parse_bytes("64MiB").value(), 64 * kMiB);
  EXPECT_EQ(parse_bytes("4096").value(), 4096u);
  for (const char* bad : {"x", "1MB", "-1", "99999999999999TiB", "1 GiB"})
    EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Config, LettersBeyondAsciiOfAFileAreInStringsAndComments) {
  auto good = load({}, {}, "# für alle\nregion = \"z\\\"ü\" # ö\ndomain = ['ä']\n");
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->region, "z\"ü");
  EXPECT_EQ(good->domains, std::vector<std::string>{"ä"});
  auto bad = load({}, {}, "region = \"a\"\ndomaën = \"b\"\n");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::invalid_argument);
  EXPECT_EQ(bad.error().detail, "kura.toml: line 2 has letters beyond ASCII outside of quotes");
}

}  // namespace
}  // namespace kura::node
