#include "actors/disk/stripe.h"

#include <optional>

#include "actors/disk/bytes.h"
#include "actors/disk/erasure.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace kura::disk {
namespace {

constexpr std::string_view kStripeMagic = "KSTR";
constexpr std::string_view kSetFileMagic = "KURASEG\n";
constexpr size_t kHeaderCrcAt = 52;  // Of a stripe header; zero while it is computed.
constexpr size_t kSetFileCrcAt = 56;
constexpr uint64_t kFileBytesMax = 1ull << 62;  // Longer is no file, and sums with it overflow.
constexpr std::string_view kNewer =
    "written by a newer Kura; install that version or a later one to read it";

uint32_t crc_without(std::string bytes, size_t at) {
  put_number<uint32_t>(bytes, at, 0);
  return crc32c(bytes);
}

}  // namespace

bool StripeHeader::same_stripe(const StripeHeader& other) const {
  StripeHeader twin = other;
  twin.member = member;
  twin.payload_crc32c = payload_crc32c;
  return *this == twin;
}

uint64_t StripeHeader::payload_offset() const {
  return offset + stripe_header_bytes(reservations.size());
}

uint64_t StripeHeader::end() const { return payload_offset() + shard_bytes; }

std::string encode(const StripeHeader& h) {
  INVARIANT(h.reservations.size() <= kStripeReservationsMax, "bounded header");
  std::string out{kStripeMagic};
  append_number<uint8_t>(out, kStripeFormat);
  append_number<uint8_t>(out, kStripeFormat);  // The least that a reader must know.
  append_number<uint8_t>(out, static_cast<uint8_t>(h.layout));
  append_number<uint8_t>(out, h.member);
  append_number<uint32_t>(out, h.set.value);
  append_number<uint8_t>(out, h.data_shards);
  append_number<uint8_t>(out, h.parity_shards);
  append_number<uint16_t>(out, static_cast<uint16_t>(h.reservations.size()));
  append_number<uint64_t>(out, h.offset);
  append_number<uint32_t>(out, h.shard_bytes);
  append_number<uint32_t>(out, h.used_bytes);
  out += h.incarnation.view();
  append_number<uint32_t>(out, h.payload_crc32c);
  append_number<uint32_t>(out, 0);
  for (ReservationId id : h.reservations) append_number<uint64_t>(out, id.value);
  out.resize(stripe_header_bytes(h.reservations.size()), '\0');
  put_number<uint32_t>(out, kHeaderCrcAt, crc32c(out));
  return out;
}

bool looks_like_stripe(std::string_view bytes) { return bytes.starts_with(kStripeMagic); }

uint64_t stripe_header_length(std::string_view bytes) {
  if (!looks_like_stripe(bytes)) return 0;
  const auto count = number_at<uint16_t>(bytes, 14);
  return count > kStripeReservationsMax ? 0 : stripe_header_bytes(count);
}

Result<StripeHeader> decode_stripe(std::string_view bytes) {
  if (bytes.size() < kShardAlignBytes || !looks_like_stripe(bytes))
    return fail(Errc::corrupt, "no stripe header");
  const uint64_t length = stripe_header_length(bytes);
  if (length == 0 || bytes.size() < length) return fail(Errc::corrupt, "stripe header cut");
  const std::string header{bytes.substr(0, length)};
  if (crc_without(header, kHeaderCrcAt) != number_at<uint32_t>(header, kHeaderCrcAt))
    return fail(Errc::corrupt, "checksum of a stripe header");
  if (number_at<uint8_t>(header, 5) > kStripeFormat)
    return fail(Errc::unsupported, "stripe " + std::string(kNewer));
  StripeHeader h;
  const auto layout = number_at<uint8_t>(header, 6);
  if (layout != 1 && layout != 2) return fail(Errc::corrupt, "layout of a stripe");
  h.layout = static_cast<StripeHeader::Layout>(layout);
  h.member = number_at<uint8_t>(header, 7);
  h.set = SetId(number_at<uint32_t>(header, 8));
  h.data_shards = number_at<uint8_t>(header, 12);
  h.parity_shards = number_at<uint8_t>(header, 13);
  h.offset = number_at<uint64_t>(header, 16);
  h.shard_bytes = number_at<uint32_t>(header, 24);
  h.used_bytes = number_at<uint32_t>(header, 28);
  h.incarnation = uuid_from<WriterId>(std::string_view(header).substr(32, 16));
  h.payload_crc32c = number_at<uint32_t>(header, 48);
  const auto count = number_at<uint16_t>(header, 14);
  for (size_t i = 0; i < count; ++i)
    h.reservations.emplace_back(number_at<uint64_t>(header, kStripeFixedBytes + 8 * i));
  if (h.data_shards < 1 || h.data_shards > kDataShardsMax || h.parity_shards > kParityShardsMax ||
      h.member >= h.data_shards + h.parity_shards || h.shard_bytes % kShardAlignBytes != 0 ||
      h.offset % kShardAlignBytes != 0 || h.offset > kFileBytesMax)
    return fail(Errc::corrupt, "fields of a stripe header");
  return h;
}

std::string encode(const SetFileHeader& h) {
  std::string out{kSetFileMagic};
  append_number<uint16_t>(out, kSetFileFormat);
  append_number<uint16_t>(out, kSetFileFormat);
  append_number<uint32_t>(out, h.set.value);
  out += h.cluster.view();
  append_number<uint8_t>(out, h.member);
  append_number<uint8_t>(out, h.data_shards);
  append_number<uint8_t>(out, h.parity_shards);
  out.resize(40, '\0');
  append_number<uint64_t>(out, h.member_bytes);
  out.resize(kBlockBytes, '\0');
  put_number<uint32_t>(out, kSetFileCrcAt, crc32c(out));
  return out;
}

Result<SetFileHeader> decode_set_file(std::string_view bytes) {
  if (bytes.size() < kBlockBytes || !bytes.starts_with(kSetFileMagic))
    return fail(Errc::corrupt, "no header of a set file");
  const std::string header{bytes.substr(0, kBlockBytes)};
  if (crc_without(header, kSetFileCrcAt) != number_at<uint32_t>(header, kSetFileCrcAt))
    return fail(Errc::corrupt, "checksum of a set file's header");
  if (number_at<uint16_t>(header, 10) > kSetFileFormat)
    return fail(Errc::unsupported, "set file " + std::string(kNewer));
  SetFileHeader h;
  h.set = SetId(number_at<uint32_t>(header, 12));
  h.cluster = uuid_from<ClusterId>(std::string_view(header).substr(16, 16));
  h.member = number_at<uint8_t>(header, 32);
  h.data_shards = number_at<uint8_t>(header, 33);
  h.parity_shards = number_at<uint8_t>(header, 34);
  h.member_bytes = number_at<uint64_t>(header, 40);
  return h;
}

std::string set_file_name(SetId set) {
  std::string hex;
  for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[set.value >> shift & 15];
  return "sets/" + hex + ".seg";
}

std::optional<SetId> set_of_file_name(std::string_view name) {
  if (name.starts_with("sets/")) name.remove_prefix(5);
  if (name.size() != 12 || !name.ends_with(".seg")) return std::nullopt;
  uint32_t value = 0;
  for (char c : name.substr(0, 8)) {
    const size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return SetId(value);
}

}  // namespace kura::disk
