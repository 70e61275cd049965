#include "net/kernel.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>
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

namespace {

void from_kernel(std::span<uint8_t> out) {
  while (!out.empty()) {
    ssize_t n = getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    INVARIANT(n > 0, "the kernel always has random bytes after boot");
    out = out.subspan(static_cast<size_t>(n));
  }
}

// Of one thread. The process never forks and goes on in the child, which would repeat them.
struct Page {
  std::array<uint8_t, 4096> bytes;
  size_t used = sizeof bytes;
};

}  // namespace

void KernelRandom::fill(std::span<uint8_t> out) {
  thread_local Page page;
  if (out.size() > page.bytes.size()) return from_kernel(out);
  if (page.bytes.size() - page.used < out.size()) {
    from_kernel(page.bytes);
    page.used = 0;
  }
  uint8_t* from = page.bytes.data() + page.used;
  std::memcpy(out.data(), from, out.size());
  explicit_bzero(from, out.size());
  page.used += out.size();
}

}  // namespace kura
