// Merging the mirrors of a log into one truth: the heart of recovery, of replacing a mirror, and of
// verifying.
//
// It walks the log record by record, takes each from any mirror on which it is valid, and brings
// every other copy to the same bytes. A withdrawal wins over what another mirror has there, unless
// a running journal knows better (`known_end`): its own mirrors come first. It cuts only a tail
// behind which no mirror has a record that proves a loss; a hole on every mirror is reported with
// its offsets and nothing is cut.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "journal/embedded/mirror.h"
#include "journal/record_codec.h"

namespace kura::journal {

// One segment of the log on all its mirrors.
struct LogSegment {
  uint64_t base = 0;
  uint64_t capacity_bytes = 0;
  uint64_t end = 0;                          // Offset behind its last record.
  std::vector<std::shared_ptr<File>> files;  // By mirror; null where the mirror has none.

  uint64_t limit() const { return base + capacity_bytes; }
};

// Something on one mirror that was not as it should be, and is right on another.
struct Damage {
  std::string drive;
  Offset offset;
  uint64_t length_bytes = 0;
  std::string what;
};

// Offsets [from, to) that no mirror has.
struct Hole {
  Offset from;
  Offset to;
};

struct MergeOrder {
  JournalId journal;
  uint64_t start = 0;              // Base of the first live segment.
  std::vector<MirrorPtr> sources;  // Current mirrors. Mended in place if `write`.
  std::vector<MirrorPtr> fresh;    // New mirrors without segments, to be filled. Needs `write`.
  bool write = false;
  // Of a running journal: what lies behind is no part of it, and prepared segments stay. Without it
  // whole segments behind the end are removed.
  std::optional<uint64_t> known_end;
};

struct MergedLog {
  std::vector<LogSegment> segments;  // Not empty; files by sources, then fresh.
  uint64_t last = 0;                 // Offset of the last record; 0: there is none.
  Offset last_append;      // Where its append began: all below was synced on every mirror.
  uint64_t withdrawn = 0;  // Offset behind the last withdrawal.
  uint64_t records = 0;
  uint64_t repaired_bytes = 0;
  uint64_t cut_bytes = 0;  // Not zero behind the end, on the mirror that had the most.
  uint64_t damage_count = 0;
  std::vector<Damage> damages;  // The first kDamagesMax.
  std::vector<Hole> holes;      // Only in an answer to an order that does not write.

  // Whether the log may go on with `record` at `offset`: it follows the last one, and is not of an
  // append that was withdrawn.
  bool goes_on_with(const RecordView& record, uint64_t offset) const {
    return (last == 0 || record.back == offset - last) && offset - record.since >= withdrawn;
  }
  void note(const Mirror& mirror, uint64_t offset, uint64_t length_bytes, std::string what);
};
inline constexpr size_t kDamagesMax = 1000;

// Everything that was written is durable when it returns. Errors: io_error when a mirror was sealed
// off (try again without it); no_space for a fresh mirror or a missing segment; corrupt: data loss,
// names the offsets; unsupported.
Task<Result<MergedLog>> merge_log(MergeOrder order);

std::string describe(const std::vector<Hole>& holes);

}  // namespace kura::journal
