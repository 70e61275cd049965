// The mirror-set record: which drives hold the log, written whole into "journal/mirrors" of every
// drive that is online, and the rule that picks the right one at a start. Pure.
//
// A set is in force once it stands on parity + 1 of its drives and, if the drives or the parity
// change with it, on enough of those of the set before. Any drives - parity of them include one
// that holds the newest, so whoever sees that many never mistakes an old set for the current one.
// Which of two is newer the generation says: a process promises to write none below a number before
// it writes one at all, and so never uses one that another process may have used. (Paxos, with the
// generation as ballot; the two quorums of a change are those of Raft's joint consensus.)

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace kura::journal {

inline constexpr uint32_t kMirrorSetVersion = 2;
inline constexpr uint64_t kGenerationsPromised = 1000;  // At once.

struct MirrorSet {
  uint64_t generation = 0;  // 0: the journal is being created; nothing was ever appended.
  JournalId journal;
  ClusterId cluster;
  uint32_t parity = 0;           // m: drives that may be lost.
  uint64_t start = 0;            // Base of the first live segment; what lies before is truncated.
  std::vector<DriveId> drives;   // n: every drive of the journal, members included.
  std::vector<DriveId> members;  // m + 1: an append is durable when all of them have synced it.
  uint64_t promised = 0;         // A later process writes only generations above.
  // n and m of the set before, where they differ and this one need not be in force yet; else none.
  std::vector<DriveId> drives_before;
  uint32_t parity_before = 0;

  bool operator==(const MirrorSet&) const = default;
  bool has_member(const DriveId& drive) const;
  bool has_drive(const DriveId& drive) const;
};

std::string encode_mirror_set(const MirrorSet& set);
// Errors: corrupt; unsupported (written by a newer build).
Result<MirrorSet> decode_mirror_set(std::string_view bytes);

// But for what is promised.
bool same_set(const MirrorSet& a, const MirrorSet& b);
// Whether whoever knows nothing newer than `set` has to ask one of the drives `on`, or is left with
// too few for the mirrors of an append.
bool binds(const MirrorSet& set, const std::vector<DriveId>& on);
// Whether `set` is in force once it stands on the drives `on`.
bool suffices(const MirrorSet& set, const std::vector<DriveId>& on);

// What one drive that is online shows.
struct Sighting {
  DriveId drive;
  std::string label;
  std::optional<MirrorSet> set;  // None: there is no readable record.
  std::optional<Error> problem;  // Why there is none, if not for lack of the file.
};

// The set in force. Errors, each with one line for the operator: not_found (no drive has a journal,
// or only one whose creation was interrupted), unavailable (fewer than drives - parity of them),
// corrupt (records that contradict each other), unsupported.
Result<MirrorSet> choose_mirror_set(const std::vector<Sighting>& sightings);

}  // namespace kura::journal
