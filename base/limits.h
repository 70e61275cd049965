// Bounds that clients meet or that several folders keep, each with its unit and the reason for its
// size. A bound of one file stands in that file.

#pragma once

#include <cstddef>
#include <cstdint>

namespace kura {

inline constexpr uint64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB, kTiB = 1024 * kGiB;

// A key belongs to the slot by its hash, a partition has a range of slots.
inline constexpr uint32_t kSlots = 4096;
inline constexpr uint16_t kPartitions = 16;

// Bodies and records.
inline constexpr uint64_t kInlineBodyMax = 16 * kKiB;   // Up to here a body travels in its event.
inline constexpr uint64_t kPackedBodyMax = 128 * kKiB;  // Up to here a body lies in one data shard.
inline constexpr uint64_t kPieceBytes = 128 * kKiB;  // Unit of striping; stays in L2 while coded.
inline constexpr uint64_t kRecordMax = 256 * kKiB;   // Header, payload and body of a record.
inline constexpr uint64_t kJournalBatchMax = 4 * kMiB;  // Bytes per append; about 900 small PUTs.

// Files.
inline constexpr uint64_t kSmallFileBytesMax = 1 * kMiB;     // As read_file() reads them.
inline constexpr uint64_t kMemberFileBytes = 256 * kMiB;     // One member file of a segment set.
inline constexpr uint64_t kJournalSegmentBytes = 64 * kMiB;  // One mirror's file of the journal.
// Old log is archived, and its live bytes are counted, in pieces that end at multiples of this.
inline constexpr uint64_t kLogPieceBytes = 16 * kMiB;

// S3 (docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
inline constexpr uint64_t kObjectBytesMax = 5 * kTiB;
inline constexpr uint64_t kPutBytesMax = 5 * kGiB;   // PutObject, UploadPart, CopyObject.
inline constexpr uint64_t kPartBytesMin = 5 * kMiB;  // Every part but the last.
inline constexpr uint32_t kPartNumberMax = 10'000;
inline constexpr size_t kKeyBytesMax = 1024;
inline constexpr size_t kUserMetadataBytesMax = 2 * kKiB;
inline constexpr uint32_t kListKeysMax = 1000;
inline constexpr uint32_t kDeleteObjectsMax = 1000;
inline constexpr uint32_t kBucketsMax = 10'000;

// HTTP sessions.
inline constexpr size_t kHttpHeadBytesMax = 32 * kKiB;  // S3: 8 KiB of headers, plus presigned URL.
inline constexpr size_t kXmlBodyBytesMax = 4 * kMiB;    // 1,000 keys of 1 KiB, escaped, with room.
inline constexpr size_t kChunkHeaderBytesMax = 4 * kKiB;  // One aws-chunked size line or trailer.
inline constexpr size_t kBodyChunkBytes = 256 * kKiB;     // Most that a session reads at once.
inline constexpr size_t kAnswerChunkBytes = 512 * kKiB;   // Of a warm body, read and sent at once.

// Waiting work.
inline constexpr size_t kPartitionPipelineMax = 4096;  // Events under way in one partition.
inline constexpr size_t kRequestTableMax = 1024;       // Results kept per partition, as a fold.

}  // namespace kura
