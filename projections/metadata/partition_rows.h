// The rows that each partition has for itself: the buckets it knows, how far it applied control,
// whose reservations are over, who owns it. Errors of all: corrupt, and those of the rows.

#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "journal/fold.h"
#include "projections/metadata/overlay.h"
#include "rows.pb.h"

namespace kura {

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

}  // namespace kura
