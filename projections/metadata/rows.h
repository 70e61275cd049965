// Keys of the view's rows. One ordered key space holds all partitions of the node, so that LIST is
// one range. README.md has the grammar; tests/golden/metadata has the bytes.
//
// The first byte is the kind. Numbers are big-endian, so that byte order is number order.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace kura::row {

using Kind = char;
inline constexpr Kind kControlPos =
    'a';  // partition: u64, last control record that the partition applied.
inline constexpr Kind kBucket = 'b';    // partition bucket: BucketRow.
inline constexpr Kind kCounters = 'c';  // bucket partition: CounterRow.
inline constexpr Kind kHead = 'f';      // partition: HeadRow (journal/fold.h).
inline constexpr Kind kControl =
    'k';  // piece of ControlState (projections/control/control_rows.h).
inline constexpr Kind kLogBytes = 'l';  // piece partition: u64, bytes of live inline bodies.
inline constexpr Kind kPosition = 'n';  // Position of the view.
inline constexpr Kind kCurrent = 'o';  // bucket key: ObjectVersion, the current version of the key.
inline constexpr Kind kPart =
    'p';  // upload_id number: Part, of an open upload or of a multipart version.
inline constexpr Kind kRequests = 'q';   // partition: u64, requests ever put into the table.
inline constexpr Kind kRequest = 'r';    // partition slot: RequestRow.
inline constexpr Kind kLiveBytes = 's';  // set partition: u64, stored bytes.
inline constexpr Kind kUpload = 'u';     // bucket escaped(key) 00 01 upload_id: Upload.
inline constexpr Kind kNoncurrent =
    'v';  // bucket escaped(key) 00 01 ~sequence: ObjectVersion, newest first.
inline constexpr Kind kVoided = 'w';  // partition incarnation: empty; its reservations are over.
inline constexpr Kind kExtent = 'x';  // set offset member: ExtentRow.

inline constexpr size_t kUploadIdBytes = 16;  // Of every id that is in a row.

std::string control_pos_key(PartitionId partition);
std::string bucket_key(PartitionId partition, BucketId bucket);
std::string counters_key(BucketId bucket, PartitionId partition);
std::string head_key(PartitionId partition);
std::string position_key();
std::string current_key(BucketId bucket, std::string_view key);
std::string part_key(std::string_view upload_id, uint32_t number);
std::string requests_key(PartitionId partition);
std::string request_key(PartitionId partition, uint32_t slot);
std::string live_bytes_key(SetId set, PartitionId partition);
std::string log_bytes_key(uint64_t piece, PartitionId partition);
std::string upload_key(BucketId bucket, std::string_view key, std::string_view upload_id);
std::string noncurrent_key(BucketId bucket, std::string_view key, uint64_t sequence);
std::string voided_key(PartitionId partition, std::string_view incarnation);
std::string extent_key(SetId set, uint64_t offset_bytes, uint32_t member);

// Ranges: every key that starts so, and no other, is of that range.
std::string counters_prefix(BucketId bucket);
std::string current_prefix(BucketId bucket);
std::string parts_prefix(std::string_view upload_id);
std::string live_bytes_prefix(SetId set);
std::string log_bytes_prefix(uint64_t piece);  // See log_piece() in accounts.h.
std::string uploads_prefix(BucketId bucket);   // An escaped prefix of the key may follow.
std::string extents_prefix(SetId set);
std::string requests_prefix(PartitionId partition);

// 00 becomes 00 ff. Order-preserving, and no escaped key followed by 00 01 starts another such.
std::string escape(std::string_view key);

// The first string behind all strings that start with `prefix`; none if nothing can lie behind.
std::optional<std::string> behind(std::string prefix);

struct UploadKey {
  BucketId bucket;
  std::string key;
  std::string upload_id;
};
struct ExtentKey {
  SetId set;
  uint64_t offset_bytes = 0;
  uint32_t member = 0;
};
struct NoncurrentKey {
  BucketId bucket;
  std::string key;
  uint64_t sequence = 0;
};
// REQUIRES: a row key of that kind was read from the view. Errors: corrupt.
Result<UploadKey> parse_upload_key(std::string_view row);
Result<ExtentKey> parse_extent_key(std::string_view row);
Result<NoncurrentKey> parse_noncurrent_key(std::string_view row);

// Big-endian u64 values (kControlPos, kRequests, kLiveBytes, kLogBytes). Errors: corrupt.
std::string encode_u64(uint64_t value);
Result<uint64_t> decode_u64(std::string_view value);

}  // namespace kura::row
