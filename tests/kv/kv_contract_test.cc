#include "tests/base/kv_contract.h"

#include "projections/kv/cached_kv.h"
#include "projections/kv/memory_kv.h"
#include "projections/kv/rocksdb_kv.h"
#include "projections/kv/write_behind_kv.h"
#include "tests/base/temporary_folder.h"

namespace kura::testing {
namespace {

namespace fs = std::filesystem;

struct MemorySubject : KvSubject {
  // An odd crash keeps everything, an even one the flushed part or half of the rest.
  Kv& kv() override { return memory; }
  void crash() override { memory.crash(memory.unflushed_batches() * (crashes++ % 3) / 2); }
  MemoryKv memory;
  size_t crashes = 0;
};

INSTANTIATE_TEST_SUITE_P(Memory, KvContract, ::testing::Values([] {
                           return std::unique_ptr<KvSubject>(new MemorySubject);
                         }));

// A map that lives longer than what is made around it.
class Around final : public Kv {
 public:
  explicit Around(Kv& kv) : kv_(kv) {}
  Result<std::optional<std::string>> get(std::string_view key) override { return kv_.get(key); }
  Result<void> write(const KvBatch& batch) override { return kv_.write(batch); }
  Result<void> flush() override { return kv_.flush(); }
  std::unique_ptr<KvIterator> iterate() override { return kv_.iterate(); }

 private:
  Kv& kv_;
};

struct CachedSubject : KvSubject {
  explicit CachedSubject(size_t bytes) : bytes_max(bytes) { open(); }
  Kv& kv() override { return *cached; }
  void crash() override {
    cached.reset();
    memory.crash();
    open();
  }
  void open() { cached = make_cached_kv(std::make_unique<Around>(memory.memory), bytes_max); }
  const size_t bytes_max;
  MemorySubject memory;
  std::unique_ptr<Kv> cached;
};

INSTANTIATE_TEST_SUITE_P(
    Cached, KvContract,
    ::testing::Values([] { return std::unique_ptr<KvSubject>(new CachedSubject(1 << 20)); },
                      // Keeps a row or two at a time.
                      [] { return std::unique_ptr<KvSubject>(new CachedSubject(64 << 10)); }));

// Gathers over `Below`, whose open map it keeps alive; what it gathered dies with it in a crash.
template <class Below>
struct WriteBehindSubject : KvSubject {
  explicit WriteBehindSubject(size_t rows) : rows_max(rows) { open(); }
  Kv& kv() override { return *gathering; }
  void crash() override {
    gathering.reset();
    below.crash();
    open();
  }
  void open() {
    gathering = make_write_behind_kv(std::make_unique<Around>(below.kv()), {.rows_max = rows_max});
  }
  const size_t rows_max;
  Below below;
  std::unique_ptr<Kv> gathering;
};

struct RocksSubject : KvSubject {
  RocksSubject() { open(); }
  Kv& kv() override { return *map; }
  // The files as a dead process leaves them: copied while the map is open, since closing flushes.
  void crash() override {
    fs::path found = folder.path() + "/" + std::to_string(++generation);
    for (int attempt = 0; attempt < 100; ++attempt) {  // A compaction may remove a file meanwhile.
      std::error_code error;
      fs::remove_all(found);
      fs::copy(path, found, fs::copy_options::recursive, error);
      if (!error) break;
    }
    map.reset();
    fs::remove_all(path);
    path = found;
    open();
  }
  void open() {
    // The smallest memtable that RocksDB takes, so that it flushes on its own as well.
    auto opened = open_rocks_kv(path, {.cache_bytes = 1 << 20, .memtable_bytes = 64 << 10});
    ASSERT_TRUE(opened) << opened.error().detail;
    map = std::move(*opened);
  }
  TemporaryFolder folder;
  int generation = 0;
  std::string path = folder.path() + "/0";
  std::unique_ptr<Kv> map;
};

INSTANTIATE_TEST_SUITE_P(Rocks, KvContract, ::testing::Values([] {
                           return std::unique_ptr<KvSubject>(new RocksSubject);
                         }));

// On a drive that has room for a flush, and for nothing else: all is kept in memory until then.
struct FullSubject : KvSubject {
  class Full final : public Kv {
   public:
    explicit Full(Kv& kv) : kv_(kv) {}
    Result<std::optional<std::string>> get(std::string_view key) override { return kv_.get(key); }
    Result<void> write(const KvBatch& batch) override {
      if (full_) return fail(Errc::no_space, "full");
      return kv_.write(batch);
    }
    Result<void> flush() override {  // The first one finds room, the second one has used it.
      full_ = !full_;
      return {};
    }
    std::unique_ptr<KvIterator> iterate() override { return kv_.iterate(); }
    KvRoom room() const override { return full_ ? KvRoom::lacking : KvRoom::enough; }

   private:
    Kv& kv_;
    bool full_ = true;
  };
  FullSubject() { open(); }
  Kv& kv() override { return *kept; }
  void crash() override {
    kept.reset();
    open();
  }
  void open() { kept = make_write_behind_kv(std::make_unique<Full>(memory), {.rows_max = 1}); }
  MemoryKv memory;
  std::unique_ptr<Kv> kept;
};

template <class Below>
std::function<std::unique_ptr<KvSubject>()> write_behind(size_t rows_max) {
  return [rows_max] { return std::make_unique<WriteBehindSubject<Below>>(rows_max); };
}

// Every batch of its own, a few together, and all that there are between two flushes.
INSTANTIATE_TEST_SUITE_P(WriteBehind, KvContract,
                         ::testing::Values(write_behind<MemorySubject>(1),
                                           write_behind<MemorySubject>(30),
                                           write_behind<RocksSubject>(30),
                                           write_behind<RocksSubject>(100'000)));

INSTANTIATE_TEST_SUITE_P(WriteBehindOnAFullDrive, KvContract, ::testing::Values([] {
                           return std::unique_ptr<KvSubject>(new FullSubject);
                         }));

}  // namespace
}  // namespace kura::testing
