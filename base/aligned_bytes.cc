#include "base/aligned_bytes.h"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "base/limits.h"

namespace kura {
namespace {

constexpr size_t kHugeBytes = 2 * kMiB;  // A huge page of x86-64.
constexpr size_t kKeptMax = 16;          // 32 MiB that stay with the process.

// Huge pages for what fills most of one, such as the runs of a large body where a third is parity.
// A direct write pins the pages of its memory one by one, half of what the kernel's workers do for
// it. Freed ones are kept for the next: the kernel zeroes what it hands out.
class HugePages {
 public:
  static bool fit(size_t size) { return size > kHugeBytes / 2 && size <= kHugeBytes; }

  char* take() {
    {
      std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        char* bytes = kept_.back();
        kept_.pop_back();
        return bytes;
      }
    }
    char* bytes = static_cast<char*>(std::aligned_alloc(kHugeBytes, kHugeBytes));
    // A wish: without it, it is memory all the same.
    if (bytes) (void)madvise(bytes, kHugeBytes, MADV_HUGEPAGE);
    return bytes;
  }

  void give_back(char* bytes) {
    {
      std::lock_guard lock(mutex_);
      if (kept_.size() < kKeptMax) return kept_.push_back(bytes);
    }
    std::free(bytes);
  }

 private:
  std::mutex mutex_;
  std::vector<char*> kept_;
};

// Never destroyed: threads may end after the statics do.
HugePages& huge_pages() {
  static HugePages& pages = *new HugePages();
  return pages;
}

}  // namespace

char* detail::allocate_aligned(size_t size_bytes) {
  char* bytes = HugePages::fit(size_bytes)
                    ? huge_pages().take()
                    : static_cast<char*>(std::aligned_alloc(kDirectAlign, size_bytes));
  if (!bytes) throw std::bad_alloc();
  return bytes;
}

void detail::FreeAligned::operator()(char* bytes) const {
  if (HugePages::fit(size_bytes)) return huge_pages().give_back(bytes);
  std::free(bytes);
}

}  // namespace kura
