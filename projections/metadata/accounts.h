// What the fold keeps beside the objects: counters per bucket, live bytes per segment set, and who
// owns each extent. All of it follows from the same events, so it is exact.

#pragma once

#include <cstdint>

#include "base/ids.h"
#include "base/limits.h"
#include "base/result.h"
#include "object.pb.h"
#include "projections/metadata/overlay.h"
#include "rows.pb.h"

namespace kura {

// Above this (1 PiB) a number of bytes in an event is none: sums and signed changes of such numbers
// would leave 64 bits.
inline constexpr uint64_t kCountedBytesMax = uint64_t{1} << 50;

struct CounterChange {
  int64_t objects = 0;
  int64_t versions = 0;
  int64_t bytes = 0;
  int64_t uploads = 0;
};

// A row that falls to zero everywhere goes away. Errors: corrupt when a counter would be negative.
Result<void> change_counters(Rows& rows, PartitionId partition, BucketId bucket,
                             const CounterChange& change);

// The piece of the log whose live bytes are counted together.
inline uint64_t log_piece(Offset offset) { return offset.value / kLogPieceBytes; }

// The fold now names the extents of `body`, or the record that it lies in, or no longer does.
// `owner` without stored_bytes. Errors: corrupt when an extent has an owner already or is no
// extent, or when live bytes of a set would be negative. Those of the log only say where it is
// worth looking for garbage: a view of an older build did not count them.
Result<void> add_body(Rows& rows, PartitionId partition, const v1::ExtentRow& owner,
                      const v1::Body& body);
Result<void> remove_body(Rows& rows, PartitionId partition, const v1::Body& body);

v1::ExtentRow version_owner(BucketId bucket, std::string_view key, std::string_view version_id);
v1::ExtentRow part_owner(BucketId bucket, std::string_view key, std::string_view upload_id,
                         uint32_t number);

bool same_body(const v1::Body& a, const v1::Body& b);

}  // namespace kura
