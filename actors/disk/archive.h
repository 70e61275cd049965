// Archive: pieces of the log that are mostly live bodies move to segment sets as they are, without
// an event or a row for each body, and are read there by the place of their records in the log. One
// that has become mostly garbage is cleaned: what lives in it moves as a body of its own, and the
// piece is dropped. All on the pool's loop; nothing is lost by an error: call again.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/disk/body_mover.h"
#include "actors/disk/live_bodies.h"
#include "journal/record_codec.h"
#include "projections/control/control_state.h"

namespace kura::disk {

// Whole records, as they lie in the log without a gap.
struct LogPiece {
  Offset from;
  Offset to;                        // Behind the last one,
  Offset next;                      // and where the log goes on.
  std::vector<std::string> chunks;  // Of whole records each.

  uint64_t bytes() const { return to.value - from.value; }
};

// Goes through the records of a piece that have an inline body, in order.
class BodyCursor {
 public:
  // `piece` outlives it.
  BodyCursor(const LogPiece& piece, const JournalId& journal);
  // False: there is none any more. Errors: corrupt (no record of this journal is there).
  Result<bool> next();
  Offset offset() const { return offset_; }
  const journal::RecordView& record() const { return record_; }

 private:
  const LogPiece& piece_;
  const JournalId journal_;
  size_t chunk_ = 0;
  std::string_view rest_;  // Of the chunk.
  Offset behind_;          // The record that `rest_` begins with.
  Offset offset_;
  journal::RecordView record_;
};

// Where the inline body of a record is named. Errors: corrupt, unsupported (an event with a body
// that this build does not know).
Result<v1::BodiesMoved_Move> place_of(Offset offset, const journal::RecordView& record);

// Moves the live bodies of the piece and returns how many. Errors: of the view, of writing and of
// the moves; unsupported.
Task<Result<uint64_t>> move_live(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                 BucketWriter& buckets, const LogPiece& piece);

// Whether the piece is large enough, and enough of it live, to be kept as it is. Judged by some of
// its bodies. Errors: of the view and of place_of().
Result<bool> is_worth_archiving(const DiskCore& core, const LiveBodies& live,
                                const LogPiece& piece);

// Errors: of writing and of the ledger.
Task<Result<void>> archive(std::shared_ptr<DiskCore> core, LogPiece piece);
// Copies the bytes of an archived piece to other sets. Errors: of reading besides; nothing is wrong
// if it was dropped meanwhile.
Task<Result<void>> archive_again(std::shared_ptr<DiskCore> core, Target target,
                                 std::shared_ptr<const ArchivedLog> piece);

// Bytes that lie together in one member file.
struct Span {
  SetId set;
  uint32_t member = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};
// Where `bytes` of the body from `at` on lie; less if the body ends there or a set is gone.
std::vector<Span> spans_of(const ControlState& state, const v1::Body& body, uint64_t at,
                           uint64_t bytes);

// Whether so little of the piece is live that it should be cleaned. About right: bodies of the same
// part of the log are counted together.
Result<bool> is_worth_cleaning(const DiskCore& core, const LiveBodies& live,
                               const ControlState& state, const ArchivedLog& piece);
// Moves what is live and drops the piece. Errors: of reading, of the moves and of the ledger.
Task<Result<void>> clean(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                         BucketWriter& buckets, std::shared_ptr<const ArchivedLog> piece);

// The same where the piece cannot be read as a whole: asks the whole view what lives in it, so it
// takes long. Errors: of a body that cannot be read; all others have moved then.
Task<Result<void>> clean_by_names(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                  BucketWriter& buckets, std::shared_ptr<const ArchivedLog> piece);

}  // namespace kura::disk
