#include "projections/kv/rocksdb_kv.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "base/loop.h"

namespace kura {
namespace {

tl::unexpected<Error> to_error(const rocksdb::Status& status) {
  Errc code = status.IsCorruption() ? Errc::corrupt
              : status.IsNoSpace()  ? Errc::no_space
                                    : Errc::io_error;
  return fail(code, "rocksdb: " + status.ToString());
}

rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

// On the calling thread: else each comparison of keys counts itself, a fifth of an insertion.
void count_nothing() { rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable); }

std::string current_file(const std::string& path) { return path + "/CURRENT"; }

// Passes the first sign of damage on. Before that it takes the map out of use: RocksDB finds damage
// in what it reads only, so a map that was opened again would be found damaged again and again.
class Damage {
 public:
  explicit Damage(std::string path) : path_(std::move(path)) {}

  void on_damage(std::function<void(Error)> notify) {
    std::unique_lock lock(mutex_);
    notify_ = std::move(notify);
    if (!found_) return;
    const auto call = notify_;
    const Error error = *found_;
    lock.unlock();
    call(error);
  }

  tl::unexpected<Error> report(const rocksdb::Status& status) {
    tl::unexpected<Error> error = to_error(status);
    if (!status.IsCorruption()) return error;
    std::unique_lock lock(mutex_);
    if (found_) return error;
    found_ = error.value();
    ::unlink(current_file(path_).c_str());
    const auto call = notify_;
    lock.unlock();
    if (call) call(error.value());
    return error;
  }

 private:
  const std::string path_;
  std::mutex mutex_;
  std::optional<Error> found_;
  std::function<void(Error)> notify_;
};

// What RocksDB's own threads meet. Remembers the first error of a flush or compaction; that the
// drive is full is none. RocksDB is not told of that: its recovery from it waits for itself (7.8:
// for a flush that is queued and not scheduled any more, or for the lock that it has), and so would
// whoever waits for it.
class Background : public rocksdb::EventListener {
 public:
  explicit Background(std::shared_ptr<Damage> damage) : damage_(std::move(damage)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override {
    using Reason = rocksdb::BackgroundErrorReason;
    if (status->IsNoSpace()) {
      (reason == Reason::kCompaction ? compaction_lacks_room_ : flush_lacks_room_) = true;
      if (reason == Reason::kManifestWrite || reason == Reason::kManifestWriteNoWAL)
        keeps_files_ = true;
      *status = rocksdb::Status::OK();
      return changed_.notify_all();
    }
    {
      std::lock_guard lock(mutex_);
      if (first_.ok()) first_ = *status;
    }
    failed_.store(true, std::memory_order_release);
    changed_.notify_all();
    (void)damage_->report(*status);
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    flush_lacks_room_ = false;
    changed_.notify_all();
  }
  // RocksDB tries one that failed again by itself.
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& done) override {
    if (done.status.ok()) compaction_lacks_room_ = false;
    changed_.notify_all();
  }

  // For something of the above, or for a moment: what it was may have come before.
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kWait);
  }
  void nothing_to_flush() { flush_lacks_room_ = false; }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  bool flush_lacks_room() const { return flush_lacks_room_; }
  bool lacks_room() const { return flush_lacks_room_ || compaction_lacks_room_; }
  // Whether RocksDB stopped to remove files, which it does where its list of them is in doubt.
  bool take_keeps_files() { return keeps_files_.exchange(false); }
  rocksdb::Status first() {
    std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  static constexpr std::chrono::milliseconds kWait{5};

  const std::shared_ptr<Damage> damage_;
  std::mutex mutex_;
  std::condition_variable changed_;
  rocksdb::Status first_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> flush_lacks_room_{false}, compaction_lacks_room_{false}, keeps_files_{false};
};

// What RocksDB says of a map that is open: what keeps it from opening is an error, and that nothing
// is there yet none. Without the list of its options.
class Warnings final : public rocksdb::Logger {
 public:
  explicit Warnings(std::function<void(const std::string&)> log)
      : rocksdb::Logger(rocksdb::WARN_LEVEL), log_(std::move(log)) {}
  using rocksdb::Logger::Logv;
  void LogHeader(const char*, va_list) override {}
  void Logv(const char* format, va_list values) override {
    if (!log_ || !open_) return;
    char text[1024];  // RocksDB's own lines are shorter, apart from lists of files.
    if (std::vsnprintf(text, sizeof text, format, values) < 0) return;
    std::string line = std::string("rocksdb: ") + text;
    while (line.back() == '\n') line.pop_back();
    // Of each attempt; Kv::room() says it.
    if (line.find("No space left on device") != std::string::npos) return;
    log_(line);
  }
  void opened() { open_ = true; }

 private:
  const std::function<void(const std::string&)> log_;
  std::atomic<bool> open_{false};
};

class RocksIterator final : public KvIterator {
 public:
  RocksIterator(rocksdb::Iterator* it, std::shared_ptr<Damage> damage)
      : it_(it), damage_(std::move(damage)) {}
  void seek(std::string_view key) override { it_->Seek(slice(key)); }
  void next() override { it_->Next(); }
  bool valid() const override { return it_->Valid(); }
  std::string_view key() const override { return view(it_->key()); }
  std::string_view value() const override { return view(it_->value()); }
  Result<void> status() const override {
    rocksdb::Status status = it_->status();
    if (!status.ok()) return damage_->report(status);
    return {};
  }

 private:
  std::unique_ptr<rocksdb::Iterator> it_;
  std::shared_ptr<Damage> damage_;
};

// The bytes of one table against the checksum that the manifest has of the whole file: block
// checksums alone would not notice two blocks that changed places.
rocksdb::Status verify_table(rocksdb::DB& db, const rocksdb::LiveFileMetaData& table) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  const std::string name = table.db_path + "/" + table.relative_filename;
  rocksdb::Status status = db.GetEnv()->NewSequentialFile(name, &file, rocksdb::EnvOptions());
  if (!status.ok()) return status;
  rocksdb::FileChecksumGenContext context{.file_name = name};
  auto generator = rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator(context);
  std::string buffer(1 << 20, '\0');
  for (;;) {
    rocksdb::Slice piece;
    status = file->Read(buffer.size(), &piece, buffer.data());
    if (!status.ok()) return status;
    if (piece.empty()) break;
    generator->Update(piece.data(), piece.size());
  }
  generator->Finalize();
  if (generator->GetChecksum() == table.file_checksum) return status;
  return rocksdb::Status::Corruption("file checksum of " + table.relative_filename);
}

rocksdb::Status verify_tables(rocksdb::DB& db) {
  std::vector<rocksdb::LiveFileMetaData> tables;
  db.GetLiveFilesMetaData(&tables);
  // Written by a build that kept no checksums of files.
  if (std::erase_if(tables, [](const rocksdb::LiveFileMetaData& table) {
        return table.file_checksum_func_name == rocksdb::kUnknownFileChecksumFuncName;
      }) > 0) {
    rocksdb::Status status = db.VerifyChecksum();
    if (!status.ok()) return status;
  }
  for (const rocksdb::LiveFileMetaData& table : tables) {
    rocksdb::Status status = verify_table(db, table);
    if (status.ok()) continue;
    // A compaction may have removed it meanwhile.
    std::vector<rocksdb::LiveFileMetaData> now;
    db.GetLiveFilesMetaData(&now);
    for (const rocksdb::LiveFileMetaData& live : now)
      if (live.relative_filename == table.relative_filename) return status;
  }
  return rocksdb::Status::OK();
}

// What a thread of RocksDB needs to verify, and to answer.
struct Verification {
  rocksdb::DB& db;
  Damage& damage;
  Resolver<Result<void>> resolve;

  static void run(void* given) {
    std::unique_ptr<Verification> work(static_cast<Verification*>(given));
    rocksdb::Status status = verify_tables(work->db);
    Result<void> result;
    if (!status.ok()) result = work->damage.report(status);
    work->resolve(std::move(result));
  }
};

tl::unexpected<Error> full() { return fail(Errc::no_space, "rocksdb: its drive is full"); }

class RocksKv final : public Kv {
 public:
  RocksKv(std::unique_ptr<rocksdb::DB> db, std::shared_ptr<Background> background,
          std::shared_ptr<Damage> damage)
      : db_(std::move(db)), background_(std::move(background)), damage_(std::move(damage)) {}
  ~RocksKv() override {
    if (room() == KvRoom::enough) (void)flush();
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    count_nothing();
    std::string value;
    rocksdb::Status status = db_->Get({}, slice(key), &value);
    if (status.ok()) return value;
    if (status.IsNotFound()) return std::nullopt;
    return damage_->report(status);
  }

  // Waits here where RocksDB is behind, and not in it: it would wait for a full drive as well.
  Result<void> write(const KvBatch& batch) override {
    count_nothing();
    rocksdb::WriteBatch changes;
    for (const KvBatch::Change& change : batch.changes()) {
      rocksdb::Status status =
          change.value ? changes.Put(change.key, *change.value) : changes.Delete(change.key);
      if (!status.ok()) return damage_->report(status);
    }
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    options.no_slowdown = true;
    for (;;) {
      if (background_->failed()) return damage_->report(background_->first());
      if (background_->flush_lacks_room()) return full();
      rocksdb::Status status = db_->Write(options, &changes);
      if (status.ok()) return {};
      if (!status.IsIncomplete()) return damage_->report(status);
      if (background_->lacks_room()) return full();
      background_->wait();
    }
  }

  // On a drive that was full it is one attempt, whose end shows in room().
  Result<void> flush() override {
    if (background_->failed()) return damage_->report(background_->first());
    const bool was_full = background_->flush_lacks_room();
    rocksdb::FlushOptions options;
    options.wait = false;
    options.allow_write_stall = true;
    rocksdb::Status status = db_->Flush(options);
    if (!status.ok()) return damage_->report(status);
    if (!has_unflushed()) background_->nothing_to_flush();
    if (was_full && background_->flush_lacks_room()) return full();
    while (has_unflushed()) {
      if (background_->failed()) return damage_->report(background_->first());
      if (background_->flush_lacks_room()) return full();
      background_->wait();
    }
    if (background_->take_keeps_files()) status = db_->EnableFileDeletions(/*force=*/true);
    if (!status.ok()) return damage_->report(status);
    return {};
  }

  std::unique_ptr<KvIterator> iterate() override {
    return std::make_unique<RocksIterator>(db_->NewIterator({}), damage_);
  }

  KvRoom room() const override {
    return background_->lacks_room() ? KvRoom::lacking : KvRoom::enough;
  }

  void on_damage(std::function<void(Error)> notify) override {
    damage_->on_damage(std::move(notify));
  }

  Task<Result<void>> verify() override {
    co_return co_await suspend<Result<void>>([this](Resolver<Result<void>> resolve) {
      auto work = std::make_unique<Verification>(Verification{*db_, *damage_, resolve});
      // A thread of its own: compactions go on.
      db_->GetEnv()->StartThread(Verification::run, work.release());
    });
  }

 private:
  bool has_unflushed() const {
    uint64_t memtables = 0;
    return db_->GetIntProperty(rocksdb::DB::Properties::kNumImmutableMemTable, &memtables) &&
           memtables > 0;
  }

  std::unique_ptr<rocksdb::DB> db_;
  std::shared_ptr<Background> background_;
  std::shared_ptr<Damage> damage_;
};

std::shared_ptr<rocksdb::TableFactory> make_table_factory(const RocksKvOptions& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.block_size = 16 * 1024;
  table.format_version = 5;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  // Memory then has one bound, the cache; the tables that every lookup visits stay in it.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::Options make_options(const RocksKvOptions& options) {
  rocksdb::Options o;
  o.create_if_missing = true;
  o.paranoid_checks = true;
  o.verify_sst_unique_id_in_manifest = true;
  o.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  o.compression = rocksdb::kLZ4Compression;
  o.table_factory = make_table_factory(options);
  o.write_buffer_size = options.memtable_bytes;
  o.max_write_buffer_number = 4;
  o.memtable_whole_key_filtering = true;
  o.memtable_prefix_bloom_size_ratio = 0.02;
  // Rows whose keys begin alike are written in order (projections/metadata/rows.h: a kind, then a
  // partition or the high bytes of a bucket). Each search begins where the last one of its kind
  // ended.
  o.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(3));
  o.max_background_jobs = options.background_jobs;
  o.level_compaction_dynamic_level_bytes = true;
  // Small memtables make many small tables at level 0; the default triggers (20, 36) would slow
  // writes down, and so a loop, long before reads suffer (reads have filters).
  o.level0_slowdown_writes_trigger = 40;
  o.level0_stop_writes_trigger = 60;
  o.max_open_files = 1024;
  o.bytes_per_sync = 1 << 20;
  o.allow_concurrent_memtable_write = false;  // One writer at a time: the fold.
  o.enable_write_thread_adaptive_yield = false;
  o.max_bgerror_resume_count = 0;
  o.avoid_flush_during_shutdown = true;  // ~RocksKv does it.
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  return o;
}

enum class Mode : uint8_t { writes, reads };

Result<std::unique_ptr<Kv>> open_with(rocksdb::Options o, const std::string& path,
                                      const RocksKvOptions& options, Mode mode) {
  auto damage = std::make_shared<Damage>(path);
  auto background = std::make_shared<Background>(damage);
  auto warnings = std::make_shared<Warnings>(options.log);
  o.listeners.push_back(background);
  o.info_log = warnings;
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = mode == Mode::reads ? rocksdb::DB::OpenForReadOnly(o, path, &db)
                                               : rocksdb::DB::Open(o, path, &db);
  if (!status.ok()) return to_error(status);
  warnings->opened();
  return std::make_unique<RocksKv>(std::unique_ptr<rocksdb::DB>(db), std::move(background),
                                   std::move(damage));
}

}  // namespace

Result<std::unique_ptr<Kv>> open_rocks_kv(const std::string& path, const RocksKvOptions& options) {
  // One that was found damaged, or was never finished.
  if (::access(current_file(path).c_str(), F_OK) != 0)
    if (auto gone = destroy_rocks_kv(path); !gone) return fail(gone.error());
  return open_with(make_options(options), path, options, Mode::writes);
}

Result<std::unique_ptr<Kv>> open_rocks_kv_again(const std::string& path,
                                                const RocksKvOptions& options) {
  rocksdb::Options o = make_options(options);
  o.create_if_missing = false;
  return open_with(std::move(o), path, options, Mode::writes);
}

Result<std::unique_ptr<Kv>> open_rocks_kv_to_read(const std::string& path,
                                                  const RocksKvOptions& options) {
  rocksdb::Options o = make_options(options);
  o.create_if_missing = false;
  o.max_open_files = -1;  // All are open then, also when somebody removes them.
  return open_with(std::move(o), path, options, Mode::reads);
}

Result<void> destroy_rocks_kv(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(Errc::io_error, "remove " + path + ": " + error.message());
  return {};
}

}  // namespace kura
