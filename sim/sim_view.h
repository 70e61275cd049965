// SimView: where a node keeps its view on one simulated drive, and what it rebuilds beside it. The
// maps outlive the node and are as honest about crashes as the drive; they fail while the drive is
// dead, go with the device that is taken out and come back with it.

#pragma once

#include <map>
#include <memory>

#include "base/limits.h"
#include "node/view_places.h"
#include "projections/kv/memory_kv.h"
#include "projections/kv/write_behind_kv.h"
#include "sim/sim_drive.h"

namespace kura::sim {

// What lies between a node and its maps, as in ViewFolders.
struct SimViewOptions {
  size_t row_cache_bytes = kMiB;
  WriteBehindLimits write_behind = {};
};

class SimView {
 public:
  SimView(SimDisk& disk, SimViewOptions options) : disk_(disk), options_(options) {}

  bool exists() const { return !disk_.dead() && views_.contains(disk_.device()); }
  // As in ViewPlaces. Errors: io_error (the drive is dead). The maps must not outlive this.
  Result<std::unique_ptr<Kv>> open();
  Result<std::unique_ptr<Kv>> open_to_read();
  Result<std::unique_ptr<Kv>> open_new();
  Result<void> adopt_new();
  bool exists_new() const { return !disk_.dead() && new_.contains(disk_.device()); }
  void remove_new() { new_.erase(disk_.device()); }
  bool holds_any() const { return exists() || exists_new(); }
  void remove();  // Of the device that is there. REQUIRES: no map is open.
  // Whether a rebuild was under way.
  bool crash(Unsynced policy, SimRandom& random);

 private:
  class Handle;
  enum class Mode : uint8_t { writes, reads };
  std::unique_ptr<Kv> around(MemoryKv& map, Mode mode = Mode::writes);
  SimDisk& disk_;
  const SimViewOptions options_;
  using Maps = std::map<uint32_t, std::unique_ptr<MemoryKv>>;  // By device.
  Maps views_, new_;
  bool rebuilding_ = false;
};

// Those of all drives of a node.
class SimViews final : public node::ViewPlaces {
 public:
  explicit SimViews(std::vector<std::unique_ptr<SimDisk>>& disks, SimViewOptions options = {});
  bool exists(size_t drive) const override { return views_[drive]->exists(); }
  Result<std::unique_ptr<Kv>> open(size_t drive) override { return views_[drive]->open(); }
  Result<std::unique_ptr<Kv>> open_to_read(size_t drive) override {
    return views_[drive]->open_to_read();
  }
  uint64_t bytes(size_t) const override { return 0; }
  Result<std::unique_ptr<Kv>> open_new(size_t drive) override { return views_[drive]->open_new(); }
  Result<void> adopt_new(size_t drive) override { return views_[drive]->adopt_new(); }
  bool exists_new(size_t drive) const { return views_[drive]->exists_new(); }
  Result<void> remove_new(size_t drive) override {
    views_[drive]->remove_new();
    return {};
  }
  bool holds_any(size_t drive) const override { return views_[drive]->holds_any(); }
  Result<void> remove(size_t drive) override {
    views_[drive]->remove();
    return {};
  }
  void remove();
  bool crash(Unsynced policy, SimRandom& random);

 private:
  std::vector<std::unique_ptr<SimView>> views_;
};

}  // namespace kura::sim
