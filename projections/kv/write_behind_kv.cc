#include "projections/kv/write_behind_kv.h"

#include <algorithm>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <mutex>

#include "projections/kv/overlaid_iterator.h"

namespace kura {
namespace {

constexpr size_t kRowBytes = 160;  // What holding a row costs, about.

using Value = std::optional<std::string>;  // None: removed.

// The last change of each key.
class Changes {
 public:
  const Value* find(std::string_view key) const {
    auto it = by_key_.find(key);
    return it == by_key_.end() ? nullptr : &it->second;
  }

  void add(const KvBatch::Change& change) {
    auto it = by_key_.find(std::string_view(change.key));
    if (it == by_key_.end()) {
      by_key_.emplace(change.key, change.value);
      bytes_ += kRowBytes + change.key.size() + size(change.value);
      return;
    }
    bytes_ += size(change.value) - size(it->second);
    it->second = change.value;
  }

  // By key: the map below then looks for the place of each near that of the one before.
  KvBatch batch() const {
    std::vector<const Row*> order;
    order.reserve(by_key_.size());
    for (const Row& row : by_key_) order.push_back(&row);
    std::sort(order.begin(), order.end(),
              [](const Row* a, const Row* b) { return a->first < b->first; });
    KvBatch out;
    for (const Row* row : order) {
      if (row->second)
        out.put(row->first, *row->second);
      else
        out.remove(row->first);
    }
    return out;
  }

  size_t rows() const { return by_key_.size(); }
  size_t bytes() const { return bytes_; }

 private:
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  using Map = boost::unordered_flat_map<std::string, Value, Hash, std::equal_to<>>;
  using Row = Map::value_type;
  static size_t size(const Value& value) { return value ? value->size() : 0; }

  Map by_key_;
  size_t bytes_ = 0;
};

// At its end from the start, with the error that kept it from being made.
class FailedIterator final : public KvIterator {
 public:
  explicit FailedIterator(Error error) : error_(std::move(error)) {}
  void seek(std::string_view) override {}
  void next() override {}
  bool valid() const override { return false; }
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  Result<void> status() const override { return fail(error_); }

 private:
  const Error error_;
};

class WriteBehindKv final : public Kv {
 public:
  WriteBehindKv(std::unique_ptr<Kv> below, WriteBehindLimits limits)
      : below_(std::move(below)), limits_(limits) {}

  Result<Value> get(std::string_view key) override {
    {
      std::lock_guard lock(mutex_);
      if (const Value* value = gathered_.find(key)) return *value;
    }
    return below_->get(key);
  }

  // Drains before it gathers: when that fails, nothing of the batch has to be taken back.
  Result<void> write(const KvBatch& batch) override {
    std::lock_guard one_writer(writing_);
    if (gathered_.rows() >= limits_.rows_max || gathered_.bytes() >= limits_.bytes_max)
      if (auto drained = drain_if_room(); !drained) return drained;
    std::lock_guard lock(mutex_);
    for (const KvBatch::Change& change : batch.changes()) gathered_.add(change);
    gathered_bytes_ = gathered_.bytes();
    return {};
  }

  // The map below first where it lacks room: it has none for what is gathered before.
  Result<void> flush() override {
    if (below_->room() != KvRoom::enough)
      if (auto flushed = below_->flush(); !flushed) return flushed;
    {
      std::lock_guard one_writer(writing_);
      if (auto drained = drain(); !drained) return drained;
    }
    return below_->flush();
  }

  std::unique_ptr<KvIterator> iterate() override {
    std::lock_guard one_writer(writing_);
    if (auto drained = drain_if_room(); !drained)
      return std::make_unique<FailedIterator>(drained.error());
    auto stored = below_->iterate();
    if (gathered_.rows() == 0) return stored;
    return make_overlaid_iterator(std::move(stored), gathered_.batch());
  }

  KvRoom room() const override {
    if (below_->room() == KvRoom::enough) return KvRoom::enough;
    return gathered_bytes_ < limits_.kept_bytes_max ? KvRoom::lacking : KvRoom::none;
  }

  void on_damage(std::function<void(Error)> notify) override {
    below_->on_damage(std::move(notify));
  }
  Task<Result<void>> verify() override { return below_->verify(); }  // Of what is stored.

 private:
  // REQUIRES: writing_ is held. Readers go on, and find the rows here until the map below has them.
  Result<void> drain() {
    if (gathered_.rows() == 0) return {};
    if (auto written = below_->write(gathered_.batch()); !written) return written;
    Changes gone;  // Freed behind the lock.
    std::lock_guard lock(mutex_);
    std::swap(gone, gathered_);
    gathered_bytes_ = 0;
    return {};
  }

  // REQUIRES: as drain().
  Result<void> drain_if_room() {
    if (below_->room() != KvRoom::enough) return {};
    auto drained = drain();
    if (!drained && drained.error().code == Errc::no_space) return {};  // It has come to lack it.
    return drained;
  }

  const std::unique_ptr<Kv> below_;
  const WriteBehindLimits limits_;
  std::mutex writing_;  // Before mutex_. Held by whoever changes what is gathered.
  std::mutex mutex_;    // Held while it changes, and by who reads it without writing_.
  Changes gathered_;
  std::atomic<size_t> gathered_bytes_{0};
};

}  // namespace

std::unique_ptr<Kv> make_write_behind_kv(std::unique_ptr<Kv> below, WriteBehindLimits limits) {
  return std::make_unique<WriteBehindKv>(std::move(below), limits);
}

}  // namespace kura
