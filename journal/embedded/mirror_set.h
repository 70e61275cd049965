// The mirror-set record: which drives hold the log, written whole into "journal/mirrors" of every
// drive that is online, and the rule that picks the right one at a start. Pure.
//
// A set is in force once it stands on parity + 1 of its drives and, if the drives or the parity
// change with it, on enough of those of the set before. Any drives - parity of them include one
// that holds the newest, so whoever sees that many never mistakes an old set for the current one.
// Which of two is newer the generation says: a process promises to write none below a number before
// it writes one at all, and so never uses one that another process may have used. (Paxos, with the
// generation as ballot; the two quorums of a change are those of Raft's joint consensus.)
//
// A copy of the drives on which another process went on is another history of the same journal, and
// generations do not tell the two apart. The processes do: a set names the one that wrote it and
// those before it, and a promise names the one that makes it. So nothing that the drives of a copy
// show is taken for a later set of ours while they are no more than parity of the drives.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace kura::journal {

inline constexpr uint32_t kMirrorSetVersion = 3;
inline constexpr uint64_t kGenerationsPromised = 1000;  // At once.
inline constexpr size_t kWritersMax = 4096;             // That a set names.
inline constexpr size_t kRemovedMax = 256;  // Pairs of drive and writer that it remembers.

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
  WriterId writer;  // The process that wrote it; nil: one from before version 3.
  // The others of its history whose sets drives may still show, and one that has promised.
  std::vector<WriterId> writers;
  // Those of the drives that may show a set of one of these; the rest shows one of `writer`.
  std::vector<DriveId> lagging;
  // Drives that were removed, each with the writer of a set that it may show; the last ones.
  struct Removed {
    DriveId drive;
    WriterId writer;
    bool operator==(const Removed&) const = default;
  };
  std::vector<Removed> removed;

  bool operator==(const MirrorSet&) const = default;
  // Whether `process` is of its history.
  bool knows(const WriterId& process) const;
  // The process that is about to write sets: named by the promise, and by each set from then on.
  // All drives lag behind the first one of those.
  void announce(const WriterId& process);
  void sign(const WriterId& process);
  // What it has to remember of one of its drives that is not to be one any more, and may forget of
  // one that is again.
  void note_removed(const DriveId& drive);
  bool has_member(const DriveId& drive) const;
  bool has_drive(const DriveId& drive) const;
  bool has_removed(const DriveId& drive) const;

 private:
  void remember_removed(const DriveId& drive, const WriterId& shown);
};

std::string encode_mirror_set(const MirrorSet& set);
// Errors: corrupt; unsupported (written by a newer build).
Result<MirrorSet> decode_mirror_set(std::string_view bytes);

// But for what is promised, by whom, and who has seen it.
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
// exists (drives of two journals), corrupt (records that contradict each other, or of two
// histories), unsupported.
Result<MirrorSet> choose_mirror_set(const std::vector<Sighting>& sightings);

// Whether a drive shows what it cannot show by `set`, the one in force: it is of a copy that went
// on by itself, or of a start with other drives that nobody here knows of; or it was removed so
// long ago that nobody knows any more.
bool is_other_history(const MirrorSet& set, const Sighting& seen);
// What an operator is told of such a drive.
inline constexpr std::string_view kOtherHistory =
    "it holds another history of this store (of a copy that went on by itself, of a start without "
    "these drives, or from before it was removed): bring the right drive back, or empty this one "
    "if nothing on it is needed";

// REQUIRES: `set` is what was chosen from `sightings`. Adds the writers that its drives know, and
// leaves out those that none of them can show any more.
void note_writers(MirrorSet& set, const std::vector<Sighting>& sightings);

}  // namespace kura::journal
