// SparseBytes: the content of a simulated file. Pages never written take no memory and read as
// zeros, since journal segments and member files are reserved by the hundred megabytes.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace kura::sim {

class SparseBytes {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  void write(uint64_t offset, std::string_view bytes) {
    each_page(offset, bytes.size(), [&](uint64_t page, uint64_t in_page, uint64_t at, uint64_t n) {
      std::unique_ptr<char[]>& content = pages_[page];
      if (!content) content = std::make_unique<char[]>(kPageBytes);
      std::memcpy(content.get() + in_page, bytes.data() + at, n);
    });
  }

  void read(uint64_t offset, uint64_t length, char* out) const {
    each_page(offset, length, [&](uint64_t page, uint64_t in_page, uint64_t at, uint64_t n) {
      auto it = pages_.find(page);
      if (it == pages_.end())
        std::memset(out + at, 0, n);
      else
        std::memcpy(out + at, it->second.get() + in_page, n);
    });
  }
  std::string read(uint64_t offset, uint64_t length) const {
    std::string out(length, '\0');
    read(offset, length, out.data());
    return out;
  }

  // Whether some page of the range was ever written.
  bool touched(uint64_t offset, uint64_t length) const {
    if (length == 0) return false;
    auto it = pages_.lower_bound(offset / kPageBytes);
    return it != pages_.end() && it->first <= (offset + length - 1) / kPageBytes;
  }

  // Zeros from `size` on.
  void truncate(uint64_t size) {
    pages_.erase(pages_.lower_bound((size + kPageBytes - 1) / kPageBytes), pages_.end());
    const uint64_t in_page = size % kPageBytes;
    auto it = pages_.find(size / kPageBytes);
    if (in_page && it != pages_.end())
      std::memset(it->second.get() + in_page, 0, kPageBytes - in_page);
  }

  uint64_t memory_bytes() const { return pages_.size() * kPageBytes; }
  // Offsets of the pages that were written, ascending.
  template <class Visit>
  void each_touched(Visit visit) const {
    for (const auto& [page, content] : pages_) visit(page * kPageBytes);
  }

 private:
  template <class Visit>
  static void each_page(uint64_t offset, uint64_t length, Visit visit) {
    for (uint64_t at = 0; at < length;) {
      const uint64_t in_page = (offset + at) % kPageBytes;
      const uint64_t n = std::min(kPageBytes - in_page, length - at);
      visit((offset + at) / kPageBytes, in_page, at, n);
      at += n;
    }
  }

  std::map<uint64_t, std::unique_ptr<char[]>> pages_;
};

}  // namespace kura::sim
