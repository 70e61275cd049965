#include "node/scrubber.h"

#include "base/loop.h"

namespace kura::node {
namespace {

constexpr int64_t kNapNs = 100'000'000;

}  // namespace

Task<void> Scrubber::run() {
  running_ = true;
  Clock& clock = Loop::current()->clock();
  int64_t ended_ns = clock.monotonic_ns();
  while (!stopping_) {
    co_await sleep_for(kNapNs);
    if (stopping_ || (!requested_ && clock.monotonic_ns() - ended_ns < interval_ns_)) continue;
    co_await scrub();
    ended_ns = clock.monotonic_ns();
  }
  running_ = false;
}

Task<void> Scrubber::scrub() {
  busy_ = true;
  requested_ = false;
  std::string error;
  Result<void> done = co_await disks_.scrub();
  if (!done) error = done.error().detail;
  if (!stopping_) {
    done = co_await journal_.scrub();
    if (!done) error = "journal: " + done.error().detail;
  }
  // Last, because a damaged view has the node start over.
  if (!stopping_) {
    done = co_await view_.verify();
    if (!done) error = "view: " + done.error().detail;
  }
  last_error_ = error;
  busy_ = false;
  if (!stopping_) ++runs_;
}

}  // namespace kura::node
