// DirectWrites: writes past the page cache, begun and ended by the loop of their caller.
//
// A thread that calls pwrite() and fdatasync() sleeps and wakes for each; here the kernel tells the
// loop, as it does for sockets. Loops of real nodes may have them (net/uring_writes.h); who needs
// a write asks current() each time and has another way.

#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/loop.h"

namespace kura {

// What offset, length and memory of a direct write are multiples of: no drive asks for more.
inline constexpr uint64_t kDirectAlign = 4096;

class DirectWrites {
 public:
  virtual ~DirectWrites() = default;

  enum class Until { written, durable };  // Durable: as after O_DSYNC.

  // Writes `bytes` at `offset_bytes` of `fd`, which was opened with O_DIRECT. `done` gets what
  // pwrite(2) would return, or the negative errno. False: nothing was begun. REQUIRES: all is
  // aligned, and both live until the end.
  virtual bool begin(int fd, uint64_t offset_bytes, std::string_view bytes, Until until,
                     Resolver<int64_t> done) = 0;

  // Those of the loop that the caller runs on; null where there are none.
  static DirectWrites* current() { return current_; }

 protected:
  // Held by the thread that runs the loop.
  class Running {
   public:
    explicit Running(DirectWrites* writes) : before_(std::exchange(current_, writes)) {}
    ~Running() { current_ = before_; }
    Running(const Running&) = delete;

   private:
    DirectWrites* before_;
  };

 private:
  static inline thread_local DirectWrites* current_ = nullptr;
};

}  // namespace kura
