// Headers of stripes, set files and drives, as read from a drive and with their checksums put
// right.
//
// Input: which of them, then its bytes.

#include "actors/disk/bytes.h"
#include "actors/disk/drive_identity.h"
#include "actors/disk/stripe.h"
#include "base/crc32c.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using namespace disk;  // NOLINT: a test of this namespace.

// The checksum of bytes[0, length) as if the four at `at` were zero.
std::string sealed(std::string bytes, size_t at, size_t length) {
  if (bytes.size() < length || length < at + 4) return bytes;
  put_number<uint32_t>(bytes, at, 0);
  put_number<uint32_t>(bytes, at, crc32c(std::string_view(bytes).substr(0, length)));
  return bytes;
}

void check_stripe(std::string_view bytes) {
  const auto header = decode_stripe(bytes);
  if (!header) {
    INVARIANT(header.error().code == Errc::corrupt || header.error().code == Errc::unsupported, "");
    return;
  }
  const std::string written = encode(*header);
  INVARIANT(stripe_header_length(bytes) == written.size() && written.size() <= kStripeHeaderMax,
            "one length");
  const auto again = decode_stripe(written);
  INVARIANT(again && *again == *header, "a stripe header reads as it was written");
  INVARIANT(header->same_stripe(*again), "of the same stripe");
  INVARIANT(header->payload_offset() % kShardAlignBytes == 0, "payload is aligned");
  INVARIANT(header->end() > header->offset, "a stripe ends behind its start");
}

void check_set_file(std::string_view bytes) {
  const auto header = decode_set_file(bytes);
  if (!header) return;
  const auto again = decode_set_file(encode(*header));
  INVARIANT(again && *again == *header, "a set file's header reads as it was written");
}

void check_identity(std::string_view bytes) {
  const auto identity = decode_identity(bytes);
  if (!identity) return;
  const auto again = decode_identity(encode(*identity));
  INVARIANT(again && *again == *identity, "an identity reads as it was written");
}

void check_name(std::string_view name) {
  const auto set = set_of_file_name(name);
  if (set)
    INVARIANT(std::string_view(set_file_name(*set)).ends_with(name), "a set has one file name");
  const SetId number{Input(name).number<uint32_t>()};
  INVARIANT(set_of_file_name(set_file_name(number)) == number, "a name says its set");
}

// Any header that a writer may write, and damage to it.
void check_written(Input in) {
  StripeHeader header;
  header.layout = static_cast<StripeHeader::Layout>(1 + in.number<uint8_t>() % 2);
  header.set = SetId{in.number<uint32_t>()};
  header.data_shards = static_cast<uint8_t>(1 + in.number<uint8_t>() % 12);
  header.parity_shards = in.number<uint8_t>() % 5;
  header.member = in.number<uint8_t>() % (header.data_shards + header.parity_shards);
  header.offset = in.number<uint32_t>() * kShardAlignBytes;
  header.shard_bytes = in.number<uint16_t>() * uint32_t{kShardAlignBytes};
  header.used_bytes = in.number<uint32_t>();
  header.incarnation = in.uuid<WriterId>();
  header.payload_crc32c = in.number<uint32_t>();
  const size_t damage = in.number<uint16_t>();
  const char bits = static_cast<char>(in.number<uint8_t>());
  while (!in.empty() && header.reservations.size() < kStripeReservationsMax)
    header.reservations.emplace_back(in.number<uint64_t>());
  std::string bytes = encode(header);
  const auto read = decode_stripe(bytes);
  INVARIANT(read && *read == header, "a stripe header reads as it was written");
  if (bits == 0) return;
  bytes[damage % bytes.size()] ^= bits;
  INVARIANT(!decode_stripe(bytes), "damage is seen");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  switch (in.number<uint8_t>() % 5) {
    case 0: {
      const std::string bytes(in.rest());
      check_stripe(bytes);
      const size_t length = bytes.size() < kShardAlignBytes ? 0 : stripe_header_length(bytes);
      return check_stripe(sealed(bytes, 52, length));
    }
    case 1: {
      std::string bytes(in.rest());
      check_set_file(bytes);
      bytes.resize(kBlockBytes, '\0');
      return check_set_file(sealed(bytes, 56, kBlockBytes));
    }
    case 2: {
      std::string bytes(in.rest());
      check_identity(bytes);
      if (bytes.size() < 48) return;
      put_number<uint32_t>(bytes, 44, crc32c(std::string_view(bytes).substr(0, 44)));
      return check_identity(bytes);
    }
    case 3:
      return check_name(in.rest());
    default:
      return check_written(in);
  }
}

}  // namespace kura::fuzz
