#include "sim/sim_view.h"

#include <utility>

#include "base/check.h"
#include "projections/kv/cached_kv.h"

namespace kura::sim {

class SimView::Handle final : public Kv {
 public:
  Handle(SimDisk& disk, MemoryKv& map) : disk_(disk), device_(disk.device()), map_(map) {}
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (!usable()) return gone();
    return map_.get(key);
  }
  Result<void> write(const KvBatch& batch) override {
    if (!usable()) return gone();
    return map_.write(batch);
  }
  Result<void> flush() override {
    if (!usable()) return gone();
    return map_.flush();
  }
  std::unique_ptr<KvIterator> iterate() override { return map_.iterate(); }

 private:
  bool usable() const { return device_ == disk_.device() && !disk_.dead(); }
  static tl::unexpected<Error> gone() { return fail(Errc::io_error, "simulated view is gone"); }
  SimDisk& disk_;
  const uint32_t device_;
  MemoryKv& map_;
};

std::unique_ptr<Kv> SimView::around(MemoryKv& map) {
  auto gathered = make_write_behind_kv(std::make_unique<Handle>(disk_, map), options_.write_behind);
  return make_cached_kv(std::move(gathered), options_.row_cache_bytes);
}

Result<std::unique_ptr<Kv>> SimView::open() {
  if (disk_.dead()) return fail(Errc::io_error, "simulated drive is dead");
  new_ = nullptr;
  if (!exists()) view_ = std::make_unique<MemoryKv>();
  device_ = disk_.device();
  return around(*view_);
}

Result<std::unique_ptr<Kv>> SimView::open_new() {
  if (disk_.dead()) return fail(Errc::io_error, "simulated drive is dead");
  new_ = std::make_unique<MemoryKv>();
  new_device_ = disk_.device();
  rebuilding_ = true;
  return around(*new_);
}

Result<void> SimView::adopt_new() {
  INVARIANT(new_, "only what was opened takes the view's place");
  if (disk_.dead() || new_device_ != disk_.device())
    return fail(Errc::io_error, "simulated view is gone");
  view_ = std::move(new_);
  rebuilding_ = false;
  device_ = new_device_;
  return {};
}

void SimView::remove() {
  view_ = nullptr;
  new_ = nullptr;
}

bool SimView::crash(Unsynced policy, SimRandom& random) {
  for (MemoryKv* map : {view_.get(), new_.get()}) {
    if (!map) continue;
    const size_t unflushed = map->unflushed_batches();
    size_t kept = unflushed;
    if (policy == Unsynced::dropped) kept = 0;
    if (policy == Unsynced::torn || policy == Unsynced::mixed) kept = random.pick(unflushed + 1);
    map->crash(kept);
  }
  return std::exchange(rebuilding_, false);
}

SimViews::SimViews(std::vector<std::unique_ptr<SimDisk>>& disks, SimViewOptions options) {
  for (auto& disk : disks) views_.push_back(std::make_unique<SimView>(*disk, options));
}

void SimViews::remove() {
  for (auto& view : views_) view->remove();
}

bool SimViews::crash(Unsynced policy, SimRandom& random) {
  bool rebuilding = false;
  for (auto& view : views_) rebuilding |= view->crash(policy, random);
  return rebuilding;
}

}  // namespace kura::sim
