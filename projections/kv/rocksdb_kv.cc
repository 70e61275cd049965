#include "projections/kv/rocksdb_kv.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <mutex>

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

// Remembers the first error of a flush or compaction. RocksDB itself would let writes wait while it
// tries to recover, and a waiting write stops a loop.
class BackgroundErrors : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    std::lock_guard lock(mutex_);
    if (first_.ok()) first_ = *status;
    failed_.store(true, std::memory_order_release);
  }
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  rocksdb::Status first() {
    std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  std::mutex mutex_;
  rocksdb::Status first_;
  std::atomic<bool> failed_{false};
};

class RocksIterator final : public KvIterator {
 public:
  explicit RocksIterator(rocksdb::Iterator* it) : it_(it) {}
  void seek(std::string_view key) override { it_->Seek(slice(key)); }
  void seek_for_prev(std::string_view key) override { it_->SeekForPrev(slice(key)); }
  void next() override { it_->Next(); }
  bool valid() const override { return it_->Valid(); }
  std::string_view key() const override { return view(it_->key()); }
  std::string_view value() const override { return view(it_->value()); }
  Result<void> status() const override {
    rocksdb::Status status = it_->status();
    if (!status.ok()) return to_error(status);
    return {};
  }

 private:
  std::unique_ptr<rocksdb::Iterator> it_;
};

class RocksKv final : public Kv {
 public:
  RocksKv(std::unique_ptr<rocksdb::DB> db, std::shared_ptr<BackgroundErrors> errors)
      : db_(std::move(db)), errors_(std::move(errors)) {
    write_options_.disableWAL = true;
  }

  Result<std::optional<std::string>> get(std::string_view key) override {
    std::string value;
    rocksdb::Status status = db_->Get({}, slice(key), &value);
    if (status.ok()) return value;
    if (status.IsNotFound()) return std::nullopt;
    return to_error(status);
  }

  Result<void> write(const KvBatch& batch) override {
    if (errors_->failed()) return to_error(errors_->first());
    rocksdb::WriteBatch changes;
    for (const KvBatch::Change& change : batch.changes()) {
      rocksdb::Status status =
          change.value ? changes.Put(change.key, *change.value) : changes.Delete(change.key);
      if (!status.ok()) return to_error(status);
    }
    rocksdb::Status status = db_->Write(write_options_, &changes);
    if (!status.ok()) return to_error(status);
    return {};
  }

  Result<void> flush() override {
    if (errors_->failed()) return to_error(errors_->first());
    rocksdb::FlushOptions options;
    options.wait = true;
    options.allow_write_stall = true;
    rocksdb::Status status = db_->Flush(options);
    if (!status.ok()) return to_error(status);
    return {};
  }

  std::unique_ptr<KvIterator> iterate() override {
    return std::make_unique<RocksIterator>(db_->NewIterator({}));
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::shared_ptr<BackgroundErrors> errors_;
  rocksdb::WriteOptions write_options_;
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
  o.compression = rocksdb::kLZ4Compression;
  o.table_factory = make_table_factory(options);
  o.write_buffer_size = options.memtable_bytes;
  o.max_write_buffer_number = 4;
  o.memtable_whole_key_filtering = true;
  o.memtable_prefix_bloom_size_ratio = 0.02;
  o.max_background_jobs = options.background_jobs;
  o.level_compaction_dynamic_level_bytes = true;
  // Small memtables make many small tables at level 0; the default triggers (20, 36) would slow
  // writes down, and so a loop, long before reads suffer (reads have filters).
  o.level0_slowdown_writes_trigger = 40;
  o.level0_stop_writes_trigger = 60;
  o.max_open_files = 1024;
  o.bytes_per_sync = 1 << 20;
  o.allow_concurrent_memtable_write = false;  // One writer at a time: a partition's fold.
  o.enable_write_thread_adaptive_yield = false;
  o.max_bgerror_resume_count = 0;
  o.info_log_level = rocksdb::WARN_LEVEL;
  o.keep_log_file_num = 2;
  o.max_log_file_size = 4 << 20;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  return o;
}

}  // namespace

Result<std::unique_ptr<Kv>> open_rocks_kv(const std::string& path, const RocksKvOptions& options) {
  auto errors = std::make_shared<BackgroundErrors>();
  rocksdb::Options o = make_options(options);
  o.listeners.push_back(errors);
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(o, path, &db);
  if (!status.ok()) return to_error(status);
  return std::make_unique<RocksKv>(std::unique_ptr<rocksdb::DB>(db), std::move(errors));
}

Result<void> destroy_rocks_kv(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return fail(Errc::io_error, "remove " + path + ": " + error.message());
  return {};
}

}  // namespace kura
