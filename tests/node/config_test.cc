#include "node/server/config.h"

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
  auto good = load({}, {}, "# für alle\nlisten = \"z\\\"ü\" # ö\ntls_cert = 'ä'\ntls_key = 'k'\n");
  ASSERT_TRUE(good) << good.error().detail;
  EXPECT_EQ(good->listen, "z\"ü");
  EXPECT_EQ(good->tls_cert, "ä");
  auto bad = load({}, {}, "region = \"a\"\ndomaën = \"b\"\n");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::invalid_argument);
  EXPECT_EQ(bad.error().detail, "kura.toml:2: letters beyond ASCII outside of quotes");
}

std::string error_of(const std::string& toml) {
  auto bad = load({}, {}, toml);
  if (bad) return "taken: " + toml;
  EXPECT_EQ(bad.error().code, Errc::invalid_argument);
  return bad.error().detail;
}

TEST(Config, AFileHasTypes) {
  EXPECT_EQ(error_of("region = 5"), "kura.toml:1: region is a text in quotes, not a whole number");
  EXPECT_EQ(error_of("\nregion_strict = \"yes\""),
            "kura.toml:2: region_strict is true or false, without quotes, not a text");
  EXPECT_EQ(error_of("io_threads = \"4\""),
            "kura.toml:1: io_threads is a whole number, not a text");
  EXPECT_EQ(error_of("cache_size = true"),
            "kura.toml:1: cache_size is a size in quotes, \"64MiB\", or a whole number of bytes, "
            "not true or false");
  EXPECT_EQ(error_of("domain = [\"a\", 5]"),
            "kura.toml:1: domain is a list of texts, [\"a\", \"b\"], or one text in quotes, not a "
            "list of something else");
  for (const char* wrong : {"listen = [\"a\"]", "tls_cert = true", "requests_max = 1.5",
                            "drives = 5", "region = 1979-05-27", "[region]", "domain = [[\"a\"]]"})
    EXPECT_NE(error_of(wrong).find(" is a "), std::string::npos) << wrong;
  auto right = load({}, {},
                    "cache_size = 4096\nrow_cache_size = \"1MiB\"\nregion_strict = true\n"
                    "io_threads = 2\ndomain = \"a,b\"");
  ASSERT_TRUE(right) << right.error().detail;
  EXPECT_EQ(right->cache_bytes, 4096u);
  EXPECT_EQ(right->row_cache_bytes, kMiB);
  EXPECT_TRUE(right->region_strict);
  EXPECT_EQ(right->io_threads, 2u);
  EXPECT_EQ(right->domains, (std::vector<std::string>{"a", "b"}));
}

// What `kura config show` prints can be pasted.
TEST(Config, EachSettingHasItsNameInAFileToo) {
  for (const SettingInfo& info : setting_table()) {
    const bool number = info.kind == SettingKind::number, on_off = info.kind == SettingKind::on_off;
    const std::string value = number || on_off ? info.fallback : "\"" + info.fallback + "\"";
    auto loaded = load({}, {}, info.name + " = " + value);
    ASSERT_TRUE(loaded) << info.name << ": " << loaded.error().detail;
  }
  EXPECT_EQ(load({}, {}, "cache-size = \"5MiB\"")->cache_bytes, 5 * kMiB);
  EXPECT_EQ(load({}, {}, "cache_size = \"5MiB\"")->cache_bytes, 5 * kMiB);
  EXPECT_NE(error_of("cache_size = 1\ncache-size = 1").find("one setting: give one"),
            std::string::npos);
}

TEST(Config, AnErrorSaysWhereTheValueCameFrom) {
  const std::string toml = "# kura\nstorage_class_standard = \"2\"\n";
  EXPECT_EQ(error_of(toml), "kura.toml:2: storage_class_standard: '2' is not EC:n");
  auto variable = load({}, {{"KURA_STORAGE_CLASS_STANDARD", "3"}}, toml);
  ASSERT_FALSE(variable);
  EXPECT_EQ(variable.error().detail, "KURA_STORAGE_CLASS_STANDARD: '3' is not EC:n");
  auto flag = load({{"storage-class-standard", "4"}}, {{"KURA_STORAGE_CLASS_STANDARD", "3"}}, toml);
  ASSERT_FALSE(flag);
  EXPECT_EQ(flag.error().detail, "--storage-class-standard: '4' is not EC:n");
  // Also where it is only wrong beside another one.
  EXPECT_EQ(error_of("\nrequest_memory = 5\n").substr(0, 28), "kura.toml:2: request_memory:");
  EXPECT_EQ(error_of("storage_class_standard = \"EC:2\"").substr(0, 36),
            "kura.toml:1: storage_class_standard:");
  auto twice = load_config(
      {}, {"/d1", "/d1"}, [](auto&) { return std::nullopt; }, std::nullopt);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().detail, "arguments: drive '/d1' is named twice");
  auto seen = load({}, {}, "\nregion = \"x\"");
  ASSERT_TRUE(seen);
  EXPECT_EQ(setting(*seen, "region").source, "kura.toml");
  EXPECT_EQ(setting(*seen, "region").line, 2u);
  EXPECT_EQ(setting(*load({{"region", "y"}}, {}, "region = \"x\""), "region").line, 0u);
}

TEST(Config, ValuesThatNothingCouldBeDoneWithAreRefused) {
  EXPECT_EQ(error_of("region = \"a b\""), "kura.toml:1: region: 'a b' is not the name of a region");
  EXPECT_EQ(error_of("region = \"\""), "kura.toml:1: region: '' is not the name of a region");
  for (const char* domain : {"a..b", ".a", "a.", "a b", "a/b"})
    EXPECT_EQ(error_of("domain = [\"good.example\", \"" + std::string(domain) + "\"]"),
              "kura.toml:1: domain: '" + std::string(domain) + "' is not a domain name");
  EXPECT_TRUE(load({}, {}, "domain = [\"s3.example\", \"localhost\"]"));
  for (const char* size : {"1", "4KiB", "2GiB", "600001"})
    EXPECT_EQ(error_of("journal_segment_size = \"" + std::string(size) + "\""),
              "kura.toml:1: journal_segment_size: '" + std::string(size) +
                  "' is not a multiple of 4KiB from 512KiB to 1GiB");
  EXPECT_TRUE(load({}, {}, "journal_segment_size = \"1MiB\""));
  EXPECT_EQ(load({}, {}, "")->journal_segment_bytes, 0u);
}

TEST(Config, ARootKeyThatNobodyCanSignWithIsRefused) {
  auto loaded = [](const std::string& key) {
    return load({}, {{"KURA_ROOT_ACCESS_KEY", key}, {"KURA_ROOT_SECRET_KEY", "secret-secret"}}, "");
  };
  for (const char* key : {"a/b", "a b", "a=b", "a,b", "a\tb", "\xc3\xa4\xc3\xb6"}) {
    auto bad = loaded(key);
    ASSERT_FALSE(bad) << key;
    EXPECT_TRUE(bad.error().detail.starts_with("KURA_ROOT_ACCESS_KEY may not hold"));
  }
  EXPECT_TRUE(loaded("Kura+root_1.2-3@x"));
}

TEST(Config, AFileOfAValueThatNeverEndsIsRefused) {
  auto bad = load({}, {{"KURA_REGION_FILE", "/dev/zero"}}, "");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().detail, "KURA_REGION_FILE: the file '/dev/zero' is larger than 1MiB");
}

TEST(Config, AMistypedSettingIsToldItsName) {
  EXPECT_EQ(error_of("regoin = \"x\""),
            "kura.toml:1: unknown setting 'regoin'; did you mean region?");
  EXPECT_EQ(error_of("\n\nnothing_like_it = 1"), "kura.toml:3: unknown setting 'nothing_like_it'");
}

}  // namespace
}  // namespace kura::node
