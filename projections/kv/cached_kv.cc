#include "projections/kv/cached_kv.h"

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstring>
#include <mutex>
#include <new>

namespace kura {
namespace {

constexpr size_t kShards = 256;  // Few threads meet in one, and few rows of a batch fall into one.
constexpr size_t kEntryBytes = 32;  // Beside key and value: Entry, its place in the set, rounding.
constexpr size_t kValueBytesMax = 16 * 1024;  // Longer ones would push out many that are asked for.

using Value = std::optional<std::string>;  // None: the entry does not exist.

// A key and its value in one piece of memory: a store has as many of them as fit, and each piece of
// memory that a look-up touches is a miss of the processor's caches.
class Entry {
 public:
  struct Free {
    void operator()(Entry* entry) const { ::operator delete(entry); }
  };
  using Ptr = std::unique_ptr<Entry, Free>;

  static Ptr make(std::string_view key, const Value& value) {
    const size_t value_bytes = value ? value->size() : 0;
    void* memory = ::operator new(sizeof(Entry) + key.size() + value_bytes);
    Ptr made(new (memory) Entry{static_cast<uint32_t>(key.size()),
                                value ? static_cast<uint32_t>(value_bytes) : kAbsent});
    std::memcpy(made->bytes(), key.data(), key.size());
    if (value) std::memcpy(made->bytes() + key.size(), value->data(), value_bytes);
    return made;
  }
  std::string_view key() const { return {bytes(), key_bytes_}; }
  Value value() const {
    if (value_bytes_ == kAbsent) return std::nullopt;
    return std::string(bytes() + key_bytes_, value_bytes_);
  }
  size_t memory_bytes() const {
    return kEntryBytes + key_bytes_ + (value_bytes_ == kAbsent ? 0 : value_bytes_);
  }

 private:
  static constexpr uint32_t kAbsent = UINT32_MAX;
  Entry(uint32_t key_bytes, uint32_t value_bytes)
      : key_bytes_(key_bytes), value_bytes_(value_bytes) {}
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }

  const uint32_t key_bytes_, value_bytes_;
};

// Two generations: what is put or found goes to the young one; once that holds half of `bytes_max`
// it becomes the old one, and what the old one held is forgotten. A key may be in both, then the
// young one has its value.
class Entries {
 public:
  // Makes the entry young.
  std::optional<Value> take(std::string_view key, size_t bytes_max) {
    if (auto it = young_.find(key); it != young_.end()) return (*it)->value();
    auto it = old_.find(key);
    if (it == old_.end()) return std::nullopt;
    std::optional<Value> value((*it)->value());
    old_.erase(it);
    put(key, *value, bytes_max);
    return value;
  }

  void put(std::string_view key, const Value& value, size_t bytes_max) {
    if (2 * young_bytes_ >= bytes_max) {
      old_ = std::move(young_);
      young_.clear();
      young_bytes_ = 0;
    }
    Entry::Ptr entry = Entry::make(key, value);
    young_bytes_ += entry->memory_bytes();
    auto [same_key, added] = young_.insert(std::move(entry));
    if (added) return;
    erase_young(same_key);
    young_.insert(std::move(entry));  // It was not moved from.
  }

  void erase(std::string_view key) {
    if (auto it = young_.find(key); it != young_.end()) erase_young(it);
    if (auto it = old_.find(key); it != old_.end()) old_.erase(it);
  }

 private:
  static std::string_view key_of(std::string_view key) { return key; }
  static std::string_view key_of(const Entry::Ptr& entry) { return entry->key(); }
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    size_t operator()(const auto& key) const { return std::hash<std::string_view>()(key_of(key)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const { return key_of(a) == key_of(b); }
  };
  using Set = boost::unordered_flat_set<Entry::Ptr, Hash, Equal>;
  void erase_young(Set::iterator it) {
    young_bytes_ -= (*it)->memory_bytes();
    young_.erase(it);
  }

  Set young_, old_;
  size_t young_bytes_ = 0;
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
    std::optional<uint64_t> writes_before;  // None: a write is under way.
    {
      std::lock_guard lock(shard.mutex);
      if (std::optional<Value> value = shard.entries.take(key, shard_bytes_max_))
        return std::move(*value);
      if (shard.writing == 0) writes_before = shard.writes;
    }
    Result<Value> value = below_->get(key);
    if (!value || too_long(*value)) return value;
    std::lock_guard lock(shard.mutex);
    // What was read beside a write may be older than what others have seen of it by now.
    if (writes_before == shard.writes) shard.entries.put(key, *value, shard_bytes_max_);
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
      shard.entries.erase(change.key);
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
    // Bits that the sets do not use: they take the highest and the lowest ones.
    return shards_[(std::hash<std::string_view>()(key) >> 24) % kShards];
  }

  const std::unique_ptr<Kv> below_;
  const size_t shard_bytes_max_;
  std::mutex writing_;  // Else two writes of one key could end in another order in here.
  std::array<Shard, kShards> shards_;
};

}  // namespace

std::unique_ptr<Kv> make_cached_kv(std::unique_ptr<Kv> below, size_t bytes_max) {
  if (bytes_max == 0) return below;
  return std::make_unique<CachedKv>(std::move(below), bytes_max);
}

}  // namespace kura
