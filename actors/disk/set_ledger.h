// SetLedger: how actors/disk gets its facts about segment sets, and about the log that it archives
// in them, recorded. They are events of the control partition (SetOpened, SetSealed,
// SetMemberReplaced, SetDropped, LogArchived, LogArchiveDropped); the control actor implements
// this.
//
// Every call returns when its event is effective and folded, so that state() shows it.
// Called on the loop of the DiskPool; state() from any thread.
// Errors: unavailable and no_space (not now; nothing was recorded), unknown (state() tells later),
// and of calls that do not fit the state: not_found (no such set), exists (it is sealed),
// invalid_argument.

#pragma once

#include <memory>

#include "base/ids.h"
#include "base/result.h"
#include "base/task.h"
#include "projections/control/control_state.h"

namespace kura {

class SetLedger {
 public:
  virtual ~SetLedger() = default;
  // `draft` is complete but for its id, which the ledger allocates and never reuses.
  virtual Task<Result<SegmentSet>> open_set(SegmentSet draft) = 0;
  // Nothing is ever written behind `length_bytes` of each member file.
  virtual Task<Result<void>> seal_set(SetId set, uint64_t length_bytes) = 0;
  virtual Task<Result<void>> replace_member(SetId set, uint32_t member, DriveId drive) = 0;
  virtual Task<Result<void>> drop_set(SetId set) = 0;
  // `piece.body` is durable. `again`: the piece was archived, and its bytes were copied. Errors
  // besides: exists, or with `again` not_found.
  virtual Task<Result<void>> archive_log(ArchivedLog piece, bool again) = 0;
  virtual Task<Result<void>> drop_archive(Offset from) = 0;  // Besides: not_found.
  virtual std::shared_ptr<const ControlState> state() const = 0;
};

}  // namespace kura
