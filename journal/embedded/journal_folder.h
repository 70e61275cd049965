// The journal's files on one drive.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "journal/embedded/mirror.h"
#include "journal/embedded/mirror_set.h"

namespace kura::journal {

// Names with the folder in front; none when there is no such folder. Seals the mirror off on error.
Task<Result<std::vector<std::string>>> list_journal(MirrorPtr mirror);
// Removes segments whose base is below `base`, and files that were never finished.
Task<Result<void>> remove_segments_below(MirrorPtr mirror, uint64_t base);
Task<Result<void>> remove_all_segments(MirrorPtr mirror);
// Creates the segment at `base` with its header, durable. Seals the mirror off on any error but
// no_space, after which nothing is left of it.
Task<Result<std::shared_ptr<File>>> create_segment(MirrorPtr mirror, JournalId journal,
                                                   uint64_t base, uint64_t capacity_bytes);
// What the drive shows to choose_mirror_set().
Task<Sighting> look(MirrorPtr mirror);
Task<std::vector<Sighting>> look_at_all(std::vector<MirrorPtr> mirrors);  // By index.
// Seals the mirror off on any error but no_space.
Task<Result<void>> write_mirror_set(MirrorPtr mirror, std::string bytes);

}  // namespace kura::journal
