// The fold of a data partition: what an event does to the rows of the view. Pure: the same log
// prefix gives the same rows, at decide time (over an overlay), when a batch is folded, and at each
// replay.
//
// Errors: unsupported (an event that this build does not know), corrupt (an event that cannot apply
// to this state, or a row that does not parse), and those of the rows. After any of them the
// partition stops and answers 503; an event is never skipped. Rows may be half written then: drop
// the batch.

#pragma once

#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "event.pb.h"
#include "journal/record.h"
#include "projections/metadata/outcome.h"
#include "projections/metadata/overlay.h"

namespace kura {

// Applies one effective event. `offset` is that of its record; Offset{0} at decide time, when it is
// not known yet (rows then hold 0 where the offset belongs, and no decision depends on it).
// Returns what to answer: the outcome that the request table keeps.
Result<Outcome> apply_event(Rows& rows, PartitionId partition, Offset offset,
                            const v1::Event& event);

// Applies one effective event record of a data partition and keeps its outcome in the request table
// unless its request id is nil. `event` is its payload, parsed.
Result<Outcome> fold_record(Rows& rows, Offset offset, const journal::Record& record,
                            const v1::Event& event);

// Parses the payload of an event record. Errors: corrupt, unsupported.
Result<v1::Event> parse_event(std::string_view payload);

}  // namespace kura
