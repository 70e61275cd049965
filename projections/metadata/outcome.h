// Outcome: what the fold of one event, or a decision that needed no event, answers to its request.

#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "object.pb.h"

namespace kura {

// Kept in the request table, so small.
struct Outcome {
  bool existed = false;    // Whether there was a current version, upload or part before.
  std::string version_id;  // 16 bytes or empty (null version).
  std::string etag;        // As S3 shows it, without quotes; empty where there is none.
  // Of an upload that begins: when it did.
  int64_t modified_at_ms = 0;
  uint64_t size_bytes = 0;
  v1::Checksum checksum;  // Of the committed version or part, NONE if it has none.
  Offset offset;          // Of the event; 0 when none was needed.
};

// The ETag as S3 shows it, without quotes: 32 hex digits, then "-N" for N parts if N is not 0.
std::string etag_text(std::string_view md5, uint32_t part_count);

}  // namespace kura
