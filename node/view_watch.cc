#include "node/view_watch.h"

#include "base/drive_calls.h"
#include "node/naps.h"

namespace kura::node {
namespace {

constexpr char kProbeFile[] = "probe";

Task<Result<void>> probe(std::shared_ptr<Drive> drive) {
  auto file = co_await drive->create(kProbeFile, 0);
  if (!file && file.error().code != Errc::exists) co_return fail(file.error());
  co_return co_await drive->remove(kProbeFile);
}

}  // namespace

Task<bool> hangs(std::shared_ptr<Drive> drive, int64_t timeout_ns) {
  auto probed = co_await within<void>(probe(std::move(drive)), timeout_ns);
  co_return !probed && probed.error().code == Errc::timed_out;
}

ViewWatch::ViewWatch(std::shared_ptr<Drive> drive, Times times, std::function<void(Error)> on_lost)
    : drive_(std::move(drive)), times_(times), on_lost_(std::move(on_lost)) {}

Task<void> ViewWatch::run() {
  running_ = true;
  while (!stopping_) {
    co_await sleep_unless(stopping_, times_.interval_ns);
    if (stopping_) break;
    std::shared_ptr<Drive> drive = drive_;
    const bool lost = co_await hangs(std::move(drive), times_.timeout_ns);
    if (!lost || stopping_) continue;
    on_lost_(Error{Errc::timed_out, "its drive hangs"});
    break;
  }
  running_ = false;
}

}  // namespace kura::node
