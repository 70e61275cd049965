// Segment files of the embedded log: their names and their first 4 KiB.
//
// An offset of the log is a byte position in the row of all segments: the record at offset o lies
// at byte o - base of the segment whose base is the greatest one not above o. Grammar:
// ../README.md.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace kura::journal {

inline constexpr uint64_t kSegmentHeaderBytes = 4096;
inline constexpr uint64_t kSegmentAlign = 512;  // Segment sizes and bases are multiples of this.
inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr char kJournalFolder[] = "journal";
inline constexpr char kMirrorSetFile[] = "journal/mirrors";

struct SegmentHeader {
  JournalId journal;
  uint64_t base = 0;
  uint64_t capacity_bytes = 0;  // Of the file, header included; the next segment's base follows.

  bool operator==(const SegmentHeader&) const = default;
};

std::string encode_segment_header(const SegmentHeader& header);  // kSegmentHeaderBytes.
// Errors: corrupt; unsupported (written by a newer build).
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

std::string segment_name(uint64_t base);  // "journal/<16 hex digits>.seg"
// The base, if `name` is that of a segment.
std::optional<uint64_t> segment_base(std::string_view name);

}  // namespace kura::journal
