// A drive whose calls end: one that has not returned in time is answered with timed_out and goes on
// alone. For work that must not stand still because a drive hangs (drive_calls.h is the deadline).
//
// After the first call that did not return the drive is given up: all that is under way and all
// that follows ends with timed_out. A write copies its bytes, which the drive may use for ever;
// who writes much asks for unbounded() and keeps bytes and deadline by himself.

#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/drive.h"

namespace kura {

// What the calls to one drive share. Thread-safe.
struct CallBounds {
  explicit CallBounds(int64_t timeout_ns_in) : timeout_ns(timeout_ns_in) {}
  const int64_t timeout_ns;
  std::atomic<bool> given_up{false};
  std::atomic<size_t> under_way{0};  // Calls that the drive has not ended, waited for or not.
};

// Held by a call until the drive has ended it.
class CallUnderWay {
 public:
  explicit CallUnderWay(std::shared_ptr<CallBounds> bounds) : bounds_(std::move(bounds)) {
    ++bounds_->under_way;
  }
  CallUnderWay(CallUnderWay&&) noexcept = default;
  CallUnderWay& operator=(CallUnderWay&&) = delete;
  ~CallUnderWay() {
    if (bounds_) --bounds_->under_way;
  }

 private:
  std::shared_ptr<CallBounds> bounds_;
};

std::shared_ptr<Drive> bounded(std::shared_ptr<Drive> drive, std::shared_ptr<CallBounds> bounds);
inline std::shared_ptr<Drive> bounded(std::shared_ptr<Drive> drive, int64_t timeout_ns) {
  return bounded(std::move(drive), std::make_shared<CallBounds>(timeout_ns));
}
std::shared_ptr<File> bounded(std::shared_ptr<File> file, std::shared_ptr<CallBounds> bounds);

// The file itself, if it is one of a bounded drive.
std::shared_ptr<File> unbounded(std::shared_ptr<File> file);

}  // namespace kura
