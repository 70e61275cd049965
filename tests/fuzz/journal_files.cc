// Segment headers, mirror-set records and segment names: one form each, damage is seen, and the
// choice of a mirror set does not depend on the order of the drives.
//
// Input: which of them, then its bytes; the checksum is put right as well.

#include "base/crc32c.h"
#include "journal/embedded/mirror_set.h"
#include "journal/embedded/segment_format.h"
#include "journal/little_endian.h"
#include "tests/fuzz/fuzz.h"

namespace kura::fuzz {
namespace {

using namespace journal;  // NOLINT: a test of this namespace.

// The same bytes with their last four as the checksum of the others.
std::string sealed(std::string_view bytes) {
  std::string out(bytes);
  if (out.size() < 4) return out;
  put_le(out.data() + out.size() - 4, crc32c({out.data(), out.size() - 4}));
  return out;
}

void check_segment(std::string_view bytes) {
  const auto header = decode_segment_header(bytes);
  if (!header) return;
  INVARIANT(header->capacity_bytes > kSegmentHeaderBytes, "room for records");
  const auto again = decode_segment_header(encode_segment_header(*header));
  INVARIANT(again && *again == *header, "a header reads as it was written");
}

void check_mirrors(std::string_view bytes) {
  const auto set = decode_mirror_set(bytes);
  if (!set) return;
  INVARIANT(set->members.size() == set->parity + size_t{1}, "as many members as an append needs");
  const auto again = decode_mirror_set(encode_mirror_set(*set));
  INVARIANT(again && *again == *set, "a mirror set reads as it was written");
}

void check_name(std::string_view name) {
  const auto base = segment_base(name);
  if (base) INVARIANT(segment_name(*base) == name, "a base has one name");
  Input in(name);
  const auto number = in.number<uint64_t>();
  INVARIANT(segment_base(segment_name(number)) == number, "a name says its base");
}

DriveId drive(uint8_t n) {
  DriveId id;
  id.bytes[0] = static_cast<uint8_t>(n % 6);
  return id;
}

MirrorSet small_set(Input& in) {
  MirrorSet set;
  set.generation = in.number<uint8_t>() % 4;
  set.journal.bytes[0] = in.number<uint8_t>() % 2;
  set.parity = in.number<uint8_t>() % 3;
  const uint8_t drives = static_cast<uint8_t>(set.parity + 1 + in.number<uint8_t>() % 3);
  for (uint8_t i = 0; i < drives; ++i) set.drives.push_back(drive(i));
  const auto first = in.number<uint8_t>();
  for (uint8_t i = 0; i <= set.parity; ++i) set.members.push_back(set.drives[(first + i) % drives]);
  const auto before = static_cast<uint8_t>(in.number<uint8_t>() % 6);
  for (uint8_t i = 0; i < before; ++i) set.drives_before.push_back(drive(i));
  if (before > 0) set.parity_before = in.number<uint8_t>() % before;
  return set;
}

void check_choice(Input in) {
  std::vector<MirrorSet> sets = {small_set(in), small_set(in), small_set(in)};
  std::vector<Sighting> sightings;
  for (uint8_t i = 0; i < 6 && !in.empty(); ++i) {
    const auto which = in.number<uint8_t>();
    Sighting sighting{drive(i), "drive " + std::to_string(i), {}, {}};
    if (which % 5 < 3) sighting.set = sets[which % 5];
    if (which % 5 == 3) sighting.problem = Error{Errc::corrupt, "damaged"};
    sightings.push_back(std::move(sighting));
  }
  const auto chosen = choose_mirror_set(sightings);
  if (chosen) {
    size_t holders = 0, seen = 0;
    for (const Sighting& s : sightings) {
      holders += s.set == *chosen;
      seen += s.set && s.set->generation > chosen->generation;
    }
    INVARIANT(holders > 0, "a set that some drive holds");
    INVARIANT(seen == 0, "none is newer");
  }
  std::reverse(sightings.begin(), sightings.end());
  const auto reversed = choose_mirror_set(sightings);
  INVARIANT(chosen.has_value() == reversed.has_value(), "the order of drives decides nothing");
  if (chosen) INVARIANT(*chosen == *reversed, "the same set in any order");
}

}  // namespace

void fuzz_one(std::string_view input) {
  Input in(input);
  switch (in.number<uint8_t>() % 4) {
    case 0: {
      std::string bytes(in.rest());
      check_segment(bytes);
      bytes.resize(kSegmentHeaderBytes, '\0');
      return check_segment(sealed(bytes));
    }
    case 1: {
      const std::string_view bytes = in.rest();
      check_mirrors(bytes);
      return check_mirrors(sealed(bytes));
    }
    case 2:
      return check_name(in.rest());
    default:
      return check_choice(in);
  }
}

}  // namespace kura::fuzz
