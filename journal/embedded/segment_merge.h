// SegmentMerge: one segment of a log on all its mirrors, while merge_log() walks it record by
// record and brings every copy to the same bytes.

#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "base/limits.h"
#include "journal/embedded/merge.h"
#include "journal/embedded/segment_format.h"
#include "journal/embedded/segment_reader.h"
#include "journal/embedded/segment_writer.h"
#include "journal/record_codec.h"

namespace kura::journal {

class SegmentMerge {
 public:
  // `readers`: by source. `order`, and `log`, which it adds what it finds to, outlive it.
  SegmentMerge(const MergeOrder& order, uint64_t base, std::vector<SegmentReader> readers,
               MergedLog& log)
      : order_(order),
        base_(base),
        readers_(std::move(readers)),
        disagrees_(readers_.size()),
        log_(log) {}

  // Checks the headers and, if `write`, prepares every mirror for what is put right. `next`: base
  // of the segment that comes after it. Errors, here and below: as merge_log().
  Task<Result<void>> begin(bool write, std::optional<uint64_t> next);

  uint64_t base() const { return base_; }
  uint64_t limit() const { return base_ + capacity_; }
  // Where the next record should be.
  uint64_t offset() const { return base_ + at_; }
  bool has_room() const { return at_ + kRecordHeaderBytes <= capacity_; }
  void go_on_at(uint64_t offset) { at_ = offset - base_; }

  // False when no mirror has a record here that hangs together with the one before.
  Task<Result<bool>> take_record();
  // Offset of the first record behind the place where the walk stopped that proves a loss.
  Task<std::optional<uint64_t>> find_proof();
  // From now on it only looks, and leaves the copies as they are.
  void stop_writing() { writers_.clear(); }
  // Zeros what lies behind the last record and makes the segment durable on every mirror.
  Task<Result<void>> close();

 private:
  bool writes() const { return !writers_.empty(); }
  uint64_t room() const { return std::min(kRecordMax, capacity_ - at_); }
  Task<Result<std::vector<bool>>> check_headers(std::optional<uint64_t> next);
  std::shared_ptr<File> file_to_mend(SegmentReader& reader, bool header_right);
  Task<Result<void>> add_writer(MirrorPtr mirror, std::shared_ptr<File> file, uint64_t file_bytes,
                                bool header_right);
  Task<Result<void>> load_ahead();
  std::optional<RecordView> record_of(size_t source) const;
  Result<void> note_other(size_t from, RecordView record, size_t other);
  Task<Result<void>> spread(size_t from, RecordView record);
  Task<Result<void>> zero(SegmentWriter& writer, uint64_t at, uint64_t end);
  Result<void> sealed_off() const;

  const MergeOrder& order_;
  const uint64_t base_;
  uint64_t capacity_ = 0;
  std::vector<SegmentReader> readers_;  // By source.
  std::vector<bool> disagrees_;         // By source: it has a valid record that is none of the log.
  std::vector<std::unique_ptr<SegmentWriter>> writers_;  // By source, then by fresh; empty: none.
  uint64_t at_ = kSegmentHeaderBytes;                    // In the file, of offset().
  MergedLog& log_;
};

}  // namespace kura::journal
