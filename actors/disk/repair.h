// RepairQueue: stripes found damaged while they were read. Rewrites the damaged shards in place
// from the good ones, one stripe at a time.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

#include "actors/disk/stripe.h"
#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace kura::disk {

struct DiskCore;

// What repair_stripe found and did.
struct StripeRepair {
  uint32_t damaged = 0;  // Shards on online drives that failed verification.
  uint32_t offline = 0;  // Members that could not be read now.
  bool lost = false;     // Fewer good shards than it takes to read it now.
};

// Reads every shard of the stripe that `like` describes, checks parity too, and rewrites what is
// wrong. On the pool's loop. Errors: the first one of the rewriting; what can be repaired was.
Task<Result<StripeRepair>> repair_stripe(std::shared_ptr<DiskCore> core, StripeHeader like);

class RepairQueue {
 public:
  explicit RepairQueue(DiskCore& core) : core_(core) {}
  // The stripe of `set` that holds byte `offset` of member files. From any thread; repairs may be
  // dropped when very many are waiting: scrub finds what is left.
  void add(SetId set, uint64_t offset);

  // Before this, damage is mended for the reader but not repaired: the ledger may be a partial one,
  // as while a view is recovered.
  void enable() { enabled_ = true; }

  // For repair_stripe, on the pool's loop: one repair of a stripe at a time.
  bool begin(SetId set, uint64_t offset) { return busy_.insert({set, offset}).second; }
  void end(SetId set, uint64_t offset) { busy_.erase({set, offset}); }

 private:
  Task<void> run();

  DiskCore& core_;
  // On the pool's loop.
  std::set<std::pair<SetId, uint64_t>> waiting_;
  std::set<std::pair<SetId, uint64_t>> busy_;
  bool running_ = false;
  std::atomic<bool> enabled_{false};
};

}  // namespace kura::disk
