// Scrubber: has everything that lies on the drives read and verified now and then, or when asked:
// segment sets and identities, the journal's mirrors, the view. Each mends what is wrong of its
// own. A task on the journal loop.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "actors/disk/disk_pool.h"
#include "base/kv.h"
#include "base/task.h"
#include "journal/embedded/embedded_journal.h"

namespace kura::node {

class Scrubber {
 public:
  // All of them outlive it. `interval_ns`: from end to start.
  Scrubber(disk::DiskPool& disks, journal::EmbeddedJournal& journal, Kv& view, int64_t interval_ns)
      : disks_(disks), journal_(journal), view_(view), interval_ns_(interval_ns) {}

  Task<void> run();  // Until stop().
  void request() { requested_ = true; }
  void stop() { stopping_ = true; }
  bool running() const { return running_; }  // The task is.

  struct Status {
    bool busy = false;       // One is under way, or was asked for.
    uint64_t runs = 0;       // Completed.
    std::string last_error;  // Of the last completed one; empty: all of it was read.
  };
  Status status() const { return {busy_ || requested_, runs_, last_error_}; }

 private:
  Task<void> scrub();

  disk::DiskPool& disks_;
  journal::EmbeddedJournal& journal_;
  Kv& view_;
  const int64_t interval_ns_;
  bool running_ = false, stopping_ = false, requested_ = false, busy_ = false;
  uint64_t runs_ = 0;
  std::string last_error_;
};

}  // namespace kura::node
