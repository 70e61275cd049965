// Maintenance: what the pool does by itself: compaction, rebuild, scrub, checks of drives. Each is
// a task that looks around, works, and sleeps. On the pool's loop.

#pragma once

#include <memory>
#include <optional>
#include <set>

#include "actors/disk/compaction.h"
#include "actors/disk/disk_pool.h"
#include "actors/disk/drive_check.h"
#include "actors/disk/scrub.h"

namespace kura::disk {

class Maintenance : public std::enable_shared_from_this<Maintenance> {
 public:
  explicit Maintenance(std::shared_ptr<DiskCore> core)
      : core_(core), scrub_(core), drive_check_(core) {}

  void begin_checks();
  void begin(const LiveBodies& live, BucketWriter& buckets);
  // Returns when no task is under way. REQUIRES: the core is stopping.
  Task<void> ended();

  Task<Result<void>> pass();   // Rebuild, idle sets, compaction. Waits for one that runs already.
  void wake();                 // The next pass begins at once.
  Task<Result<void>> scrub();  // A whole run; waits for one that runs already first.
  // Drives that are offline now will not come back: rebuild their members elsewhere.
  void give_up_offline();
  std::set<DriveId> given_up() const;  // Offline, and not waited for any more.

  bool begun() const { return live_ != nullptr; }
  const LiveBodies& live() const { return *live_; }
  BucketWriter& buckets() const { return *buckets_; }
  const ScrubCounters& scrub_counters() const { return scrub_.counters(); }
  uint64_t scrub_bytes() const { return scrub_.planned_bytes(); }
  uint64_t lost_stripes() const { return lost_stripes_; }  // Found by rebuild.

 private:
  Task<void> check_drives();
  Task<void> look_around();
  Task<Result<void>> rebuild_pass();
  // Less when the pool stops or, if it ends so, at wake().
  Task<void> sleep(int64_t ns, bool ends_at_wake);
  void start(Task<void> task);

  const std::shared_ptr<DiskCore> core_;
  const LiveBodies* live_ = nullptr;
  BucketWriter* buckets_ = nullptr;
  std::optional<Compaction> compaction_;
  Scrub scrub_;
  DriveCheck drive_check_;
  std::set<DriveId> lost_;
  size_t tasks_ = 0;
  bool passing_ = false;
  bool woken_ = false;
  uint64_t lost_stripes_ = 0;
};

}  // namespace kura::disk
