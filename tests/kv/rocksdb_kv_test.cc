#include "projections/kv/rocksdb_kv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tests/base/temporary_folder.h"
#include "tests/base/temporary_mount.h"

namespace kura::testing {
namespace {

namespace fs = std::filesystem;

KvBatch filler(int n) {
  KvBatch batch;
  std::mt19937_64 random(static_cast<uint64_t>(n));
  for (int i = 0; i < 16; ++i) {
    std::string value(4096, '\0');
    for (char& c : value) c = static_cast<char>(random());
    batch.put("k" + std::to_string(n) + "." + std::to_string(i), std::move(value));
  }
  return batch;
}

TEST(RocksKv, ReopensWhatWasClosed) {
  TemporaryFolder folder;
  std::string path = folder.path() + "/view";
  {
    auto kv = open_rocks_kv(path).value();
    ASSERT_TRUE(kv->write(filler(1)));
    auto second = open_rocks_kv(path);
    EXPECT_FALSE(second) << "two processes must not share it";
  }
  auto kv = open_rocks_kv(path).value();
  EXPECT_TRUE(kv->get("k1.15").value().has_value());
  kv.reset();
  ASSERT_TRUE(destroy_rocks_kv(path));
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(destroy_rocks_kv(path));
}

// The drive fills up: every later write fails soon, reads go on, and the next opening after space
// was made finds the last flush.
TEST(RocksKv, FullDriveIsAnErrorAndNotTheEnd) {
  TemporaryMount mount("24m");
  if (!mount.mounted()) return;
  std::string path = mount.path() + "/view";
  RocksKvOptions options{.cache_bytes = 1 << 20, .memtable_bytes = 1 << 20};
  auto kv = open_rocks_kv(path, options).value();
  ASSERT_TRUE(kv->write(filler(0)));
  ASSERT_TRUE(kv->flush());
  std::string ballast = mount.path() + "/ballast";
  std::ofstream(ballast) << std::string(12 << 20, 'x');
  Result<void> wrote;
  int n = 1;
  for (; n < 2000 && wrote; ++n) wrote = kv->write(filler(n));
  ASSERT_FALSE(wrote) << "24 MiB cannot hold 125 MiB";
  EXPECT_EQ(wrote.error().code, Errc::no_space) << wrote.error().detail;
  Result<void> flushed = kv->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Errc::no_space);
  EXPECT_TRUE(kv->get("k0.0").value().has_value());
  fs::remove(ballast);
  kv.reset();
  kv = open_rocks_kv(path, options).value();
  EXPECT_TRUE(kv->get("k0.0").value().has_value());
  EXPECT_TRUE(kv->write(filler(5000)));
  EXPECT_TRUE(kv->flush());
}

TEST(RocksKv, DamageIsFound) {
  TemporaryFolder folder;
  std::string path = folder.path() + "/view";
  auto kv = open_rocks_kv(path).value();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(kv->write(filler(i)));
  ASSERT_TRUE(kv->flush());
  kv.reset();
  int tables = 0;
  for (auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".sst") continue;
    ++tables;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<long>(fs::file_size(entry.path()) / 3));
    file << std::string(20'000, 'Z');
  }
  ASSERT_GT(tables, 0);
  auto damaged = open_rocks_kv(path);
  if (!damaged) {
    EXPECT_EQ(damaged.error().code, Errc::corrupt) << damaged.error().detail;
    return;
  }
  auto it = (*damaged)->iterate();
  for (it->seek(""); it->valid(); it->next()) {
  }
  Result<void> status = it->status();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, Errc::corrupt);
}

TEST(RocksKv, MissingParentIsAnError) {
  TemporaryFolder folder;
  auto kv = open_rocks_kv(folder.path() + "/no/such/folder/view");
  ASSERT_FALSE(kv);
  EXPECT_EQ(kv.error().code, Errc::io_error);
}

// The view's drive goes away while the map is in use: errors, no abort, and the map closes.
TEST(RocksKv, DriveThatIsTakenAway) {
  TemporaryMount mount("64m");
  if (!mount.mounted()) return;
  std::string path = mount.path() + "/view";
  auto kv = open_rocks_kv(path, {.cache_bytes = 1 << 20, .memtable_bytes = 1 << 20}).value();
  ASSERT_TRUE(kv->write(filler(0)));
  ASSERT_TRUE(kv->flush());
  mount.detach();
  Result<void> wrote;
  for (int n = 1; n < 500 && wrote; ++n) wrote = kv->write(filler(n));
  EXPECT_FALSE(wrote) << "new tables have nowhere to go";
  EXPECT_FALSE(kv->flush());
}

}  // namespace
}  // namespace kura::testing
