#include "journal/embedded/mirror_set.h"

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "journal/embedded/segment_format.h"
#include "journal/little_endian.h"

namespace kura::journal {
namespace {

constexpr std::string_view kMagic = "KURAMIRR";
constexpr size_t kFixedBytes = 80;
constexpr uint32_t kDrivesMax = 4096;  // Bounds what a damaged count can ask for.

void append_ids(std::string& out, const std::vector<DriveId>& ids) {
  for (const DriveId& id : ids) out += id.view();
}

std::vector<DriveId> read_ids(std::string_view bytes) {
  std::vector<DriveId> ids;
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    ids.push_back(uuid_from<DriveId>(bytes.substr(0, 16)));
  }
  return ids;
}

bool contains(const std::vector<DriveId>& ids, const DriveId& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

size_t count_of(const MirrorSet& set, const std::vector<DriveId>& on) {
  return std::count_if(on.begin(), on.end(),
                       [&set](const DriveId& drive) { return set.has_drive(drive); });
}

// Whether enough of its own drives show the set.
bool in_force(const std::vector<Sighting>& sightings, const MirrorSet& set) {
  const auto holders = std::count_if(sightings.begin(), sightings.end(), [&](const Sighting& s) {
    return s.set == set && set.has_drive(s.drive);
  });
  return static_cast<uint64_t>(holders) > set.parity;
}

}  // namespace

bool MirrorSet::has_member(const DriveId& drive) const { return contains(members, drive); }
bool MirrorSet::has_drive(const DriveId& drive) const { return contains(drives, drive); }

std::string encode_mirror_set(const MirrorSet& set) {
  std::string out(kFixedBytes, '\0');
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  put_le(out.data() + 8, kMirrorSetVersion);
  put_le(out.data() + 12, kMirrorSetVersion);  // Least version of a reader.
  put_le(out.data() + 16, set.generation);
  std::memcpy(out.data() + 24, set.journal.bytes.data(), 16);
  std::memcpy(out.data() + 40, set.cluster.bytes.data(), 16);
  put_le(out.data() + 56, set.start);
  put_le(out.data() + 64, set.parity);
  put_le(out.data() + 68, static_cast<uint32_t>(set.drives.size()));
  put_le(out.data() + 72, static_cast<uint32_t>(set.members.size()));
  append_ids(out, set.drives);
  append_ids(out, set.members);
  char crc[4];
  put_le(crc, crc32c(out));
  return out.append(crc, sizeof crc);
}

Result<MirrorSet> decode_mirror_set(std::string_view bytes) {
  auto corrupt = [] { return fail(Errc::corrupt, std::string("damaged ") + kMirrorSetFile); };
  if (bytes.size() < kFixedBytes + 4 || bytes.substr(0, 8) != kMagic) return corrupt();
  const std::string_view content = bytes.substr(0, bytes.size() - 4);
  if (get_le<uint32_t>(bytes.data() + content.size()) != crc32c(content)) return corrupt();
  const uint32_t reader = get_le<uint32_t>(bytes.data() + 12);
  if (reader > kMirrorSetVersion) {
    return fail(Errc::unsupported, std::string(kMirrorSetFile) + " of format " +
                                       std::to_string(reader) + ": install a newer kura");
  }
  MirrorSet set;
  set.generation = get_le<uint64_t>(bytes.data() + 16);
  set.journal = uuid_from<JournalId>(bytes.substr(24, 16));
  set.cluster = uuid_from<ClusterId>(bytes.substr(40, 16));
  set.start = get_le<uint64_t>(bytes.data() + 56);
  set.parity = get_le<uint32_t>(bytes.data() + 64);
  const uint32_t drives = get_le<uint32_t>(bytes.data() + 68);
  const uint32_t members = get_le<uint32_t>(bytes.data() + 72);
  if (drives > kDrivesMax || members != set.parity + uint64_t{1} || members > drives) {
    return corrupt();
  }
  if (content.size() != kFixedBytes + 16 * (uint64_t{drives} + members)) return corrupt();
  set.drives = read_ids(content.substr(kFixedBytes, 16 * drives));
  set.members = read_ids(content.substr(kFixedBytes + 16 * drives));
  for (const DriveId& member : set.members) {
    if (!set.has_drive(member)) return corrupt();
  }
  return set;
}

// Those that know only `before` must not be able to go on with it: without the drives `on` they are
// too few either for a start (drives - parity) or for the mirrors of an append (parity + 1).
bool suffices(const MirrorSet& before, const MirrorSet& next, const std::vector<DriveId>& on) {
  const size_t mirrors = before.parity + size_t{1};
  const size_t needed = std::min(mirrors, before.drives.size() - before.parity);
  const bool old_ones_bound = before.drives.empty() || count_of(before, on) >= needed;
  return old_ones_bound && count_of(next, on) > next.parity;
}

Result<MirrorSet> choose_mirror_set(const std::vector<Sighting>& sightings) {
  const Sighting* first = nullptr;
  const MirrorSet* best = nullptr;
  std::string damaged;
  for (const Sighting& s : sightings) {
    if (s.problem && s.problem->code == Errc::unsupported) {
      return fail(Errc::unsupported, s.label + ": " + s.problem->detail);
    }
    if (s.problem) damaged += (damaged.empty() ? "" : ", ") + s.label + ": " + s.problem->detail;
    if (!s.set) continue;
    if (!best || s.set->generation > best->generation) best = &*s.set;
    if (s.set->generation == 0) continue;
    if (!first) first = &s;
    if (s.set->journal != first->set->journal) {
      return fail(Errc::corrupt, s.label + " holds another journal (" + to_hex(s.set->journal) +
                                     ") than " + first->label + " (" + to_hex(first->set->journal) +
                                     "); start with the drives of " + "one cluster");
    }
  }
  if (!best && !damaged.empty()) {
    return fail(Errc::unavailable, "no drive has a readable journal record (" + damaged + ")");
  }
  if (!best) return fail(Errc::not_found, "no drive has a journal");
  const bool creating = best->generation == 0;
  // Two attempts at one generation: at most one of them came into force.
  for (const Sighting& s : sightings) {
    if (!s.set || s.set->generation != best->generation || *s.set == *best) continue;
    if (!in_force(sightings, *s.set)) continue;
    if (!creating && in_force(sightings, *best)) {
      return fail(Errc::corrupt, "two journal records of generation " +
                                     std::to_string(best->generation) + " are both in force");
    }
    best = &*s.set;
  }
  for (const Sighting& s : sightings) {
    if (!s.set || s.set->generation != best->generation || *s.set == *best) continue;
    if (creating || in_force(sightings, *best)) continue;
    return fail(Errc::corrupt, "two different journal records of generation " +
                                   std::to_string(best->generation) +
                                   "; start with more of the cluster's drives");
  }
  const size_t seen = std::count_if(sightings.begin(), sightings.end(), [&](const Sighting& s) {
    const bool counts = creating ? !s.problem : s.set && s.set->journal == best->journal;
    return counts && best->has_drive(s.drive);
  });
  const size_t need = best->drives.size() - best->parity;
  if (seen < need) {
    return fail(Errc::unavailable, "the journal needs " + std::to_string(need) + " of its " +
                                       std::to_string(best->drives.size()) +
                                       " drives to be sure of its newest " + "records, and " +
                                       std::to_string(seen) + " have a readable record" +
                                       (damaged.empty() ? "" : " (" + damaged + ")"));
  }
  if (creating) return fail(Errc::not_found, "the journal's creation was interrupted");
  return *best;
}

}  // namespace kura::journal
