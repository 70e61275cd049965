// Faults: what goes wrong in a run, when, drawn from the seed. Each class of fault is in about half
// of the runs, so that runs differ in kind and not only in timing.

#pragma once

#include <memory>
#include <vector>

#include "base/fail_point.h"
#include "sim/churn.h"
#include "sim/run.h"

namespace kura::sim {

class Faults {
 public:
  Faults(SimWorld& world, SimNetwork& network, std::vector<std::unique_ptr<SimDisk>>& disks,
         SimNode& node, Profile profile, Probes& probes);
  ~Faults();

  void start();
  // No more faults: the node runs, connections hold, drives answer. What is damaged stays so.
  void heal();
  // Null: drives do not come and go. After heal() it is at rest, and drives may be away.
  Churn* churn() { return churn_.get(); }

 private:
  void cancel();
  void plan_crash();
  void aim_crash(int tries_left);
  void aim_at(FailPoint point, uint64_t nth, int64_t patience_ns);
  void aim_at_step(int64_t patience_ns);
  void lose_drive();
  void crash();
  void restart();
  void plan_drive_fault(int64_t least_ns = 0);
  void drive_fault();
  void end_outage(SimDisk& disk);
  void plan_pause();
  void pause();

  SimWorld& world_;
  SimNetwork& network_;
  std::vector<std::unique_ptr<SimDisk>>& disks_;
  SimNode& node_;
  Probes& probes_;
  SimRandom random_;
  bool active_ = false;
  int64_t crash_mean_ns_ = 0;  // 0: no crashes in this run.
  Unsynced policy_ = Unsynced::mixed;
  bool any_policy_ = false;  // Each crash draws its own.
  bool power_ = false;       // Every crash is a loss of power.
  int64_t down_mean_ns_ = 0;
  bool view_lost_ = false;           // With the last crash.
  int64_t drive_fault_mean_ns_ = 0;  // 0: drives are faultless.
  size_t bad_drive_ = 0;             // The only one that is damaged in this run.
  std::unique_ptr<Churn> churn_;
  SimWorld::Event next_crash_;  // Or the restart after one.
  int64_t pause_mean_ns_ = 0;   // 0: the node never stands still.
  SimWorld::Event next_drive_fault_;
  SimWorld::Event next_pause_;  // Or its end.
};

}  // namespace kura::sim
