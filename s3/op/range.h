// The Range header of a read (RFC 9110, 14.2; S3 API, GetObject). Pure.

#pragma once

#include <cstdint>
#include <string_view>

#include "base/blob_store.h"

namespace kura::s3 {

struct RangeChoice {
  enum class Kind : uint8_t { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  ByteRange range;  // `part`: within the object, at least one byte. `whole`: all of it.
};

// What to send of `size_bytes` bytes. A header that is not exactly one well-formed byte range
// (another unit, several ranges, first after last) is ignored, as S3 does.
RangeChoice choose_range(std::string_view header, uint64_t size_bytes);

}  // namespace kura::s3
