// Ids and positions as types, so that two of them are never swapped.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kura {

// A number that means one thing. `Tag` only keeps kinds apart.
template <class Tag, class Rep>
struct Id {
  Rep value{};
  constexpr Id() = default;
  constexpr explicit Id(Rep v) : value(v) {}
  constexpr auto operator<=>(const Id&) const = default;
};

using PartitionId = Id<struct PartitionTag, uint16_t>;  // [0, kPartitions) or kControlPartition.
using BucketId =
    Id<struct BucketTag, uint64_t>;             // Offset of its BucketCreated record; never reused.
using SetId = Id<struct SetTag, uint32_t>;      // A segment set; never reused.
using Offset = Id<struct OffsetTag, uint64_t>;  // A position in the journal: distinct, growing.
using Epoch = Id<struct EpochTag, uint64_t>;
using ReservationId = Id<struct ReservationTag, uint64_t>;  // Of one process, which is a WriterId.

inline constexpr PartitionId kControlPartition{0xffff};

// 128 random bits.
template <class Tag>
struct Uuid {
  std::array<uint8_t, 16> bytes{};
  constexpr auto operator<=>(const Uuid&) const = default;
  bool is_nil() const { return *this == Uuid{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), 16}; }
};

using ClusterId = Uuid<struct ClusterTag>;
using DriveId = Uuid<struct DriveTag>;
using JournalId = Uuid<struct JournalTag>;
using WriterId = Uuid<struct WriterTag>;    // Drawn afresh at each process start.
using RequestId = Uuid<struct RequestTag>;  // One per S3 request, kept over retries.

// REQUIRES: `raw` has 16 bytes.
template <class T>
T uuid_from(std::string_view raw) {
  T id;
  for (size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<uint8_t>(raw[i]);
  return id;
}

// 32 lower-case hex digits.
template <class Tag>
std::string to_hex(const Uuid<Tag>& id) {
  std::string out;
  for (uint8_t b : id.bytes) {
    out += "0123456789abcdef"[b >> 4];
    out += "0123456789abcdef"[b & 15];
  }
  return out;
}

}  // namespace kura

template <class Tag, class Rep>
struct std::hash<kura::Id<Tag, Rep>> {
  size_t operator()(const kura::Id<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value); }
};
