// LogRing: lines from one thread to another, through a piece of memory of fixed size, without a
// lock. What does not fit is refused: whoever serves requests never waits for a reader of the log.

#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <memory>
#include <string_view>

namespace kura::node {

class LogRing {
 public:
  explicit LogRing(size_t bytes)
      : size_(std::bit_ceil(bytes)), bytes_(std::make_unique_for_overwrite<char[]>(size_)) {}

  // The line and its end. False: no room. One thread at a time.
  bool put(std::string_view line) {
    const uint64_t end = end_.load(std::memory_order_relaxed);
    if (line.size() + 1 > size_ - (end - begin_.load(std::memory_order_acquire))) return false;
    copy(end, line);
    copy(end + line.size(), "\n");
    // In one order with what the reader says before it rests (process_log.cc).
    end_.store(end + line.size() + 1, std::memory_order_seq_cst);
    return true;
  }

  // The oldest bytes in one piece; empty: there are none. A piece ends where a line does, or where
  // the ring does. take() frees them. Both by one thread at a time.
  std::string_view front() const {
    const uint64_t begin = begin_.load(std::memory_order_relaxed);
    const uint64_t size = end_.load(std::memory_order_seq_cst) - begin;
    const uint64_t at = begin & (size_ - 1);
    return {bytes_.get() + at, static_cast<size_t>(std::min(size, size_ - at))};
  }
  void take(size_t bytes) {
    begin_.store(begin_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
  }

 private:
  void copy(uint64_t to, std::string_view from) {
    const uint64_t at = to & (size_ - 1);
    const size_t first = static_cast<size_t>(std::min<uint64_t>(from.size(), size_ - at));
    std::memcpy(bytes_.get() + at, from.data(), first);
    std::memcpy(bytes_.get(), from.data() + first, from.size() - first);
  }

  const uint64_t size_;
  const std::unique_ptr<char[]> bytes_;
  // Ever taken, ever put; apart, so that the two threads do not share a cache line.
  alignas(64) std::atomic<uint64_t> begin_{0};
  alignas(64) std::atomic<uint64_t> end_{0};
};

}  // namespace kura::node
