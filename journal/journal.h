// Journal: the append-only log that is the truth (journal/PROTOCOL.md, section 10).
//
// What every implementation guarantees (tests/journal/journal_contract.h): distinct, growing
// offsets; a record once read never changes or vanishes; a report "at o" is true; anything else is
// Errc::unknown, and then records may land late, twice, or in another order. Nothing more.
// All functions are called on the loop that the journal was made for, unless they say otherwise.

#pragma once

#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "journal/record.h"
#include "object.pb.h"

namespace kura::journal {

struct Bounds {
  Offset start;  // First record that is still there; equal to `end` when there is none.
  Offset end;    // Where the next record would go.
};

// Whether an append may use the last free segment when no other can be had: only what frees space
// (deletes, moves) or costs next to nothing (claims, noops) may.
enum class AppendClass : uint8_t { normal = 1, reserve = 2 };

// Records as they lie in the log, one behind the other: byte i is that at offset `from` + i.
struct RawRecords {
  Offset from;  // Of the first one; behind what was asked for where the log has a gap there,
  Offset end;   // and of the record that follows, if one does. The same if there are no bytes.
  std::string bytes;  // Whole records (record_codec.h), each verified.
};

// Inline bodies by the place of their records in the log.
class InlineBodies {
 public:
  virtual ~InlineBodies() = default;
  // The inline body of the record at `body.offset()`, its checksum verified, damage mended. From
  // any loop. Errors: not_found (truncated), corrupt, io_error, unavailable.
  virtual Task<Result<std::string>> read_body(v1::JournalBody body) = 0;
  // As read_body when it needs no waiting, else false. From any thread.
  virtual bool try_read_body(const v1::JournalBody& body, std::string* out) = 0;
};

class Journal : public InlineBodies {
 public:
  virtual JournalId id() const = 0;
  virtual Bounds bounds() const = 0;

  // Appends all records in order and returns their offsets once every mirror has synced them.
  // REQUIRES: every record within kRecordMax, together within kJournalBatchMax; one append at a
  // time; `records` live until it returns. A drive that hangs may keep what it was given for ever;
  // then `records` are an equal copy afterwards, and views of the old ones are void. Errors:
  // too_large (one that REQUIRES excludes); no_space; unavailable (too few mirrors now): after
  // these none of the records is ever there, unless a start sees none of the mirrors that were
  // left. Other records may take their place that no fold counts. Anything else is unknown.
  virtual Task<Result<std::vector<Offset>>> append(
      std::vector<Record>& records, AppendClass append_class = AppendClass::normal) = 0;

  // Records from `from` on, at least one unless `from` is the end, about `bytes_max` bytes.
  // Errors: not_found when `from` was truncated, corrupt, io_error.
  virtual Task<Result<std::vector<StoredRecord>>> read(Offset from, uint64_t bytes_max) = 0;

  // The same records as read() as they lie, those before `below` and up to the next gap of the log;
  // no bytes where there are none.
  virtual Task<Result<RawRecords>> read_raw(Offset from, Offset below, uint64_t bytes_max) = 0;

  // Frees storage whose records all lie below `below`; may keep more than asked.
  virtual Task<Result<void>> truncate(Offset below) = 0;
};

}  // namespace kura::journal
