// SimView: where a node keeps its view on one simulated drive. The map outlives the node and is as
// honest about crashes as the drive; it fails while the drive is dead and is gone when it is
// replaced.

#pragma once

#include <memory>

#include "projections/kv/memory_kv.h"
#include "sim/sim_drive.h"

namespace kura::sim {

class SimView {
 public:
  explicit SimView(SimDisk& disk) : disk_(disk), map_(std::make_unique<MemoryKv>()) {}

  bool exists() const { return exists_ && device_ == disk_.device() && !disk_.dead(); }
  // Errors: io_error (the drive is dead). The map must not outlive the view.
  Result<std::unique_ptr<Kv>> open(bool fresh);
  void crash(Unsynced policy, SimRandom& random);

 private:
  class Handle;
  SimDisk& disk_;
  std::unique_ptr<MemoryKv> map_;
  uint32_t device_ = 0;  // Of the drive, when the map was made.
  bool exists_ = false;
};

}  // namespace kura::sim
