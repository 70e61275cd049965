// AlignedBytes: memory that a direct write can take as it is.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/direct_writes.h"

namespace kura {

namespace detail {
char* allocate_aligned(size_t size_bytes);  // A multiple of kDirectAlign.
struct FreeAligned {
  size_t size_bytes = 0;
  void operator()(char* bytes) const;
};
}  // namespace detail

class AlignedBytes {
 public:
  AlignedBytes() = default;
  // Not filled with anything. `bytes` is rounded up to a multiple of kDirectAlign.
  explicit AlignedBytes(size_t bytes)
      : size_((bytes + kDirectAlign - 1) / kDirectAlign * kDirectAlign),
        bytes_(detail::allocate_aligned(size_), {size_}) {}
  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view view(size_t from, size_t length) const { return {bytes_.get() + from, length}; }

 private:
  size_t size_ = 0;
  std::unique_ptr<char, detail::FreeAligned> bytes_;
};

}  // namespace kura
