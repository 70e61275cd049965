#include "base/frame_pool.h"

#include <array>
#include <new>

namespace kura::frame_pool {
namespace {

constexpr size_t kStepBytes = 64;
constexpr size_t kFrameBytesMax = 4096;  // Larger frames are rare.
constexpr size_t kKeptMax = 64;          // Of one size: at most 8 MiB of a thread in all.

#ifdef __has_feature  // Of clang; g++ defines a macro.
#define KURA_CLANG_HAS(feature) __has_feature(feature)
#else
#define KURA_CLANG_HAS(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || KURA_CLANG_HAS(address_sanitizer)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

struct Free {
  Free* next;
};

struct Kept {
  Free* first = nullptr;
  size_t count = 0;
};

struct Pool {
  std::array<Kept, kFrameBytesMax / kStepBytes> sizes;
  bool over = false;  // The thread ends: frames of its other thread-locals may still come.

  ~Pool() {
    over = true;
    for (Kept& kept : sizes)
      while (Free* frame = kept.first) {
        kept.first = frame->next;
        ::operator delete(frame);
      }
  }
};

constinit thread_local Pool pool;

constexpr size_t index_of(size_t size_bytes) { return (size_bytes - 1) / kStepBytes; }

}  // namespace

void* allocate(size_t size_bytes) {
  if (!kPooled || size_bytes > kFrameBytesMax) return ::operator new(size_bytes);
  Kept& kept = pool.sizes[index_of(size_bytes)];
  if (kept.first == nullptr) return ::operator new((index_of(size_bytes) + 1) * kStepBytes);
  Free* frame = kept.first;
  kept.first = frame->next;
  --kept.count;
  return frame;
}

void release(void* frame, size_t size_bytes) noexcept {
  if (kPooled && size_bytes <= kFrameBytesMax) {
    Kept& kept = pool.sizes[index_of(size_bytes)];
    if (!pool.over && kept.count < kKeptMax) {
      kept.first = new (frame) Free{kept.first};
      ++kept.count;
      return;
    }
  }
  ::operator delete(frame);
}

}  // namespace kura::frame_pool
