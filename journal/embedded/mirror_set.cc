#include "journal/embedded/mirror_set.h"

#include <algorithm>
#include <cstring>

#include "base/counted.h"
#include "base/crc32c.h"
#include "journal/embedded/segment_format.h"
#include "journal/little_endian.h"

namespace kura::journal {
namespace {

constexpr std::string_view kMagic = "KURAMIRR";
constexpr size_t kFixedBytes = 80;
constexpr size_t kChangeBytes = 16;    // Version 2: what is promised, and what was before.
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

size_t count_of(const std::vector<DriveId>& drives, const std::vector<DriveId>& on) {
  return std::count_if(on.begin(), on.end(),
                       [&drives](const DriveId& drive) { return contains(drives, drive); });
}

// Without the drives `on`, those of `drives` are too few either for a start (n - m) or for the
// mirrors of an append (m + 1).
bool binds(const std::vector<DriveId>& drives, uint32_t parity, const std::vector<DriveId>& on) {
  return count_of(drives, on) >= std::min(parity + size_t{1}, drives.size() - parity);
}

}  // namespace

bool MirrorSet::has_member(const DriveId& drive) const { return contains(members, drive); }
bool MirrorSet::has_drive(const DriveId& drive) const { return contains(drives, drive); }

std::string encode_mirror_set(const MirrorSet& set) {
  const bool plain = set.promised == 0 && set.drives_before.empty();
  const uint32_t version = plain ? 1 : kMirrorSetVersion;
  std::string out(kFixedBytes, '\0');
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  put_le(out.data() + 8, version);
  put_le(out.data() + 12, version);  // Least version of a reader.
  put_le(out.data() + 16, set.generation);
  std::memcpy(out.data() + 24, set.journal.bytes.data(), 16);
  std::memcpy(out.data() + 40, set.cluster.bytes.data(), 16);
  put_le(out.data() + 56, set.start);
  put_le(out.data() + 64, set.parity);
  put_le(out.data() + 68, static_cast<uint32_t>(set.drives.size()));
  put_le(out.data() + 72, static_cast<uint32_t>(set.members.size()));
  append_ids(out, set.drives);
  append_ids(out, set.members);
  if (!plain) {
    char change[kChangeBytes];
    put_le(change, set.promised);
    put_le(change + 8, set.parity_before);
    put_le(change + 12, static_cast<uint32_t>(set.drives_before.size()));
    out.append(change, sizeof change);
    append_ids(out, set.drives_before);
  }
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
  const uint64_t lists_end = kFixedBytes + 16 * (uint64_t{drives} + members);
  if (reader < 2 ? content.size() != lists_end : content.size() < lists_end + kChangeBytes)
    return corrupt();
  set.drives = read_ids(content.substr(kFixedBytes, 16 * drives));
  set.members = read_ids(content.substr(kFixedBytes + 16 * drives, 16 * members));
  for (const DriveId& member : set.members) {
    if (!set.has_drive(member)) return corrupt();
  }
  if (reader < 2) return set;
  const char* change = content.data() + lists_end;
  set.promised = get_le<uint64_t>(change);
  set.parity_before = get_le<uint32_t>(change + 8);
  const uint32_t before = get_le<uint32_t>(change + 12);
  if (before > kDrivesMax || (before == 0 ? set.parity_before != 0 : set.parity_before >= before))
    return corrupt();
  if (content.size() != lists_end + kChangeBytes + 16 * uint64_t{before}) return corrupt();
  set.drives_before = read_ids(content.substr(lists_end + kChangeBytes));
  if (set.promised == 0 && before == 0) return corrupt();  // That is version 1.
  return set;
}

bool same_set(const MirrorSet& a, const MirrorSet& b) {
  MirrorSet as_b = a;
  as_b.promised = b.promised;
  return as_b == b;
}

bool binds(const MirrorSet& set, const std::vector<DriveId>& on) {
  return binds(set.drives, set.parity, on) &&
         (set.drives_before.empty() || binds(set.drives_before, set.parity_before, on));
}

bool suffices(const MirrorSet& set, const std::vector<DriveId>& on) {
  return count_of(set.drives, on) > set.parity && binds(set, on);
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
  std::vector<DriveId> witnesses, holders;
  std::string holder;
  for (const Sighting& s : sightings) {
    if (creating ? !s.problem : s.set && s.set->journal == best->journal)
      witnesses.push_back(s.drive);
    if (!s.set || s.set->generation != best->generation) continue;
    if (!creating && !same_set(*s.set, *best))
      return fail(Errc::corrupt, "two different journal records of generation " +
                                     std::to_string(best->generation) + ", on " + s.label +
                                     " and " + holder + ": two kura went on with different " +
                                     "drives; start with those of one of them");
    holders.push_back(s.drive);
    holder = s.label;
  }
  std::string useless = damaged;
  for (const Sighting& s : sightings)
    if (!s.problem && !s.set) useless += (useless.empty() ? "" : ", ") + s.label + ": none";
  const size_t seen = count_of(best->drives, witnesses);
  const size_t need = best->drives.size() - best->parity;
  if (seen < need) {
    return fail(Errc::unavailable, "the journal needs " + std::to_string(need) + " of its " +
                                       counted(best->drives.size(), "drive") +
                                       " to be sure of its newest records, and " +
                                       std::to_string(seen) + (seen == 1 ? " has" : " have") +
                                       " a readable record" +
                                       (useless.empty() ? "" : " (" + useless + ")"));
  }
  // What changes the drives may have got half-way: then those before it count as well.
  const size_t seen_before = count_of(best->drives_before, witnesses);
  const size_t need_before = best->drives_before.size() - best->parity_before;
  if (!suffices(*best, holders) && seen_before < need_before) {
    return fail(Errc::unavailable,
                "the journal's drives were being changed, and it needs " +
                    std::to_string(need_before) + " of the " +
                    std::to_string(best->drives_before.size()) +
                    " before to be sure of its newest records; " + std::to_string(seen_before) +
                    (seen_before == 1 ? " has" : " have") + " a readable record");
  }
  if (creating) return fail(Errc::not_found, "the journal's creation was interrupted");
  return *best;
}

}  // namespace kura::journal
