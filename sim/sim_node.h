// SimNode: a node of the product as the simulator handles it. sim_kura_node.h binds the real one.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sim/sim_file.h"

namespace kura::sim {

// What the node itself counts for one bucket.
struct CountedBucket {
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t uploads = 0;
  bool operator==(const CountedBucket&) const = default;
};

class DriveAdmin;

class SimNode {
 public:
  virtual ~SimNode() = default;
  // Starts on its drives, new or left by a crash; serves as soon as it can.
  virtual void start() = 0;
  // Everything in memory is gone at once; `policy` decides about unsynced writes.
  virtual void crash(Unsynced policy) = 0;
  // Its view is deleted, as an operator may at any time. REQUIRES: it is not running.
  virtual void lose_view() = 0;
  // Asks it to drain and end, and waits for that. False: it did not within a minute.
  virtual bool stop() = 0;
  virtual bool running() const = 0;
  // The process stands still, as under SIGSTOP or a suspended host; time goes on.
  virtual void set_paused(bool paused) = 0;
  // Its wall clock is set.
  virtual void step_wall(int64_t by_ms) = 0;
  // Why it does not serve although it was started; empty: it does, or still may.
  virtual std::string failure() const = 0;
  // Uploads whose blocks are kept from being freed. None: the node is not ready.
  virtual std::optional<uint64_t> reservations() = 0;
  // None: no such bucket, or the node is not ready.
  virtual std::optional<CountedBucket> count(const std::string& bucket) = 0;
  // Null: its drives neither come nor go.
  virtual DriveAdmin* drive_admin() { return nullptr; }
};

}  // namespace kura::sim
