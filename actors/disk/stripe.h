// Byte formats of a member file: the header of the file and the header of each stripe in it. The
// grammar and a worked example are in README.md; tests/golden/disk holds their bytes.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/disk/geometry.h"
#include "base/ids.h"
#include "base/result.h"

namespace kura::disk {

inline constexpr uint8_t kStripeFormat = 1;
inline constexpr uint16_t kSetFileFormat = 1;

// What all members of one stripe share, and what is the member's own: `member`, `payload_crc32c`.
struct StripeHeader {
  enum class Layout : uint8_t { striped = 1, packed = 2 };
  Layout layout = Layout::striped;
  SetId set;
  uint8_t data_shards = 0;
  uint8_t parity_shards = 0;
  uint64_t offset = 0;       // Of this header in the member file; a multiple of 64.
  uint32_t shard_bytes = 0;  // Payload behind the header; a multiple of 64.
  uint32_t used_bytes = 0;   // Body bytes in the whole stripe.
  WriterId incarnation;
  std::vector<ReservationId> reservations;  // Of that incarnation; of whose uploads the bodies are.

  uint8_t member = 0;
  uint32_t payload_crc32c = 0;

  bool operator==(const StripeHeader&) const = default;
  // All members of one stripe agree in everything else.
  bool same_stripe(const StripeHeader& other) const;
  uint64_t end() const;  // Of the payload, in the member file.
  uint64_t payload_offset() const;
};

// Whether the process that has a set for itself wrote it; nil: not known. The drive of a copy of
// the store, on which another process went on, has other stripes in sets of the same ids.
inline bool is_of(const StripeHeader& header, const WriterId& incarnation) {
  return incarnation.is_nil() || header.incarnation == incarnation;
}

inline constexpr size_t kStripeFixedBytes = 56;
inline constexpr size_t kStripeReservationsMax = 1000;
constexpr uint64_t stripe_header_bytes(size_t reservations) {
  return align_up(kStripeFixedBytes + 8 * reservations, kShardAlignBytes);
}
inline constexpr uint64_t kStripedHeaderBytes = stripe_header_bytes(1);  // Always one body.
inline constexpr uint64_t kStripeHeaderMax = stripe_header_bytes(kStripeReservationsMax);

// REQUIRES: at most kStripeReservationsMax reservations.
std::string encode(const StripeHeader& header);
// Whether a header may start here: its magic does. Cheap, for scans.
bool looks_like_stripe(std::string_view bytes);
// Length of the header that starts here, 0 if none does. REQUIRES: 64 bytes.
uint64_t stripe_header_length(std::string_view bytes);
// `bytes` starts with the whole header. Errors: corrupt, unsupported (a newer format).
Result<StripeHeader> decode_stripe(std::string_view bytes);

// The first kBlockBytes of a member file, for people and tools: reads do not depend on it.
struct SetFileHeader {
  ClusterId cluster;
  SetId set;
  uint8_t member = 0;
  uint8_t data_shards = 0;
  uint8_t parity_shards = 0;
  uint64_t member_bytes = 0;
  bool operator==(const SetFileHeader&) const = default;
};

std::string encode(const SetFileHeader& header);  // kBlockBytes.
// Errors: corrupt, unsupported.
Result<SetFileHeader> decode_set_file(std::string_view bytes);

// "sets/0000002a.seg", and the reverse: none for any other name.
std::string set_file_name(SetId set);
std::optional<SetId> set_of_file_name(std::string_view name);

}  // namespace kura::disk
