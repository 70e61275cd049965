#include "projections/kv/cached_kv.h"

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <mutex>

namespace kura {
namespace {

constexpr size_t kShards = 256;  // Few threads meet in one, and few rows of a batch fall into one.
constexpr size_t kEntryBytes = 128;           // Of the map, about.
constexpr size_t kValueBytesMax = 16 * 1024;  // Longer ones would push out many that are asked for.

using Value = std::optional<std::string>;  // None: the entry does not exist.

// Entries by key. What was not asked for while as many others came as half of it holds is
// forgotten.
class Entries {
 public:
  const Value* find(std::string_view key, size_t bytes_max) {
    if (auto it = young_.find(key); it != young_.end())
      return it->second.hidden ? nullptr : &it->second.value;
    auto it = old_.find(key);
    if (it == old_.end() || it->second.hidden) return nullptr;
    Value value = std::move(it->second.value);
    old_.erase(it);
    return put(std::string(key), std::move(value), bytes_max);
  }

  const Value* put(const std::string& key, Value value, size_t bytes_max) {
    if (2 * young_bytes_ >= bytes_max) {
      old_ = std::move(young_);
      young_.clear();
      young_bytes_ = 0;
    }
    auto [it, added] = young_.try_emplace(key);
    if (added) young_bytes_ += kEntryBytes + key.size();
    young_bytes_ += size(value) - size(it->second.value);
    it->second = {std::move(value), false};
    return &it->second.value;
  }

  // Not found until it is put again; its place is kept for that.
  void hide(std::string_view key) {
    if (auto it = young_.find(key); it != young_.end()) it->second.hidden = true;
    if (auto it = old_.find(key); it != old_.end()) old_.erase(it);
  }

  void erase(std::string_view key) {
    for (Map* map : {&young_, &old_})
      if (auto it = map->find(key); it != map->end()) map->erase(it);
  }

 private:
  struct Entry {
    Value value;
    bool hidden = false;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Map = boost::unordered_flat_map<std::string, Entry, Hash, std::equal_to<>>;
  static size_t size(const Value& value) { return value ? value->size() : 0; }

  Map young_, old_;
  size_t young_bytes_ = 0;  // What left young_ since still counts.
};

struct Shard {
  std::mutex mutex;
  Entries entries;
  uint64_t writes = 0;   // Changes of its keys that began.
  uint64_t writing = 0;  // Of these, under way.
};

class CachedKv final : public Kv {
 public:
  CachedKv(std::unique_ptr<Kv> below, size_t bytes_max)
      : below_(std::move(below)), shard_bytes_max_(bytes_max / kShards) {}

  Result<Value> get(std::string_view key) override {
    Shard& shard = shard_of(key);
    uint64_t writes_before;
    {
      std::lock_guard lock(shard.mutex);
      if (const Value* value = shard.entries.find(key, shard_bytes_max_)) return *value;
      writes_before = shard.writing > 0 ? UINT64_MAX : shard.writes;
    }
    Result<Value> value = below_->get(key);
    if (!value || too_long(*value)) return value;
    std::lock_guard lock(shard.mutex);
    // What was read beside a write may be older than what others have seen of it by now.
    if (shard.writes == writes_before)
      shard.entries.put(std::string(key), *value, shard_bytes_max_);
    return value;
  }

  // From before the map has the batch until after it, its keys are read from the map only: else one
  // reader could see a row of the batch there and a later one the row before it in here.
  Result<void> write(const KvBatch& batch) override {
    std::lock_guard one_writer(writing_);
    for (const KvBatch::Change& change : batch.changes()) {
      Shard& shard = shard_of(change.key);
      std::lock_guard lock(shard.mutex);
      ++shard.writes;
      ++shard.writing;
      shard.entries.hide(change.key);
    }
    Result<void> written = below_->write(batch);
    for (const KvBatch::Change& change : batch.changes()) {
      Shard& shard = shard_of(change.key);
      std::lock_guard lock(shard.mutex);
      --shard.writing;
      // Of a key that the batch holds twice, the first value is here by now.
      if (!written || too_long(change.value))
        shard.entries.erase(change.key);
      else
        shard.entries.put(change.key, change.value, shard_bytes_max_);
    }
    return written;
  }

  Result<void> flush() override { return below_->flush(); }
  std::unique_ptr<KvIterator> iterate() override { return below_->iterate(); }
  KvRoom room() const override { return below_->room(); }
  void on_damage(std::function<void(Error)> notify) override {
    below_->on_damage(std::move(notify));
  }
  Task<Result<void>> verify() override { return below_->verify(); }

 private:
  static bool too_long(const Value& value) { return value && value->size() > kValueBytesMax; }
  Shard& shard_of(std::string_view key) {
    return shards_[(std::hash<std::string_view>()(key) >> 24) % kShards];
  }

  const std::unique_ptr<Kv> below_;
  const size_t shard_bytes_max_;
  std::mutex writing_;
  std::array<Shard, kShards> shards_;
};

}  // namespace

std::unique_ptr<Kv> make_cached_kv(std::unique_ptr<Kv> below, size_t bytes_max) {
  if (bytes_max == 0) return below;
  return std::make_unique<CachedKv>(std::move(below), bytes_max);
}

}  // namespace kura
