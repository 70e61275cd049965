#include "journal/embedded/segment_format.h"

#include <cstring>

#include "base/crc32c.h"
#include "journal/little_endian.h"

namespace kura::journal {
namespace {

constexpr std::string_view kMagic = "KURAJRNL";
constexpr std::string_view kPrefix = "journal/";
constexpr std::string_view kSuffix = ".seg";
constexpr size_t kCrcAt = kSegmentHeaderBytes - 4;

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string out(kSegmentHeaderBytes, '\0');
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  put_le(out.data() + 8, kSegmentVersion);
  put_le(out.data() + 12, kSegmentVersion);  // Least version of a reader.
  std::memcpy(out.data() + 16, header.journal.bytes.data(), 16);
  put_le(out.data() + 32, header.base);
  put_le(out.data() + 40, header.capacity_bytes);
  put_le(out.data() + kCrcAt, crc32c({out.data(), kCrcAt}));
  return out;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() != kSegmentHeaderBytes || bytes.substr(0, 8) != kMagic ||
      get_le<uint32_t>(bytes.data() + kCrcAt) != crc32c(bytes.substr(0, kCrcAt))) {
    return fail(Errc::corrupt, "damaged segment header");
  }
  const uint32_t reader = get_le<uint32_t>(bytes.data() + 12);
  if (reader > kSegmentVersion) {
    return fail(Errc::unsupported, "a journal segment of format " + std::to_string(reader) +
                                       "; this build reads up to " +
                                       std::to_string(kSegmentVersion) + ": install a newer kura");
  }
  SegmentHeader header;
  header.journal = uuid_from<JournalId>(bytes.substr(16, 16));
  header.base = get_le<uint64_t>(bytes.data() + 32);
  header.capacity_bytes = get_le<uint64_t>(bytes.data() + 40);
  if (header.capacity_bytes <= kSegmentHeaderBytes || header.capacity_bytes % kSegmentAlign != 0) {
    return fail(Errc::corrupt, "segment header with an impossible size");
  }
  return header;
}

std::string segment_name(uint64_t base) {
  std::string out(kPrefix);
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[base >> shift & 15];
  return out += kSuffix;
}

std::optional<uint64_t> segment_base(std::string_view name) {
  if (name.size() != kPrefix.size() + 16 + kSuffix.size()) return std::nullopt;
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t base = 0;
  for (char c : name.substr(kPrefix.size(), 16)) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    base = base << 4 | digit;
  }
  return base;
}

}  // namespace kura::journal
