// The fold of a data partition: what an event does to the rows of the view. Pure: the same log
// prefix gives the same rows, at decide time (over an overlay), when a batch is folded, and at each
// replay.
//
// Errors: unsupported (an event that this build does not know), corrupt (an event that cannot apply
// to this state, or a row that does not parse), and those of the rows. After any of them the
// partition stops and answers 503; an event is never skipped. Rows may be half written then: drop
// the batch.

#pragma once

#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "event.pb.h"
#include "journal/fold.h"
#include "journal/record.h"
#include "projections/metadata/outcome.h"
#include "projections/metadata/overlay.h"
#include "rows.pb.h"

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

// What partition `partition` knows of a bucket; none: unknown (or deleted). After a DELETING effect
// was folded, `vote` and `operation` are the partition's vote.
Result<std::optional<v1::BucketRow>> bucket_row(RowReader& rows, PartitionId partition,
                                                BucketId bucket);

// Last control record that the partition applied; 0: none.
Result<Offset> control_position(RowReader& rows, PartitionId partition);

// Whether reservations of this process (WriterId, 16 bytes) are over in this partition.
Result<bool> is_voided(RowReader& rows, PartitionId partition, std::string_view incarnation);

// Head of a partition, kControlPartition included; as at the start of its log when there is no row.
Result<journal::PartitionHead> partition_head(RowReader& rows, PartitionId partition);
void put_partition_head(Rows& rows, PartitionId partition, const journal::PartitionHead& head);

// Where the view stands: written with each batch, in the same batch.
struct ViewPosition {
  Offset offset;  // Of the last record folded.
  Offset end;     // Where the next record is.
};
Result<ViewPosition> decode_position(std::string_view value);  // Errors: corrupt.
void put_position(Rows& rows, ViewPosition position);
Result<std::optional<ViewPosition>> view_position(RowReader& rows);  // None: an empty view.

}  // namespace kura
