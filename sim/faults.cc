#include "sim/faults.h"

#include "base/fail_point.h"

namespace kura::sim {
namespace {

constexpr int64_t kAimStepNs = 50 * kMicrosecond;
constexpr int kAimTries = 1000;
constexpr int64_t kHangNs = 3 * kSecond;
constexpr int64_t kStepPatienceNs = 500 * kMillisecond;
constexpr int64_t kStartPatienceNs = 30 * kMillisecond;

// Where drives come and go, those are the steps that matter.
bool moves_drives(std::string_view step) {
  for (const char* kind : {"drive.", "journal.refill", "journal.mirror_set", "journal.merge",
                           "journal.clear", "set.", "rebuild.", "compaction", "bodies.move"})
    if (step.starts_with(kind)) return true;
  return false;
}

// Steps inside a real drive are not to be met here.
FailPoint draw_step(SimRandom& random, bool drives_move) {
  FailPoint point;
  std::string_view step;
  do {
    point.step = static_cast<uint16_t>(random.pick(kDurableSteps.size()));
    step = kDurableSteps[point.step];
  } while (step.starts_with("local.") || (drives_move && !moves_drives(step)));
  point.edge = random.pick(2) == 0 ? Edge::before : Edge::after;
  return point;
}

}  // namespace

Faults::Faults(SimWorld& world, SimNetwork& network, std::vector<std::unique_ptr<SimDisk>>& disks,
               SimNode& node, Profile profile, Probes& probes)
    : world_(world),
      network_(network),
      disks_(disks),
      node_(node),
      probes_(probes),
      random_(world.random("faults")) {
  if (profile == Profile::quiet) return;
  if (random_.pick(8) != 0) crash_mean_ns_ = random_.between(300, 4000) * kMillisecond;
  down_mean_ns_ = random_.between(1, 500) * kMillisecond;
  any_policy_ = random_.pick(2) == 0;
  policy_ = static_cast<Unsynced>(random_.pick(4));
  if (profile == Profile::power) {
    power_ = any_policy_ = true;
    crash_mean_ns_ = random_.between(20, 400) * kMillisecond;
    down_mean_ns_ = random_.between(1, 50) * kMillisecond;
  }
  if (random_.pick(3) == 0) pause_mean_ns_ = random_.between(300, 5000) * kMillisecond;
  if (random_.pick(2) == 0)
    network_.options().cut_per_million = static_cast<uint32_t>(random_.between(100, 20'000));
  if (profile == Profile::swarm && random_.pick(2) == 0) {
    drive_fault_mean_ns_ = random_.between(500, 5000) * kMillisecond;
    bad_drive_ = random_.pick(disks_.size());
  }
  if (profile == Profile::drives && node_.drive_admin())
    churn_ = std::make_unique<Churn>(world_, disks_, node_, probes_);
}

void Faults::start() {
  active_ = true;
  plan_crash();
  plan_drive_fault();
  plan_pause();
  if (churn_) churn_->start();
}

Faults::~Faults() { cancel(); }

void Faults::cancel() {
  disarm_fail_points();
  if (!active_) return;
  world_.cancel(next_crash_);
  world_.cancel(next_drive_fault_);
  world_.cancel(next_pause_);
  active_ = false;
}

void Faults::heal() {
  cancel();
  network_.options().cut_per_million = 0;
  if (churn_) churn_->settle();
  for (auto& disk : disks_) {
    if (churn_) break;
    disk->options().faults = {};
    disk->set_slow(1);
    disk->set_hung(false);
    if (disk->dead()) end_outage(*disk);
  }
  node_.set_paused(false);
  if (!node_.running()) node_.start();
}

void Faults::plan_crash() {
  if (crash_mean_ns_ == 0) return;
  const uint64_t kind = random_.pick(3);
  next_crash_ = world_.after(random_.exponential(crash_mean_ns_), [this, kind] {
    if (kind == 0) return crash();
    if (kind == 1) return aim_crash(kAimTries);
    aim_at_step(kStepPatienceNs);
  });
}

// Most of the time nothing waits for a sync, and a crash then loses nothing: waits for a write, and
// crashes a little behind it, when its client may just have been told.
void Faults::aim_crash(int tries_left) {
  for (auto& disk : disks_) {
    if (!disk->has_unsynced()) continue;
    next_crash_ = world_.after(random_.exponential(kMillisecond), [this] { crash(); });
    return;
  }
  if (tries_left == 0) return crash();
  next_crash_ = world_.after(kAimStepNs, [this, tries_left] { aim_crash(tries_left - 1); });
}

// Crashes where the node is at a drawn durable step; when it does not come by, all the same. What
// the step's task does until it next waits still happens, as nothing of that outlives the node.
void Faults::aim_at_step(int64_t patience_ns) {
  const FailPoint point = draw_step(random_, churn_ && random_.pick(4) != 0);
  aim_at(point, random_.pick(2) == 0 ? 1 : random_.between(1, 20), patience_ns);
}

void Faults::aim_at(FailPoint point, uint64_t nth, int64_t patience_ns) {
  arm_fail_point(point, nth, [this, point] {
    ++probes_["crash at a fail point"];
    ++probes_["fail point " + name_of(point)];
    world_.cancel(next_crash_);
    const bool crashes = !churn_ || random_.pick(3) != 0;
    next_crash_ = world_.after(0, [this, crashes] { crashes ? crash() : lose_drive(); });
  });
  next_crash_ = world_.after(random_.exponential(patience_ns), [this] { crash(); });
}

// At a durable step, and the node goes on.
void Faults::lose_drive() {
  disarm_fail_points();
  churn_->nudge();
  plan_crash();
}

void Faults::crash() {
  disarm_fail_points();
  uint64_t lost_before = 0, lost = 0;
  for (auto& disk : disks_) lost_before += disk->counts().lost_writes;
  const auto drawn = static_cast<Unsynced>(power_ ? random_.between(1, 3) : random_.pick(4));
  const Unsynced policy = any_policy_ ? drawn : policy_;
  world_.say("crash, unsynced writes " + std::to_string(static_cast<int>(policy)));
  node_.crash(policy);
  for (auto& disk : disks_) lost += disk->counts().lost_writes;
  ++probes_["crash"];
  view_lost_ = random_.pick(6) == 0;
  if (view_lost_) {
    node_.lose_view();
    ++probes_["view deleted"];
  }
  if (lost > lost_before) ++probes_["crash with unsynced writes"];
  const int64_t down_ns = kMicrosecond + random_.exponential(down_mean_ns_);
  next_crash_ = world_.after(down_ns, [this] { restart(); });
}

void Faults::restart() {
  ++probes_["restart"];
  if (churn_ && churn_->some_away()) ++probes_["churn: start with a drive away"];
  if (!node_.running()) node_.start();  // Its supervisor may have been faster.
  // Now and then it crashes again while it recovers, and most of all while it rebuilds its view.
  const uint64_t kind = random_.pick(8);
  if (view_lost_ && kind < 6)
    aim_at(*parse_fail_point(kind < 3 ? "view.load:before" : "view.replay:before"), 1,
           kStepPatienceNs);
  else if (kind <= 1)
    next_crash_ = world_.after(random_.exponential(20 * kMillisecond), [this] { crash(); });
  else if (kind == 2)
    aim_at_step(kStartPatienceNs);
  else
    plan_crash();
}

void Faults::plan_drive_fault(int64_t least_ns) {
  if (drive_fault_mean_ns_ == 0) return;
  next_drive_fault_ =
      world_.after(least_ns + random_.exponential(drive_fault_mean_ns_), [this] { drive_fault(); });
}

// One drive only: every geometry of at least two drives survives that.
void Faults::drive_fault() {
  SimDisk& disk = *disks_[bad_drive_];
  if (disk.dead()) {
    end_outage(disk);
    return plan_drive_fault();
  }
  if (disk.hung()) {
    disk.set_hung(false);  // Whatever it was told to do happens now.
    ++probes_["drive answers again"];
    return plan_drive_fault();
  }
  switch (random_.pick(5)) {
    case 0:
      disk.set_slow(static_cast<uint32_t>(random_.between(1, 100)));
      ++probes_["slow drive"];
      break;
    case 1:
      if (!disk.rot_one("").empty()) ++probes_["bit rot"];
      break;
    case 2:
      disk.set_dead(true);
      ++probes_["drive gone"];
      break;
    case 3:
      disk.set_hung(true);
      ++probes_["drive hangs"];
      // Now and then for so long that it is given up.
      return plan_drive_fault(random_.pick(2) == 0 ? 0 : kHangNs);
    default:
      disk.options().faults.read_error = static_cast<uint32_t>(random_.pick(20'000));
      ++probes_["read errors"];
      break;
  }
  plan_drive_fault();
}

void Faults::end_outage(SimDisk& disk) {
  if (random_.pick(2) == 0) {
    disk.set_dead(false);
    ++probes_["drive back"];
  } else {
    disk.replace_empty();
    ++probes_["drive replaced"];
  }
}

void Faults::plan_pause() {
  if (pause_mean_ns_ == 0) return;
  next_pause_ = world_.after(random_.exponential(pause_mean_ns_), [this] { pause(); });
}

void Faults::pause() {
  ++probes_["pause"];
  world_.trace("pause");
  node_.set_paused(true);
  // A suspended host often wakes up with another wall clock; nothing may depend on that.
  if (random_.pick(2) == 0) node_.step_wall(random_.between(-2000, 2000));
  next_pause_ = world_.after(random_.exponential(300 * kMillisecond), [this] {
    node_.set_paused(false);
    plan_pause();
  });
}

}  // namespace kura::sim
