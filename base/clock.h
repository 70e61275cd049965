// Clock: the only source of time.

#pragma once

#include <cstdint>

namespace kura {

class Clock {
 public:
  virtual ~Clock() = default;
  // Milliseconds since 1970-01-01 UTC. May step; never decides order.
  virtual int64_t wall_ms() const = 0;
  // Nanoseconds on a clock that never steps (CLOCK_BOOTTIME). For durations and leases.
  virtual int64_t monotonic_ns() const = 0;
};

}  // namespace kura
