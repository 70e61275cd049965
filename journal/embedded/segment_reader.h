// SegmentReader: walks the file of one segment on one mirror through a window in memory.
//
// What cannot be read counts as damaged, not as the end of the mirror: a few bad sectors must not
// take a whole copy away. A mirror of which nothing at all can be read any more is sealed off.

#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "journal/embedded/mirror.h"

namespace kura::journal {

class SegmentReader {
 public:
  static constexpr uint64_t kWindowBytes = 2 << 20;  // Several records of the greatest size.

  // `file` null: the mirror has no such file, and every read is empty.
  SegmentReader(MirrorPtr mirror, std::shared_ptr<File> file, uint64_t file_bytes)
      : mirror_(std::move(mirror)), file_(std::move(file)), file_bytes_(file_bytes) {}

  Mirror& mirror() { return *mirror_; }
  bool missing() const { return !file_; }
  const std::shared_ptr<File>& file() const { return file_; }
  uint64_t file_bytes() const { return file_bytes_; }

  // Makes [at, at + length), as far as the file goes, available. `length` <= kWindowBytes.
  Task<void> load(uint64_t at, uint64_t length);
  bool covers(uint64_t at, uint64_t length) const {
    const uint64_t end = std::min(at + length, file_bytes_);
    return missing() || at >= end || (at >= window_at_ && end <= window_at_ + window_.size());
  }
  // What the window has of [at, at + length).
  std::string_view bytes(uint64_t at, uint64_t length) const {
    if (at < window_at_ || at >= window_at_ + window_.size()) return {};
    return std::string_view(window_).substr(at - window_at_, length);
  }

 private:
  Task<void> load_piecewise(uint64_t at, uint64_t end);

  MirrorPtr mirror_;
  std::shared_ptr<File> file_;
  uint64_t file_bytes_;
  uint64_t window_at_ = 0;
  std::string window_;
};

}  // namespace kura::journal
