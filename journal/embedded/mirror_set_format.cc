// The mirror-set record as bytes (journal/README.md, "Mirror set").

#include <algorithm>
#include <cstring>

#include "base/crc32c.h"
#include "journal/embedded/mirror_set.h"
#include "journal/embedded/segment_format.h"
#include "journal/little_endian.h"

namespace kura::journal {
namespace {

constexpr std::string_view kMagic = "KURAMIRR";
constexpr size_t kFixedBytes = 80;
constexpr size_t kChangeBytes = 16;    // From version 2: what is promised, and what was before.
constexpr size_t kHistoryBytes = 32;   // From version 3: who wrote it.
constexpr uint32_t kDrivesMax = 4096;  // Bounds what a damaged count can ask for.

template <class Id>
void append_ids(std::string& out, const std::vector<Id>& ids) {
  for (const Id& id : ids) out += id.view();
}

template <class Id>
std::vector<Id> read_ids(std::string_view bytes) {
  std::vector<Id> ids;
  for (; bytes.size() >= 16; bytes.remove_prefix(16)) {
    ids.push_back(uuid_from<Id>(bytes.substr(0, 16)));
  }
  return ids;
}

uint32_t version_of(const MirrorSet& set) {
  if (!set.writer.is_nil() || !set.writers.empty() || !set.lagging.empty() || !set.removed.empty())
    return 3;
  return set.promised != 0 || !set.drives_before.empty() ? 2 : 1;
}

// What follows the lists of version 1. False: it is not whole.
bool decode_change(std::string_view bytes, uint32_t version, MirrorSet& set) {
  if (bytes.size() < kChangeBytes) return false;
  set.promised = get_le<uint64_t>(bytes.data());
  set.parity_before = get_le<uint32_t>(bytes.data() + 8);
  const uint32_t before = get_le<uint32_t>(bytes.data() + 12);
  if (before > kDrivesMax || (before == 0 ? set.parity_before != 0 : set.parity_before >= before))
    return false;
  bytes.remove_prefix(kChangeBytes);
  if (bytes.size() < 16 * size_t{before}) return false;
  set.drives_before = read_ids<DriveId>(bytes.substr(0, 16 * size_t{before}));
  bytes.remove_prefix(16 * size_t{before});
  if (version < 3) return bytes.empty();
  if (bytes.size() < kHistoryBytes) return false;
  set.writer = uuid_from<WriterId>(bytes.substr(0, 16));
  const uint32_t writers = get_le<uint32_t>(bytes.data() + 16);
  const uint32_t lagging = get_le<uint32_t>(bytes.data() + 20);
  const uint32_t removed = get_le<uint32_t>(bytes.data() + 24);
  if (writers > kWritersMax || lagging > kDrivesMax || removed > kRemovedMax) return false;
  if (get_le<uint32_t>(bytes.data() + 28) != 0) return false;
  bytes.remove_prefix(kHistoryBytes);
  if (bytes.size() != 16 * (size_t{writers} + lagging) + 32 * size_t{removed}) return false;
  set.writers = read_ids<WriterId>(bytes.substr(0, 16 * size_t{writers}));
  bytes.remove_prefix(16 * size_t{writers});
  set.lagging = read_ids<DriveId>(bytes.substr(0, 16 * size_t{lagging}));
  bytes.remove_prefix(16 * size_t{lagging});
  for (; !bytes.empty(); bytes.remove_prefix(32))
    set.removed.push_back(
        {uuid_from<DriveId>(bytes.substr(0, 16)), uuid_from<WriterId>(bytes.substr(16, 16))});
  return true;
}

}  // namespace

std::string encode_mirror_set(const MirrorSet& set) {
  const uint32_t version = version_of(set);
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
  if (version >= 2) {
    char change[kChangeBytes];
    put_le(change, set.promised);
    put_le(change + 8, set.parity_before);
    put_le(change + 12, static_cast<uint32_t>(set.drives_before.size()));
    out.append(change, sizeof change);
    append_ids(out, set.drives_before);
  }
  if (version >= 3) {
    char counts[16] = {};
    put_le(counts, static_cast<uint32_t>(set.writers.size()));
    put_le(counts + 4, static_cast<uint32_t>(set.lagging.size()));
    put_le(counts + 8, static_cast<uint32_t>(set.removed.size()));
    out += set.writer.view();
    out.append(counts, sizeof counts);
    append_ids(out, set.writers);
    append_ids(out, set.lagging);
    for (const auto& [drive, writer] : set.removed) (out += drive.view()) += writer.view();
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
  if (content.size() < lists_end) return corrupt();
  set.drives = read_ids<DriveId>(content.substr(kFixedBytes, 16 * drives));
  set.members = read_ids<DriveId>(content.substr(kFixedBytes + 16 * drives, 16 * members));
  for (const DriveId& member : set.members) {
    if (!set.has_drive(member)) return corrupt();
  }
  const std::string_view rest = content.substr(lists_end);
  const bool whole = reader < 2 ? rest.empty() : decode_change(rest, reader, set);
  if (!whole || version_of(set) != reader) return corrupt();
  return set;
}

}  // namespace kura::journal
