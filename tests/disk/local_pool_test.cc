// The pool on folders of the real file system, written and read from several threads at once while
// it compacts and scrubs.

#include <array>
#include <atomic>

#include "actors/disk/drive_identity.h"
#include "actors/disk/local_drive.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "pool_world.h"
#include "tests/base/temporary_folder.h"

namespace kura::disk {
namespace {

struct Rig {
  Rig() : ledger(6) {
    options.cluster = uuid_from<ClusterId>("a test's cluster");
    options.incarnation.bytes.fill(0x21);
    options.member_bytes_max = 4 * kMiB;
    options.maintenance_interval_ns = 20'000'000;
    options.check_interval_ns = 0;
    options.scrub_bytes_per_second = 0;
    pool_loop.start("pool");
    for (AsioLoop& loop : io) loop.start("io");
    std::vector<PoolDrive> drives;
    for (size_t i = 0; i < folders.size(); ++i) {
      auto drive = open_local_drive(folders[i].path());
      EXPECT_TRUE(drive);
      auto written = block_on(pool_loop, write_identity(**drive, {options.cluster, drive_id(i)}));
      EXPECT_TRUE(written);
      drives.push_back({drive_id(i), std::move(*drive)});
    }
    pool = std::make_unique<DiskPool>(pool_loop, ledger, options, std::move(drives));
    auto started = block_on(pool_loop, pool->start());
    EXPECT_TRUE(started);
    pool->begin_maintenance(bodies, bodies);
  }
  ~Rig() {
    auto stopped = block_on(pool_loop, pool->stop());
    EXPECT_TRUE(stopped);
    pool.reset();
    for (AsioLoop& loop : io) loop.stop();
    pool_loop.stop();
  }

  SystemClock clock;
  std::array<kura::testing::TemporaryFolder, 6> folders;
  AsioLoop pool_loop{clock};
  std::array<AsioLoop, 2> io{AsioLoop(clock), AsioLoop(clock)};
  MemoryLedger ledger;
  MemoryBodies bodies;  // On the pool's loop.
  DiskPoolOptions options;
  std::unique_ptr<DiskPool> pool;
  std::atomic<int> left{0};
  std::atomic<int> wrong{0}, refused_writes{0}, refused_reads{0};
};

Task<Result<void>> commit(Rig* rig, std::string key, v1::Body body) {
  rig->bodies.bodies[key] = body;
  co_return Result<void>();
}

Task<Result<void>> remove(Rig* rig, std::string key) {
  rig->bodies.bodies.erase(key);
  co_return Result<void>();
}

Task<Result<v1::Body>> where(Rig* rig, std::string key) { co_return rig->bodies.bodies.at(key); }

Task<Result<std::string>> read_all(Rig* rig, v1::Body body, uint64_t bytes) {
  auto reader = rig->pool->blobs().read(body, {0, bytes});
  if (!reader) co_return fail(reader.error());
  std::string out;
  for (;;) {
    auto part = co_await (*reader)->next();
    if (!part) co_return part;
    if (part->empty()) co_return out;
    out += *part;
  }
}

// Stores, reads and mostly deletes bodies one after the other; compaction moves what stays.
Task<void> client(Rig* rig, int number) {
  for (int i = 0; i < 30; ++i) {
    const std::string key = std::to_string(number) + "/" + std::to_string(i);
    const uint64_t bytes = 1 + (static_cast<uint64_t>(number * 7919 + i * 104'729) % 700'000);
    const std::string content = content_of(key, bytes);
    auto writer = co_await rig->pool->blobs().write(v1::STANDARD, bytes);
    std::string taken = content;
    Result<void> appended = co_await (*writer)->append(std::move(taken));
    auto body = co_await (*writer)->finish();
    if (!appended || !body) {
      ADD_FAILURE() << (appended ? body.error().detail : appended.error().detail);
      ++rig->refused_writes;
      continue;
    }
    Task<Result<void>> committing = commit(rig, key, *body);
    (void)co_await run_on(static_cast<Loop&>(rig->pool_loop), std::move(committing));
    rig->pool->reservation_ended((*writer)->reservation());
    // A body may move between the look-up and the read: then the reader is refused, never wrong.
    for (int attempt = 0; attempt < 5; ++attempt) {
      Task<Result<v1::Body>> asking = where(rig, key);
      auto now = co_await run_on(static_cast<Loop&>(rig->pool_loop), std::move(asking));
      auto read = co_await read_all(rig, *now, bytes);
      if (!read && read.error().code == Errc::unavailable && attempt < 4) continue;
      if (!read) {
        ADD_FAILURE() << key << ", attempt " << attempt << ": " << read.error().detail;
        ++rig->refused_reads;
      }
      if (read && *read != content) ++rig->wrong;
      break;
    }
    if (i % 5 == 0) continue;
    Task<Result<void>> removing = remove(rig, key);
    (void)co_await run_on(static_cast<Loop&>(rig->pool_loop), std::move(removing));
  }
  --rig->left;
}

Task<void> scrub(Rig* rig) { (void)co_await rig->pool->scrub(); }

Task<Result<PoolStatus>> wait_for_clients(Rig* rig) {
  spawn(rig->pool_loop, scrub(rig));
  while (rig->left > 0) co_await sleep_for(5'000'000);
  for (int i = 0; i < 6; ++i) {
    auto passed = co_await rig->pool->maintain_now();
    if (!passed) co_return fail(passed.error());
  }
  co_return co_await rig->pool->status();
}

TEST(LocalPool, ManyThreadsReadAndWriteWhileItCompacts) {
  Rig rig;
  rig.left = 16;
  for (int i = 0; i < 16; ++i) spawn(rig.io[i % 2], client(&rig, i));
  auto status = block_on(rig.pool_loop, wait_for_clients(&rig));
  ASSERT_TRUE(status);
  EXPECT_EQ(rig.wrong, 0);
  EXPECT_EQ(rig.refused_writes, 0);
  EXPECT_EQ(rig.refused_reads, 0);
  EXPECT_GT(status->sets_dropped, 0u);
  EXPECT_EQ(status->reservations, 0u);
  EXPECT_EQ(status->scrub.damaged_shards, 0u);
  EXPECT_EQ(status->scrub.lost_stripes, 0u);
  EXPECT_EQ(status->members_missing, 0u);
}

}  // namespace
}  // namespace kura::disk
