#include "node/drive_watch.h"

#include <algorithm>

#include "node/naps.h"

namespace kura::node {
namespace {

constexpr int kLooks = 2;  // A drive that is slow once is not lost.

}  // namespace

DriveWatch::DriveWatch(DriveWatchPorts ports, DriveId view_drive, int64_t interval_ns)
    : ports_(std::move(ports)), view_drive_(view_drive), interval_ns_(interval_ns) {}

Task<void> DriveWatch::run() {
  running_ = true;
  while (!stopping_) {
    co_await sleep_unless(stopping_, interval_ns_);
    if (stopping_) break;
    co_await ports_.take_back();
    judge_view();
    if (ports_.tell_journal) co_await ports_.tell_journal();
  }
  running_ = false;
}

// A view that was away stays lost when its drive comes back: its open files are of the old mount.
void DriveWatch::judge_view() {
  const std::vector<DriveId> offline = ports_.offline();
  const bool away = std::find(offline.begin(), offline.end(), view_drive_) != offline.end();
  if (ports_.view_left_behind())
    view_away_looks_ = kLooks;
  else if (view_away_looks_ < kLooks)
    view_away_looks_ = away ? view_away_looks_ + 1 : 0;
  if (view_away_looks_ < kLooks || offline.size() > ports_.parity()) return;
  view_away_looks_ = 0;
  ports_.on_view_lost(Error{Errc::io_error, "its drive is offline"});
}

}  // namespace kura::node
