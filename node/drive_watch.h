// DriveWatch: what the node does about drives that went away. The journal hears of it. One that is
// mounted anew is taken back without a restart; a view whose drive is away has the node start over,
// while enough drives are left for that, since nothing of it can be written any more. A task on the
// journal loop.

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"

namespace kura::node {

struct DriveWatchPorts {
  std::function<std::vector<DriveId>()> offline;  // Of the cluster's drives.
  std::function<uint32_t()> parity;               // So many may be offline at a start.
  std::function<Task<void>()> take_back;          // Whatever is mounted anew.
  std::function<Task<void>()> tell_journal;  // What went away or came back; lost mirrors. Or null.
  // Whether the drive of the view is not the one any more on which it was opened: mounted anew,
  // replaced or forgotten, maybe between two looks.
  std::function<bool()> view_left_behind;
  std::function<void(Error)> on_view_lost;
};

class DriveWatch {
 public:
  DriveWatch(DriveWatchPorts ports, DriveId view_drive, int64_t interval_ns);

  Task<void> run();  // Until stop().
  void stop() { stopping_ = true; }
  bool running() const { return running_; }

 private:
  void judge_view();

  const DriveWatchPorts ports_;
  const DriveId view_drive_;
  const int64_t interval_ns_;
  int view_away_looks_ = 0;
  bool running_ = false;
  std::atomic<bool> stopping_{false};
};

}  // namespace kura::node
