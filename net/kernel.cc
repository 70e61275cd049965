#include "net/kernel.h"

#include <sys/random.h>

#include <cerrno>
#include <ctime>

#include "base/check.h"

namespace kura {

int64_t SystemClock::wall_ms() const {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

int64_t SystemClock::monotonic_ns() const {
  timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void KernelRandom::fill(std::span<uint8_t> out) {
  while (!out.empty()) {
    ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    INVARIANT(n > 0, "the kernel always has random bytes after boot");
    out = out.subspan(static_cast<size_t>(n));
  }
}

}  // namespace kura
