// SystemClock and KernelRandom: time and randomness from the kernel.

#pragma once

#include "base/clock.h"
#include "base/random.h"

namespace kura {

// CLOCK_REALTIME and CLOCK_BOOTTIME, which goes on while the machine sleeps. Thread-safe.
class SystemClock : public Clock {
 public:
  int64_t wall_ms() const override;
  int64_t monotonic_ns() const override;
};

// getrandom(2), a page at a time: every request draws ids, and a system call for each shows. What
// was given out is wiped. Fit for keys and ids. Thread-safe.
class KernelRandom : public Random {
 public:
  void fill(std::span<uint8_t> out) override;
};

}  // namespace kura
