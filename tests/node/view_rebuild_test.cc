// The view is rebuilt from a snapshot while the process is killed again and again: with the real
// map, whose files after a kill are those of some prefix of its batches.

#include <filesystem>

#include "node/server/view_folders.h"
#include "tests/base/temporary_folder.h"
#include "tests/node/node_world.h"
#include "tests/node/wrapped_views.h"

namespace kura::node {
namespace {

namespace fs = std::filesystem;

// The smallest memtable that RocksDB takes, so that it flushes on its own.
const RocksKvOptions kSmall{.cache_bytes = 1 << 20, .memtable_bytes = 64 << 10};
constexpr int kObjects = 3000;

// Drives' folders, as a killed process leaves them: closing a map would flush it.
class Folders {
 public:
  explicit Folders(size_t drives) {
    for (size_t i = 0; i < drives; ++i) {
      paths_.push_back(folder_.path() + "/d" + std::to_string(i));
      fs::create_directory(paths_.back());
    }
  }
  const std::vector<std::string>& paths() const { return paths_; }
  void keep() {
    for (int attempt = 0; attempt < 100; ++attempt) {  // A file may be removed meanwhile.
      std::error_code error;
      fs::remove_all(kept());
      fs::create_directory(kept());
      for (const std::string& path : paths_)
        if (!error)
          fs::copy(path, kept() / fs::path(path).filename(), fs::copy_options::recursive, error);
      if (!error) return;
    }
    ADD_FAILURE() << "the folders were never at rest";
  }
  void back_to_kept() {
    for (const std::string& path : paths_) {
      fs::remove_all(path);
      fs::rename(kept() / fs::path(path).filename(), path);
    }
  }
  void forget_views() {
    for (const std::string& path : paths_)
      for (auto& entry : fs::directory_iterator(path)) fs::remove_all(entry.path());
  }

 private:
  fs::path kept() const { return folder_.path() + "/kept"; }
  testing::TemporaryFolder folder_;
  std::vector<std::string> paths_;
};

// Counts the batches that go into maps opened by `below`.
class CountedViews final : public WrappedViews {
 public:
  using WrappedViews::WrappedViews;
  size_t batches = 0;
  std::function<void()> on_batch;

 private:
  struct Counted final : ForwardingKv {
    Counted(CountedViews& o, std::unique_ptr<Kv> below)
        : ForwardingKv(std::move(below)), owner(o) {}
    Result<void> write(const KvBatch& batch) override {
      Result<void> written = ForwardingKv::write(batch);
      ++owner.batches;
      if (owner.on_batch) owner.on_batch();
      return written;
    }
    CountedViews& owner;
  };
  std::unique_ptr<Kv> wrap(std::unique_ptr<Kv> kv) override {
    return std::make_unique<Counted>(*this, std::move(kv));
  }
};

TEST(ViewRebuild, AKillOnTheWayCostsTimeOnly) {
  Folders folders(4);
  NodeWorld world(4);
  world.options.snapshot_chunk_bytes = 16 * kKiB;
  BucketId bucket;
  std::string digest;
  {
    ViewFolders views(folders.paths(), kSmall, kMiB);
    ASSERT_TRUE(world.start(views));
    bucket = world.create_bucket("kept");
    for (int i = 0; i < kObjects; ++i)
      ASSERT_TRUE(world.put(bucket, std::to_string(i) + std::string(600, 'k'), "body"));
    for (int pass = 0; pass < 3; ++pass) ASSERT_TRUE(world.housekeep());
    ASSERT_GT(world.node->journal().bounds().start.value, kMiB) << "the log is whole";
    ASSERT_EQ(world.objects(bucket), uint64_t{kObjects});
    digest = world.digest();
    world.crash();
    folders.forget_views();
  }
  // Each rebuild is killed after some of its batches, later and later.
  ViewFolders views(folders.paths(), kSmall, kMiB);
  for (size_t after = 1; after <= 28; after += 3) {
    CountedViews counted(views);
    bool dead = false;
    counted.on_batch = [&] {
      if (counted.batches != after) return;
      folders.keep();
      dead = true;
    };
    ASSERT_TRUE(world.start_and_kill(counted, [&] { return dead; }))
        << "a rebuild takes " << counted.batches << " batches";
    folders.back_to_kept();
  }
  ASSERT_TRUE(world.start(views));
  EXPECT_TRUE(world.node->view_recovery().from_snapshot);
  EXPECT_EQ(world.objects(bucket), uint64_t{kObjects});
  EXPECT_EQ(world.digest(), digest);
  world.crash();
}

TEST(ViewRebuild, OtherDrivesKeepNothingOfIt) {
  Folders folders(3);
  NodeWorld world(3);
  ViewFolders views(folders.paths(), kSmall, kMiB);
  ASSERT_TRUE(world.start(views));
  ASSERT_TRUE(world.put(world.create_bucket("kept"), "key", "body"));
  const std::string digest = world.digest();
  world.crash();
  const fs::path first = folders.paths()[0], second = folders.paths()[1];
  fs::copy(first, second, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  fs::copy(first / "view", second / "view.new");
  ASSERT_TRUE(fs::exists(second / "view.reserve"));
  fs::create_directory(folders.paths()[2] + "/view");  // Half removed.
  ASSERT_TRUE(world.start(views));
  EXPECT_EQ(world.node->view_recovery().drive, "drive 1");
  EXPECT_EQ(world.digest(), digest);
  EXPECT_TRUE(fs::is_empty(second));
  EXPECT_TRUE(fs::is_empty(folders.paths()[2]));
  world.crash();
}

}  // namespace
}  // namespace kura::node
