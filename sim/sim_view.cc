#include "sim/sim_view.h"

#include <utility>

#include "projections/kv/cached_kv.h"

namespace kura::sim {

class SimView::Handle final : public Kv {
 public:
  Handle(SimDisk& disk, MemoryKv& map, Mode mode)
      : disk_(disk), insertion_(disk.insertion()), map_(map), mode_(mode) {}
  Result<std::optional<std::string>> get(std::string_view key) override {
    if (!usable()) return gone();
    return map_.get(key);
  }
  Result<void> write(const KvBatch& batch) override {
    if (!usable()) return gone();
    if (mode_ == Mode::reads) return fail(Errc::no_space, "simulated view is only read");
    return map_.write(batch);
  }
  Result<void> flush() override {
    if (!usable()) return gone();
    if (mode_ == Mode::reads) return fail(Errc::no_space, "simulated view is only read");
    return map_.flush();
  }
  KvRoom room() const override { return mode_ == Mode::reads ? KvRoom::lacking : KvRoom::enough; }
  std::unique_ptr<KvIterator> iterate() override { return map_.iterate(); }

 private:
  bool usable() const { return insertion_ == disk_.insertion() && !disk_.dead(); }
  static tl::unexpected<Error> gone() { return fail(Errc::io_error, "simulated view is gone"); }
  SimDisk& disk_;
  const uint32_t insertion_;
  MemoryKv& map_;
  const Mode mode_;
};

std::unique_ptr<Kv> SimView::around(MemoryKv& map, Mode mode) {
  auto handle = std::make_unique<Handle>(disk_, map, mode);
  auto gathered = make_write_behind_kv(std::move(handle), options_.write_behind);
  return make_cached_kv(std::move(gathered), options_.row_cache_bytes);
}

Result<std::unique_ptr<Kv>> SimView::open() {
  if (disk_.dead()) return fail(Errc::io_error, "simulated drive is dead");
  remove_new();
  std::unique_ptr<MemoryKv>& map = views_[disk_.device()];
  if (!map) map = std::make_unique<MemoryKv>();
  return around(*map);
}

Result<std::unique_ptr<Kv>> SimView::open_to_read() {
  if (!exists()) return fail(Errc::io_error, "simulated view is not there");
  return around(*views_.at(disk_.device()), Mode::reads);
}

Result<std::unique_ptr<Kv>> SimView::open_new() {
  if (disk_.dead()) return fail(Errc::io_error, "simulated drive is dead");
  std::unique_ptr<MemoryKv>& map = new_[disk_.device()];
  map = std::make_unique<MemoryKv>();
  rebuilding_ = true;
  return around(*map);
}

Result<void> SimView::adopt_new() {
  if (disk_.dead() || !exists_new()) return fail(Errc::io_error, "simulated view is gone");
  views_[disk_.device()] = std::move(new_.at(disk_.device()));
  remove_new();
  rebuilding_ = false;
  return {};
}

void SimView::remove() {
  views_.erase(disk_.device());
  remove_new();
}

bool SimView::crash(Unsynced policy, SimRandom& random) {
  for (Maps* maps : {&views_, &new_}) {
    for (auto& [device, map] : *maps) {
      const size_t unflushed = map->unflushed_batches();
      size_t kept = unflushed;
      if (policy == Unsynced::dropped) kept = 0;
      if (policy == Unsynced::torn || policy == Unsynced::mixed) kept = random.pick(unflushed + 1);
      map->crash(kept);
    }
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
