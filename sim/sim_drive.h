// SimDisk: the medium of one simulated drive, with its faults; it outlives crashes of its node.
// mount() gives one incarnation of a node a Drive on it (base/drive.h has the contract).
//
// Operations take virtual time and end in any order. crash() settles what was under way and what
// was not synced, by the seed. A Drive or File of an incarnation that crashed does nothing: its
// calls never return, as nobody is there to return to.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/drive.h"
#include "sim/sim_file.h"
#include "sim/sim_world.h"

namespace kura::sim {

// Rates are per million operations. Every error is a promise to survive it: the harness keeps the
// number of faulty drives within what the product tolerates.
struct DiskFaults {
  uint32_t read_error = 0;
  uint32_t write_error = 0;
  uint32_t sync_error = 0;
  uint32_t rot = 0;  // A read finds one bit of its range flipped, for good.
};

struct DiskOptions {
  uint64_t capacity_bytes = 1ULL << 40;
  uint64_t sector_bytes = 512;  // What the medium writes atomically: 512 or 4096.
  int64_t read_ns =
      80 * kMicrosecond;  // Means; one operation in a thousand takes 20 times as long.
  int64_t write_ns = 30 * kMicrosecond;
  int64_t sync_ns = 400 * kMicrosecond;
  DiskFaults faults;
};

// What is in the place of a drive: it may be taken out, and come back as it was. `device` is its
// own.
struct SimMedium {
  uint32_t device = 0;
  std::map<std::string, std::shared_ptr<SimFile>> files;
};

class SimDisk {
 public:
  SimDisk(SimWorld& world, uint32_t number, DiskOptions options);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;

  // REQUIRES: the drive of an earlier mount was destroyed or crashed. Must not outlive the disk.
  std::unique_ptr<Drive> mount();
  // As mount(), for the node that runs: what it had mounted before may still be there.
  std::unique_ptr<Drive> mount_again();
  // Whether a Drive on what is in the place now exists.
  bool in_use() const;
  // Whether `drive` is one: nothing was taken out or put in since. REQUIRES: it is of this disk.
  bool is_current(const Drive& drive) const;

  // The node lost power (or was killed: Unsynced::kept). Call it before the frames that wait for
  // the drive are destroyed.
  void crash(Unsynced policy);

  DiskOptions& options() { return options_; }
  uint32_t number() const { return number_; }
  bool dead() const { return dead_; }
  uint32_t device() const { return device_; }         // No two devices have the same.
  uint32_t insertion() const { return insertion_; }   // Grows when something is put in or out.
  void set_slow(uint32_t factor) { slow_ = factor; }  // 1: normal.
  void set_dead(bool dead) { dead_ = dead; }          // Every operation: io_error.
  // No operation ends, until it is over: then those that wait take their time.
  void set_hung(bool hung);
  bool hung() const { return hung_; }
  void replace_empty();  // Another, empty device at the same place. Open files are io_error.
  // The drive is pulled while power is on: it loses what a crash would, and whoever has it mounted
  // gets io_error from now on, also when it is back. The place is dead until something is put in.
  SimMedium take_out(Unsynced policy);
  void put_in(SimMedium medium);
  SimMedium new_medium() { return {number_ * kDevicesPerPlace + devices_++, {}}; }  // Empty.

  // Flips one drawn bit of what was written to a file whose name begins with `prefix`. Returns the
  // name, or empty if there is nothing.
  std::string rot_one(const std::string& prefix);
  uint64_t used_bytes() const;
  bool has_unsynced() const;  // Whether a crash now could lose a write.
  bool has(const std::string& name) const { return files_.contains(name); }
  std::vector<std::string> names() const;

  // What happened, for reach probes and budgets.
  struct Counts {
    uint64_t writes = 0, syncs = 0, errors = 0, rotten = 0, torn_crashes = 0, lost_writes = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  static constexpr uint32_t kDevicesPerPlace = 1000;
  friend class SimDrive;
  friend class SimOpenFile;
  struct Mount;
  struct Pending;

  // Starts an operation of `mount`: after a drawn time `apply` runs once, unless the node crashes
  // before; then it runs at the crash with its first argument true, or not at all.
  using Apply = std::function<void(bool crashed)>;
  void schedule(const std::shared_ptr<Mount>& mount, uint64_t number);
  void begin(const std::shared_ptr<Mount>& mount, int64_t mean_ns, bool may_survive_crash,
             Apply apply);
  void finish(const std::shared_ptr<Mount>& mount, uint64_t number);
  void unmount(Mount& mount);
  bool error_strikes(uint32_t per_million);
  Result<void> reserve(uint64_t more_bytes) const;
  void maybe_rot(SimFile& file, uint64_t offset, uint64_t length);

  SimWorld& world_;
  uint32_t number_;
  DiskOptions options_;
  SimRandom random_;
  SimRandom fault_random_;
  uint32_t slow_ = 1;
  bool dead_ = false;
  bool hung_ = false;
  uint32_t devices_ = 1;  // Made for this place.
  uint32_t device_;
  uint32_t insertion_ = 1;  // Grows when something is put in.
  std::map<std::string, std::shared_ptr<SimFile>> files_;
  std::vector<std::shared_ptr<Mount>> mounts_;  // Live ones.
  Counts counts_;
};

}  // namespace kura::sim
