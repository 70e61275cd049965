#include "sim/sim_drive.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "base/limits.h"

#include "tests/sim/sim_fixture.h"

namespace kura::sim {
namespace {

struct Node {
  explicit Node(uint64_t seed, DiskOptions options = {})
      : world(seed), clock(world), loop(world, "loop", clock), disk(world, 1, options) {
    drive = disk.mount();
  }
  ~Node() { crash(Unsynced::kept); }
  void crash(Unsynced policy) {
    loop.stop();
    disk.crash(policy);
    destroy_spawned_tasks(loop);
    files.clear();
  }
  void restart() {
    drive = disk.mount();
    again.emplace(world, "again", clock);
  }
  void run(Task<void> task) { run_task(world, again ? *again : loop, std::move(task)); }

  SimWorld world;
  SimClock clock;
  SimLoop loop;
  std::optional<SimLoop> again;
  SimDisk disk;
  std::unique_ptr<Drive> drive;
  std::map<std::string, std::shared_ptr<File>> files;
};

Task<void> create(Node* node, std::string name, uint64_t size) {
  auto file = co_await node->drive->create(name, size);
  EXPECT_TRUE(file);
  if (file) node->files[name] = *file;
}

Task<void> write(Node* node, std::string name, uint64_t offset, std::string bytes, bool sync) {
  std::vector<std::string_view> pieces{bytes};
  auto file = node->files[name];
  Result<void> written = co_await file->write(offset, std::move(pieces));
  EXPECT_TRUE(written);
  if (!sync) co_return;
  Result<void> synced = co_await file->sync();
  EXPECT_TRUE(synced);
}

Task<void> read_all(Node* node, std::string name, std::string* out) {
  Result<std::string> content = co_await read_file(*node->drive, name);
  EXPECT_TRUE(content);
  if (content) *out = *content;
}

// What a crash leaves of "old" synced content overwritten by unsynced "new" content.
std::string survivor(uint64_t seed, Unsynced policy, uint64_t bytes = 8 * 512) {
  Node node(seed);
  node.run(create(&node, "f", 0));
  node.run(write(&node, "f", 0, std::string(bytes, 'o'), true));
  node.run(write(&node, "f", 0, std::string(bytes, 'n'), false));
  node.crash(policy);
  node.restart();
  std::string out;
  node.run(read_all(&node, "f", &out));
  return out;
}

TEST(SimDisk, CrashKeepsDropsOrTearsBySector) {
  std::set<std::string> torn;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    EXPECT_EQ(survivor(seed, Unsynced::kept), std::string(8 * 512, 'n'));
    EXPECT_EQ(survivor(seed, Unsynced::dropped), std::string(8 * 512, 'o'));
    const std::string content = survivor(seed, Unsynced::torn);
    EXPECT_EQ(content, survivor(seed, Unsynced::torn)) << "the seed decides";
    ASSERT_EQ(content.size(), 8u * 512);
    for (size_t at = 0; at < content.size(); ++at)
      ASSERT_EQ(content[at], content[at / 512 * 512]) << "a sector is atomic";
    torn.insert(content);
  }
  EXPECT_GT(torn.size(), 30u);
}

TEST(SimDisk, MixedCrashReachesEveryFate) {
  std::set<char> fates;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::string content = survivor(seed, Unsynced::mixed);
    const bool has_old = content.find('o') != std::string::npos;
    const bool has_new = content.find('n') != std::string::npos;
    fates.insert(has_old && has_new ? 't' : has_old ? 'd' : 'k');
  }
  EXPECT_EQ(fates.size(), 3u);
}

TEST(SimDisk, SyncedBytesSurviveAnyCrash) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    Node node(seed);
    node.run(create(&node, "f", 0));
    node.run(write(&node, "f", 0, std::string(3000, 'a'), true));
    node.run(write(&node, "f", 3000, std::string(3000, 'b'), false));
    node.crash(static_cast<Unsynced>(seed % 4));
    node.restart();
    std::string out;
    node.run(read_all(&node, "f", &out));
    ASSERT_GE(out.size(), 3000u) << seed;
    ASSERT_EQ(out.substr(0, 3000), std::string(3000, 'a')) << seed;
  }
}

TEST(SimDisk, LaterWriteOfASectorIsNeverThereWithoutTheEarlier) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Node node(seed);
    node.run(create(&node, "f", 512));
    node.run(write(&node, "f", 0, "first", false));
    node.run(write(&node, "f", 5, "second", false));
    node.crash(Unsynced::mixed);
    node.restart();
    std::string out;
    node.run(read_all(&node, "f", &out));
    if (out.substr(5, 6) != "second") continue;
    ASSERT_EQ(out.substr(0, 5), "first") << seed;
  }
}

Task<void> write_and_note(Node* node, std::string name, std::string bytes, bool* returned) {
  std::vector<std::string_view> pieces{bytes};
  auto file = node->files[name];
  Result<void> written = co_await file->write(0, std::move(pieces));
  *returned = true;
}

TEST(SimDisk, DeadIncarnationNeverResumesAndItsWriteMayOrMayNotHappen) {
  std::set<bool> happened;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Node node(seed);
    node.run(create(&node, "f", 0));
    bool returned = false;
    spawn(node.loop, write_and_note(&node, "f", "bytes", &returned));
    node.world.step();  // Started, not finished.
    ASSERT_FALSE(returned);
    node.crash(Unsynced::kept);
    node.restart();
    node.world.run_for(kSecond);
    EXPECT_FALSE(returned);
    std::string out;
    node.run(read_all(&node, "f", &out));
    EXPECT_TRUE(out.empty() || out == "bytes");
    happened.insert(!out.empty());
  }
  EXPECT_EQ(happened.size(), 2u);
}

Task<void> failing_sync(Node* node, std::string name) {
  auto file = node->files[name];
  Result<void> synced = co_await file->sync();
  EXPECT_FALSE(synced);
  EXPECT_EQ(synced.error().code, Errc::io_error);
}

TEST(SimDisk, SyncAfterAFailedSyncDoesNotSaveWhatWasLost) {
  int lost = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Node node(seed);
    node.run(create(&node, "f", 0));
    node.run(write(&node, "f", 0, std::string(512, 'a'), false));
    node.disk.options().faults.sync_error = 1'000'000;
    node.run(failing_sync(&node, "f"));
    node.disk.options().faults.sync_error = 0;
    node.run(write(&node, "f", 512, std::string(512, 'b'), true));  // This one is.
    node.crash(Unsynced::kept);
    node.restart();
    std::string out;
    node.run(read_all(&node, "f", &out));
    ASSERT_EQ(out.size(), 1024u);
    EXPECT_EQ(out[512], 'b');
    lost += out[0] == 'a' ? 0 : 1;
  }
  EXPECT_GT(lost, 10);
  EXPECT_LT(lost, 30);
}

Task<void> expect_no_space(Node* node) {
  auto big = co_await node->drive->create("big", 2 * kMiB);
  EXPECT_FALSE(big);
  EXPECT_EQ(big ? Errc{} : big.error().code, Errc::no_space);
  auto small = co_await node->drive->create("small", 900 * kKiB);
  EXPECT_TRUE(small);
  std::string bytes(200 * kKiB, 'x');
  std::vector<std::string_view> inside{bytes}, outside{bytes};
  Result<void> fits = co_await (*small)->write(0, std::move(inside));
  EXPECT_TRUE(fits) << "reserved space cannot run out";
  Result<void> extends = co_await (*small)->write(900 * kKiB, std::move(outside));
  EXPECT_FALSE(extends);
  Result<void> removed = co_await node->drive->remove("small");
  EXPECT_TRUE(removed);
  auto again = co_await node->drive->create("again", 1000 * kKiB);
  EXPECT_TRUE(again) << "removing frees space";
}

TEST(SimDisk, CapacityIsABound) {
  DiskOptions options;
  options.capacity_bytes = kMiB;
  Node node(1, options);
  node.run(expect_no_space(&node));
}

TEST(SimDisk, RotIsOneBitAndStable) {
  Node node(4);
  node.run(create(&node, "f", 0));
  node.run(write(&node, "f", 0, std::string(10000, 'a'), true));
  EXPECT_EQ(node.disk.rot_one("nothing"), "");
  EXPECT_EQ(node.disk.rot_one(""), "f");
  std::string first, second;
  node.run(read_all(&node, "f", &first));
  node.run(read_all(&node, "f", &second));
  EXPECT_EQ(first, second);
  int bits = 0;
  for (char c : first) bits += __builtin_popcount(static_cast<uint8_t>(c ^ 'a'));
  EXPECT_EQ(bits, 1);
}

Task<void> expect_dead(Node* node) {
  auto file = node->files["f"];
  Result<std::string> read = co_await file->read(0, 10);
  EXPECT_FALSE(read);
  auto opened = co_await node->drive->open("f");
  EXPECT_FALSE(opened);
  EXPECT_EQ(opened ? Errc{} : opened.error().code, Errc::io_error);
}

Task<void> expect_empty(Node* node) {
  auto opened = co_await node->drive->open("f");
  EXPECT_FALSE(opened);
  EXPECT_EQ(opened ? Errc{} : opened.error().code, Errc::not_found);
}

TEST(SimDisk, DeadThenReplacedDrive) {
  Node node(4);
  node.run(create(&node, "f", 100));
  node.disk.set_dead(true);
  node.run(expect_dead(&node));
  node.disk.replace_empty();
  node.run(expect_dead(&node));  // It was mounted from the old device.
  node.crash(Unsynced::kept);
  node.restart();
  node.run(expect_empty(&node));
}

Task<void> expect_content(Node* node, std::string bytes) {
  auto file = co_await node->drive->open("f");
  EXPECT_TRUE(file);
  if (!file) co_return;
  Result<std::string> read = co_await (*file)->read(0, 10);
  EXPECT_TRUE(read);
  EXPECT_EQ(read.value_or(""), bytes);
}

// What was mounted before stays dead when the drive is back; mounted anew it holds what was synced.
TEST(SimDisk, APulledDriveComesBackAsItWas) {
  Node node(4);
  node.run(create(&node, "f", 0));
  node.run(write(&node, "f", 0, "synced", true));
  node.run(write(&node, "f", 0, "SYNCED", false));
  SimMedium medium = node.disk.take_out(Unsynced::dropped);
  node.run(expect_dead(&node));
  EXPECT_FALSE(node.disk.in_use());
  const uint32_t device = medium.device;
  node.disk.replace_empty();
  EXPECT_NE(node.disk.device(), device);
  EXPECT_TRUE(node.disk.names().empty());
  (void)node.disk.take_out(Unsynced::kept);
  node.disk.put_in(std::move(medium));
  EXPECT_EQ(node.disk.device(), device);
  node.run(expect_dead(&node));
  EXPECT_FALSE(node.disk.is_current(*node.drive));
  node.drive = node.disk.mount_again();
  EXPECT_TRUE(node.disk.in_use());
  node.run(expect_content(&node, "synced"));
}

TEST(SimDisk, SlowDriveTakesLonger) {
  int64_t took[2];
  for (uint32_t slow : {0U, 1U}) {
    Node node(4);
    node.run(create(&node, "f", 0));
    node.disk.set_slow(slow ? 100 : 1);
    const int64_t before = node.world.now_ns();
    node.run(write(&node, "f", 0, "x", true));
    took[slow] = node.world.now_ns() - before;
  }
  EXPECT_GT(took[1], 10 * took[0]);
}

}  // namespace
}  // namespace kura::sim
