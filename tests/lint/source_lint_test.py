"""Plants a violation of each rule in a tree of its own; each must be caught, and clean code must not."""

import pathlib
import tempfile
import unittest

import source_lint

# (path, text, rule that must report it)
PLANTED = [
    ("base/a.cc", "auto t = std::chrono::system_clock::now();", "clock"),
    ("s3/http/a.cc", "auto t = std::chrono::steady_clock::now();", "clock"),
    ("base/a.cc", "auto t = time(nullptr);", "clock"),
    ("base/a.cc", "std::random_device seed;", "randomness"),
    ("s3/auth/a.cc", "RAND_bytes(p, 16);", "randomness"),
    ("base/a.cc", "std::uniform_int_distribution<int> d(0, 9);", "distribution"),
    ("net/a.cc", "std::normal_distribution<> d;", "distribution"),
    ("actors/disk/disk.cc", "std::thread t([] {});", "thread"),
    ("node/a.cc", "auto f = std::async(work);", "thread"),
    ("journal/a.cc", "std::this_thread::sleep_for(1s);", "sleep"),
    ("journal/a.cc", "usleep(10);", "sleep"),
    ("node/server/server.cc", 'auto* v = std::getenv("X");', "environment"),
    ("actors/a_actor.cc", "caf::scoped_actor self{system};", "blocking-actor"),
    ("actors/a_actor.cc", "system.spawn<caf::detached>(f);", "blocking-actor"),
    ("journal/a.cc", 'printf("x");', "stdout"),
    ("journal/a.cc", 'std::cout << "x";', "stdout"),
    ("s3/http/a.cc", "boost::beast::tcp_stream s;", "socket"),
    ("s3/http/a.cc", "asio::steady_timer t;", "socket"),
    ("s3/http/a.cc", "int s = ::socket(1, 2, 3);", "socket"),
    ("base/a.cc", "assert(x);", "assert"),
    ("base/a.cc", "goto end;", "goto"),
    ("actors/disk/disk.cc", "#include <isa-l/erasure_code.h>", "isa-l"),
    ("actors/disk/disk.cc", "#include <isa-l.h>", "isa-l"),
    ("projections/metadata/view.cc", "#include <rocksdb/db.h>", "RocksDB"),
    ("s3/op/a.cc", "#include <boost/beast/http.hpp>", "Beast"),
    ("s3/http/a.cc", "#include <boost/asio.hpp>", "Asio"),
    ("actors/bucket/decide.cc", "#include <caf/all.hpp>", "CAF"),
    ("journal/a.cc", "#include <nlohmann/json.hpp>", "nlohmann"),
    ("actors/a_actor.cc", "#include <librdkafka/rdkafka.h>", "librdkafka"),
    ("s3/http/a.cc", "#include <expat.h>", "expat"),
    ("base/a.cc", "#include <toml++/toml.h>", "toml++"),
    ("base/a.cc", "#include <CLI/CLI.hpp>", "CLI11"),
    ("node/a.cc", '#include "sim/world.h"', "simulator"),
    ("base/a.cc", "// TODO: finish", "leftover"),
    ("tests/clients/test_a.py", "# FIXME", "leftover"),
    ("README.md", "Run /work/main/dev.", "machine-path"),
    ("tools/a.sh", "curl https://registry.example/x", "registry-host"),
    ("tests/base/a_test.cc", "EXPECT_TRUE(x); GTEST_SKIP();", "skipped-test"),
    ("tests/base/a_test.cc", "TEST(A, DISABLED_b) { EXPECT_TRUE(x); }", "skipped-test"),
    ("tests/clients/test_a.py", "pytest.skip('no')", "skipped-test"),
    ("base/string_utils.h", "#pragma once", "name"),
    ("base/common/a.h", "#pragma once", "name"),
    ("base/a.h", "class DriveManager {};", "name"),
    ("base/a.h", "\n" * 501, "long-file"),
    ("tests/base/a_test.cc", "TEST(A, b) { run(); }", "no-expectation"),
    ("base/a.cc", "std::unordered_map<int, int> m;\nvoid f() { for (auto& [k, v] : m) use(k); }", "unordered"),
]

# Allowed: at home, in comments and strings, or only alike.
CLEAN = [
    ("net/a.cc", "#include <boost/asio.hpp>\nauto t = std::chrono::steady_clock::now(); std::thread x;"),
    ("tests/net/a_test.cc", "std::this_thread::sleep_for(1s); EXPECT_TRUE(x);"),
    ("actors/disk/local_drive.cc", "std::thread t;"),
    ("tests/actors/disk/local_drive_test.cc", "std::thread t; EXPECT_EQ(1, x);"),
    ("actors/disk/erasure.cc", "#include <isa-l.h>"),
    ("base/crc32c.cc", "#include <isa-l/crc.h>"),
    ("actors/bucket/bucket_actor.cc", "#include <caf/all.hpp>"),
    ("projections/kv/rocksdb_kv.cc", "#include <rocksdb/db.h>"),
    ("node/server/config.cc", 'auto* v = std::getenv("X");'),
    ("base/a.cc", '// No system_clock here.\nauto s = "std::thread random_device"; /* assert(x) */'),
    ("base/a.cc", "auto n = snprintf(b, 4, x); static_assert(1 == 1); auto t = clock.time(0, 1);"),
    ("base/a.cc", "constexpr int k = 1'000'000; char c = '\"'; // std::cout"),
    ("tests/sim/a_test.cc", '#include "sim/world.h"\nEXPECT_TRUE(x);'),
    ("tests/base/b_test.cc", 'RC_GTEST_PROP(A, b, (int n)) { RC_ASSERT(n == n); }'),
    ("base/a.cc", "std::unordered_map<int, int> m;\nvoid f() { for (auto& [k, v] : m) n += v; }  // any order"),
    ("base/a.cc", "std::map<int, int> m;\nvoid f() { for (auto& [k, v] : m) use(k); }"),
    ("base/a.h", "\n" * 500),
]


def rules_found(path: str, text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n" if text.strip() else text)
        return [line.split("[")[1].split("]")[0] for line in source_lint.lint(pathlib.Path(folder))]


class SourceLintTest(unittest.TestCase):
    def test_planted_violations_are_caught(self):
        for path, text, rule in PLANTED:
            with self.subTest(rule=rule, text=text[:60]):
                self.assertEqual([rule], sorted(set(rules_found(path, text))))

    def test_clean_code_passes(self):
        for path, text in CLEAN:
            with self.subTest(path=path, text=text[:60]):
                self.assertEqual([], rules_found(path, text))

    def test_every_rule_has_a_planted_violation(self):
        names = {rule.name for table in (source_lint.rules.CODE, source_lint.rules.HEADERS,
                                         source_lint.rules.TEXT) for rule in table}
        self.assertEqual(set(), names - {rule for _, _, rule in PLANTED})


if __name__ == "__main__":
    unittest.main()
