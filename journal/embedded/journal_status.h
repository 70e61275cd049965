// What an embedded journal tells about itself: at its start, while it runs, and when its drives are
// verified.

#pragma once

#include <array>
#include <string>
#include <vector>

#include "journal/embedded/merge.h"
#include "journal/embedded/mirror_set.h"
#include "journal/journal.h"

namespace kura::journal {

// What open() found and did.
struct OpenReport {
  uint64_t generation = 0;
  uint64_t records = 0;
  uint64_t repaired_bytes = 0;  // Copied from one mirror to another.
  uint64_t cut_bytes = 0;       // Of a torn append at the end; nothing acknowledged.
  uint64_t damage_count = 0;
  std::vector<Damage> damages;         // The first kDamagesMax.
  std::vector<std::string> replaced;   // Labels of drives that became mirrors.
  bool degraded = false;               // Too few drives: appends are unavailable.
  std::vector<DriveId> other_history;  // Given to open(), and left alone: see kOtherHistory.
  std::vector<WriterId> writers;       // Who wrote this log before, as far as is remembered.
};

struct VerifyReport {
  MirrorSet set;
  std::vector<std::string> problems;  // One line each; empty: every mirror that is here is whole.
  // What a process that was interrupted left half done, and the next start completes: no damage.
  std::vector<std::string> unfinished;
  size_t missing = 0;  // Mirrors that are not here.
  MergedLog log;
};

// Records of the log that one segment holds: [start, end).
struct SegmentSpan {
  Offset start;
  Offset end;
  bool active = false;  // Still written to.
};

// Since the start.
struct JournalCounters {
  uint64_t appends = 0, records = 0, append_bytes = 0, syncs = 0;
  // Places that were wrong on one mirror or drive, records of the mirror set included: found at the
  // start, by reads and by scrub; and how many of them were made right.
  uint64_t damages = 0, repairs = 0;
  uint64_t scrubs = 0;        // Completed.
  uint64_t replacements = 0;  // Mirrors replaced while running.
  uint64_t append_ns_sum = 0;
  // [i]: appends that took less than 2^i us, and 2^(i-1) or more.
  std::array<uint64_t, 24> append_us{};

  void count_append(size_t append_records, uint64_t bytes, uint64_t took_ns);
};

struct JournalStatus : JournalCounters {
  struct MirrorStatus {
    DriveId drive;
    std::string label;
  };
  std::vector<MirrorStatus> mirrors;       // Healthy members.
  std::vector<MirrorStatus> other_drives;  // Online, no members.
  std::vector<std::string> failed;         // "label: reason" of drives sealed off since the start.
  uint32_t mirrors_wanted = 0;             // m + 1 of the set.
  uint64_t generation = 0;
  bool degraded = false;
  bool in_doubt = false;  // A change of mirrors got half-way; see EmbeddedJournal::is_in_doubt().
  bool fatal = false;     // No mirror is left; the process must end.
  Bounds bounds;
  uint64_t segments = 0;
  uint64_t disk_bytes = 0;  // On each mirror, prepared segments included.
  uint64_t cached_body_bytes = 0;
};

}  // namespace kura::journal
