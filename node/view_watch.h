// ViewWatch: whether the drive of the metadata view still takes changes in time. RocksDB makes its
// calls on the loop that writes the view, and waits there for its own threads, so a drive that
// hangs keeps that loop, also while the disk pool and the journal do without the drive. This one
// looks from a loop that never calls the map.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/drive.h"
#include "base/result.h"
#include "base/task.h"

namespace kura::node {

// Whether the drive lets somebody who makes and removes a file wait longer than `timeout_ns`. One
// that refuses, since it is full for instance, does not.
Task<bool> hangs(std::shared_ptr<Drive> drive, int64_t timeout_ns);

class ViewWatch {
 public:
  struct Times {
    int64_t interval_ns, timeout_ns;
  };
  ViewWatch(std::shared_ptr<Drive> drive, Times times, std::function<void(Error)> on_lost);

  Task<void> run();                  // Until stop(), or until the view is lost.
  void stop() { stopping_ = true; }  // From any thread.
  bool running() const { return running_; }

 private:
  const std::shared_ptr<Drive> drive_;
  const Times times_;
  const std::function<void(Error)> on_lost_;
  std::atomic<bool> running_{false}, stopping_{false};
};

}  // namespace kura::node
