#include "projections/kv/rocksdb_kv.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
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

RocksKvOptions small_options() { return {.cache_bytes = 1 << 20, .memtable_bytes = 1 << 20}; }

// The drive fills up: writes fail soon, reads go on with all that was written, and it goes on in
// place once there is room, again and again.
TEST(RocksKv, FullDriveIsWaitedOut) {
  TemporaryMount mount("24m");
  ASSERT_TRUE(mount.mounted());
  std::string path = mount.path() + "/view";
  auto kv = open_rocks_kv(path, small_options()).value();
  ASSERT_TRUE(kv->write(filler(0)));
  ASSERT_TRUE(kv->flush());
  const std::string ballast = mount.path() + "/ballast";
  int n = 1, kept = 0;
  for (int round = 0; round < 5; ++round) {
    std::ofstream(ballast) << std::string(fs::space(mount.path()).available, 'x');
    Result<void> wrote;
    for (; n < 2000 && wrote; ++n) wrote = kv->write(filler(n % 40));
    ASSERT_FALSE(wrote) << "a full drive cannot hold 125 MiB";
    kept = (n - 2) % 40;
    EXPECT_EQ(wrote.error().code, Errc::no_space) << wrote.error().detail;
    EXPECT_EQ(kv->room(), KvRoom::lacking);
    // What the failed file took is free again.
    std::ofstream(ballast + "2") << std::string(fs::space(mount.path()).available, 'x');
    for (int attempt = 0; attempt < 3; ++attempt) {
      Result<void> flushed = kv->flush();
      ASSERT_FALSE(flushed);
      EXPECT_EQ(flushed.error().code, Errc::no_space) << flushed.error().detail;
      EXPECT_FALSE(kv->write(filler(n % 40)));
    }
    EXPECT_TRUE(kv->get("k0.0").value().has_value());
    EXPECT_TRUE(kv->get("k" + std::to_string(kept) + ".3").value().has_value());
    fs::remove(ballast);
    fs::remove(ballast + "2");
    Result<void> flushed;
    int attempts = 0;
    do {
      flushed = kv->flush();
      ::usleep(10'000);
    } while (!flushed && ++attempts < 1000);
    ASSERT_TRUE(flushed) << flushed.error().detail;
    // A compaction that found no room is tried again by RocksDB itself.
    for (attempts = 0; kv->room() != KvRoom::enough && attempts < 1000; ++attempts)
      ::usleep(10'000);
    EXPECT_EQ(kv->room(), KvRoom::enough);
    EXPECT_TRUE(kv->write(filler(3000 + round)));
  }
  EXPECT_TRUE(kv->flush());
  kv.reset();
  kv = open_rocks_kv(path, small_options()).value();
  EXPECT_TRUE(kv->get("k" + std::to_string(kept) + ".3").value().has_value());
  for (int round = 0; round < 5; ++round)
    EXPECT_TRUE(kv->get("k" + std::to_string(3000 + round) + ".0").value().has_value());
}

// Opened to read, it needs no room, and goes on while another one changes its files.
TEST(RocksKv, IsReadOnAFullDrive) {
  TemporaryMount mount("24m");
  ASSERT_TRUE(mount.mounted());
  const std::string path = mount.path() + "/view", ballast = mount.path() + "/ballast";
  EXPECT_FALSE(open_rocks_kv_to_read(path));
  {
    auto kv = open_rocks_kv(path, small_options()).value();
    for (int n = 0; n < 20; ++n) ASSERT_TRUE(kv->write(filler(n)));
    ASSERT_TRUE(kv->flush());
  }
  std::ofstream(ballast) << std::string(fs::space(mount.path()).available, 'x');
  ASSERT_FALSE(open_rocks_kv(path, small_options()));
  auto reader = open_rocks_kv_to_read(path, small_options());
  ASSERT_TRUE(reader) << reader.error().detail;
  EXPECT_FALSE((*reader)->write(filler(1)));
  fs::remove(ballast);
  auto kv = open_rocks_kv(path, small_options()).value();
  for (int round = 0; round < 8; ++round) {
    for (int n = 0; n < 20; ++n) ASSERT_TRUE(kv->write(filler(n)));
    ASSERT_TRUE(kv->flush());
  }
  int rows = 0;
  auto it = (*reader)->iterate();
  for (it->seek(""); it->valid(); it->next()) ++rows;
  EXPECT_TRUE(it->status());
  EXPECT_EQ(rows, 20 * 16);
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

void flip_in_tables(const std::string& path) {
  for (auto& entry : fs::directory_iterator(path)) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<long>(fs::file_size(entry.path()) / 3);
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 16);
    file.seekp(at);
    file.put(byte);
  }
}

// Who reads damage gets an error, the owner is told once, and no later process uses that map.
TEST(RocksKv, DamageEndsTheMap) {
  TemporaryFolder folder;
  std::string path = folder.path() + "/view";
  auto kv = open_rocks_kv(path).value();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(kv->write(filler(i)));
  ASSERT_TRUE(kv->flush());
  kv.reset();
  flip_in_tables(path);
  kv = open_rocks_kv(path).value();
  int told = 0;
  kv->on_damage([&](Error error) {
    ++told;
    EXPECT_EQ(error.code, Errc::corrupt);
  });
  for (int round = 0; round < 2; ++round) {
    auto it = kv->iterate();
    for (it->seek(""); it->valid(); it->next()) {
    }
    EXPECT_FALSE(it->status());
    EXPECT_EQ(told, 1);
  }
  int late = 0;  // Whoever asks after it was found is told as well.
  kv->on_damage([&](Error) { ++late; });
  EXPECT_EQ(late, 1);
  kv.reset();
  kv = open_rocks_kv(path).value();
  EXPECT_FALSE(kv->get("k1.15").value().has_value());
  EXPECT_TRUE(kv->write(filler(1)));
  EXPECT_TRUE(kv->flush());
}

// Blocks that are cached hide what is wrong on the drive; verify() reads the files.
TEST(RocksKv, VerifyReadsPastTheCache) {
  TemporaryFolder folder;
  std::string path = folder.path() + "/view";
  auto kv = open_rocks_kv(path).value();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(kv->write(filler(i)));
  ASSERT_TRUE(kv->flush());
  auto read_all = [&] {
    auto it = kv->iterate();
    for (it->seek(""); it->valid(); it->next()) {
    }
    return it->status();
  };
  ASSERT_TRUE(read_all());
  SystemClock clock;
  AsioLoop loop(clock);
  loop.start("verify");
  EXPECT_TRUE(block_on(loop, kv->verify()));
  flip_in_tables(path);
  EXPECT_TRUE(read_all());
  auto verified = block_on(loop, kv->verify());
  loop.stop();
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Errc::corrupt);
}

TEST(RocksKv, MissingParentIsAnError) {
  TemporaryFolder folder;
  auto kv = open_rocks_kv(folder.path() + "/no/such/folder/view");
  ASSERT_FALSE(kv);
  EXPECT_EQ(kv.error().code, Errc::io_error);
}

// With any number of free pages: what RocksDB writes when it opens, and what it does not get
// written.
TEST(RocksKv, OpensOrRefusesOnADriveThatIsNearlyFull) {
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  const std::string path = mount.path() + "/view", ballast = mount.path() + "/ballast";
  {
    auto kv = open_rocks_kv(path).value();
    ASSERT_TRUE(kv->write(filler(0)));
    ASSERT_TRUE(kv->flush());
  }
  int refused = 0;
  for (uint64_t pages = 0; pages <= 24; pages += 2) {
    const uint64_t free = fs::space(mount.path()).available - pages * 4096;
    std::ofstream(ballast) << std::string(free, 'x');
    auto kv = open_rocks_kv(path);
    if (!kv) {
      ++refused;
      EXPECT_EQ(kv.error().code, Errc::no_space) << kv.error().detail;
    }
    const bool flushed = kv && (*kv)->write(filler(1)) && (*kv)->flush();
    if (kv) kv->reset();
    fs::remove(ballast);
    auto again = open_rocks_kv(path);
    ASSERT_TRUE(again) << pages << ": " << again.error().detail;
    EXPECT_TRUE((*again)->get("k0.0").value().has_value());
    EXPECT_EQ((*again)->get("k1.0").value().has_value(), flushed);
    KvBatch clean;
    clean.remove("k1.0");
    ASSERT_TRUE((*again)->write(clean));
    ASSERT_TRUE((*again)->flush());
  }
  EXPECT_GT(refused, 0);
}

// The view's drive goes away while the map is in use: errors, no abort, and the map closes.
TEST(RocksKv, DriveThatIsTakenAway) {
  TemporaryMount mount("64m");
  ASSERT_TRUE(mount.mounted());
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
