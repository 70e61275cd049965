// AlignedBytes: memory that a direct write can take as it is.

#pragma once

#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

#include "base/direct_writes.h"

namespace kura {

class AlignedBytes {
 public:
  AlignedBytes() = default;
  // Not filled with anything. `bytes` is rounded up to a multiple of kDirectAlign.
  explicit AlignedBytes(size_t bytes)
      : size_((bytes + kDirectAlign - 1) / kDirectAlign * kDirectAlign),
        bytes_(static_cast<char*>(std::aligned_alloc(kDirectAlign, size_))) {
    if (!bytes_) throw std::bad_alloc();
  }
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view view(size_t from, size_t length) const { return {bytes_.get() + from, length}; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  size_t size_ = 0;
  std::unique_ptr<char, Free> bytes_;
};

}  // namespace kura
