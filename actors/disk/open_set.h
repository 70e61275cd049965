// OpenSet: a set that this process writes. Hands out room, writes coded runs to all members at once
// and makes them durable in groups: a sync takes with it everything that was written while the last
// one ran.

#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "actors/disk/disk_pool.h"
#include "actors/disk/erasure.h"
#include "actors/disk/stripe_coder.h"
#include "base/drive.h"
#include "base/loop.h"
#include "projections/control/control_state.h"

namespace kura::disk {

// Which member did what to a write or sync.
struct MemberError {
  uint32_t member = 0;
  Error error;
};

class OpenSet : public std::enable_shared_from_this<OpenSet> {
 public:
  // files: by member index.
  OpenSet(Loop& loop, int64_t timeout_ns, SegmentSet set, std::vector<std::shared_ptr<File>> files)
      : loop_(loop),
        timeout_ns_(timeout_ns),
        set_(std::move(set)),
        code_(set_.data_shards, set_.parity_shards),
        files_(std::move(files)) {}

  const SegmentSet& set() const { return set_; }
  SetId id() const { return set_.id; }
  const Code& code() const { return code_; }

  // A member failed: nothing written here from now on counts. From any thread.
  bool failed() const { return failed_.load(std::memory_order_acquire); }

  // Writes to every member, not yet durable. From any loop. Errors: of the members that failed; the
  // caller reports them (WriteSets::members_failed).
  Task<std::vector<MemberError>> write(std::shared_ptr<const CodedRun> run);

  // The rest is called on the pool's loop only.

  // Room in each member file for something that begins at a block boundary.
  uint64_t room() const;
  // Takes `bytes` of each member; the offset is a multiple of kBlockBytes. REQUIRES: there is room.
  uint64_t allocate(uint64_t bytes);

  // Makes everything written before durable on all members. On success what lies below `end` is
  // good. Errors: of members; {} also when the set had failed before, so check `durable`.
  struct Synced {
    bool durable = false;
    std::vector<MemberError> errors;  // First caller of a round only.
  };
  Task<Synced> sync(uint64_t end);
  // write() and then sync(), in one trip to each drive: what is small waits for nobody else's sync.
  Task<Synced> write_and_sync(std::shared_ptr<const CodedRun> run);

  // Gives every member file this length; the room of a longer one is reserved. Errors: of members.
  // REQUIRES: no users. Only WriteSets::resize() calls it, which keeps sealing away meanwhile.
  Task<std::vector<MemberError>> resize(uint64_t bytes);

  void mark_failed() { failed_.store(true, std::memory_order_release); }
  // End of the last bytes that are durable on every member.
  uint64_t good_end() const { return good_end_; }

  bool retired = false;  // Full: takes no new writers.
  bool sealing = false;
  bool resting = false;   // Cut to what it holds: resized before it is written again.
  bool resizing = false;  // Its files are: sealed, which cuts them too, only afterwards.
  size_t users = 0;       // Writers that still hold room here.
  int64_t unused_since_ns = 0;

 private:
  struct Waiting {
    uint64_t end = 0;
    Resolver<Synced> resolve;
  };
  Task<void> sync_rounds();
  Synced conclude(const std::vector<Result<void>>& results);

  Loop& loop_;
  const int64_t timeout_ns_;
  const SegmentSet set_;
  const Code code_;
  const std::vector<std::shared_ptr<File>> files_;
  std::atomic<bool> failed_{false};
  uint64_t next_ = kFirstStripeOffset;
  uint64_t good_end_ = kFirstStripeOffset;
  std::vector<Waiting> waiting_;
  bool syncing_ = false;
};

}  // namespace kura::disk
