// BucketWriter: the way to the bucket actors. S3 operations, the destager and compaction decide
// nothing themselves; they submit commands here.

#pragma once

#include "actors/bucket/command.h"
#include "base/result.h"
#include "base/task.h"

namespace kura {

// The partition of a key: slots are fixed, partitions are sets of slots.
PartitionId partition_of(BucketId bucket, std::string_view key);

class BucketWriter {
 public:
  virtual ~BucketWriter() = default;
  // Returns when the event is effective and folded, so that every later read sees it. Errors: those
  // of decide() (actors/bucket/decide.h); unavailable, overloaded, no_space (nothing was written,
  // nor will be). From any loop.
  virtual Task<Result<Outcome>> submit(Command command) = 0;
};

// Whether the event of a command that failed so may still become effective. Else it was never
// decided, or nothing of it was written.
inline bool may_become_effective(Errc code) {
  return code == Errc::unknown || code == Errc::timed_out || code == Errc::io_error ||
         code == Errc::closed || code == Errc::corrupt;
}

}  // namespace kura
