#include "projections/kv/full_drive_kv.h"

#include <atomic>
#include <mutex>

namespace kura {
namespace {

// Keeps the map that it reads.
class KeepingIterator final : public KvIterator {
 public:
  explicit KeepingIterator(std::shared_ptr<Kv> map) : map_(std::move(map)), it_(map_->iterate()) {}
  void seek(std::string_view key) override { it_->seek(key); }
  void next() override { it_->next(); }
  bool valid() const override { return it_->valid(); }
  std::string_view key() const override { return it_->key(); }
  std::string_view value() const override { return it_->value(); }
  Result<void> status() const override { return it_->status(); }

 private:
  const std::shared_ptr<Kv> map_;
  const std::unique_ptr<KvIterator> it_;
};

class FullDriveKv final : public Kv {
 public:
  FullDriveKv(std::unique_ptr<Kv> as_it_is, std::function<Result<std::unique_ptr<Kv>>()> open)
      : open_(std::move(open)), map_(std::move(as_it_is)) {}

  Result<std::optional<std::string>> get(std::string_view key) override { return map()->get(key); }

  Result<void> write(const KvBatch& batch) override {
    if (!opened_) return fail(Errc::no_space, "the map's drive is full");
    return map()->write(batch);
  }

  Result<void> flush() override {
    std::lock_guard one_opener(opening_);
    if (!opened_) {
      auto opened = open_();
      if (!opened) return fail(opened.error());
      take(std::move(*opened));
    }
    return map()->flush();
  }

  std::unique_ptr<KvIterator> iterate() override {
    return std::make_unique<KeepingIterator>(map());
  }

  KvRoom room() const override { return opened_ ? map()->room() : KvRoom::lacking; }

  void on_damage(std::function<void(Error)> notify) override {
    std::shared_ptr<Kv> now;
    {
      std::lock_guard lock(mutex_);
      notify_ = notify;
      now = map_;
    }
    now->on_damage(std::move(notify));
  }

  Task<Result<void>> verify() override {
    const std::shared_ptr<Kv> now = map();
    co_return co_await now->verify();
  }

 private:
  std::shared_ptr<Kv> map() const {
    std::lock_guard lock(mutex_);
    return map_;
  }

  void take(std::shared_ptr<Kv> opened) {
    std::function<void(Error)> notify;
    {
      std::lock_guard lock(mutex_);
      notify = notify_;
      map_.swap(opened);
    }
    opened_ = true;
    if (notify) map()->on_damage(std::move(notify));
  }

  const std::function<Result<std::unique_ptr<Kv>>()> open_;
  std::mutex opening_;
  std::atomic<bool> opened_{false};
  mutable std::mutex mutex_;  // Guards what is below.
  std::shared_ptr<Kv> map_;
  std::function<void(Error)> notify_;
};

}  // namespace

std::unique_ptr<Kv> make_full_drive_kv(std::unique_ptr<Kv> as_it_is,
                                       std::function<Result<std::unique_ptr<Kv>>()> open) {
  return std::make_unique<FullDriveKv>(std::move(as_it_is), std::move(open));
}

}  // namespace kura
