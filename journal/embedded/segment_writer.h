// SegmentWriter: brings the file of one segment on one mirror to its right content, either by
// mending places of the file that is there or by building a fresh one beside it.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/task.h"
#include "journal/embedded/mirror.h"

namespace kura::journal {

class SegmentWriter {
 public:
  // `file` null: builds a fresh file of `capacity_bytes`, which takes its name in finish().
  SegmentWriter(MirrorPtr mirror, uint64_t base, uint64_t capacity_bytes,
                std::shared_ptr<File> file, uint64_t file_bytes)
      : mirror_(std::move(mirror)),
        base_(base),
        capacity_bytes_(capacity_bytes),
        file_(std::move(file)),
        file_bytes_(file_bytes) {}

  bool fresh() const { return fresh_; }
  Mirror& mirror() { return *mirror_; }
  std::shared_ptr<File> file() const { return file_; }

  // Errors: no_space, which does not seal the mirror off; others do, here and below.
  Task<Result<void>> begin();
  // Ascending positions. Neighbours are joined into larger writes.
  Task<Result<void>> put(uint64_t at, std::string_view bytes);
  // Everything that was put is durable, under the segment's name, and the file has its full size.
  Task<Result<void>> finish();

 private:
  Task<Result<void>> flush();

  MirrorPtr mirror_;
  uint64_t base_;
  uint64_t capacity_bytes_;
  std::shared_ptr<File> file_;
  uint64_t file_bytes_;
  bool fresh_ = false;
  uint64_t run_at_ = 0;
  std::string run_;
};

}  // namespace kura::journal
