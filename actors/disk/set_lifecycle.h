// Sealing and dropping of sets: the event first, then the files. A crash between leaves files that
// the next start cuts or removes.

#pragma once

#include <memory>

#include "actors/disk/open_set.h"

namespace kura::disk {

// Seals a set of this process at its last good byte; a set without any is dropped. Tries until it
// succeeds or the pool stops.
Task<void> seal_open_set(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set);

// Seals a set that an earlier process left open, behind its last stripe and everything that the
// fold names in it. Tries likewise. REQUIRES: every partition is folded to its end.
Task<void> seal_left_open(std::shared_ptr<DiskCore> core, const LiveBodies& live, SetId set);

// Of a set that was opened and got no files: seals it empty, however long that takes, and drops it.
Task<void> drop_unused(std::shared_ptr<DiskCore> core, SetId set);

// Records the drop and removes the files. Does nothing while somebody reads the set.
// REQUIRES: the fold names nothing in it and no reservation uses it.
Task<void> drop_set(std::shared_ptr<DiskCore> core, SetId set);

// Looks whether the drive's files can be ours. Errors: corrupt (files of sets that the ledger has
// not opened yet: this is not the journal that they belong to), those of the drive.
Task<Result<void>> check_files(std::shared_ptr<DiskCore> core, std::shared_ptr<Drive> drive);

// Brings the files of one drive in line with the ledger: removes what no set names, cuts what lies
// behind the end of sealed sets, notes members whose file is missing. REQUIRES: the control
// partition is folded to its end. Errors: those of check_files.
Task<Result<void>> tidy_drive(std::shared_ptr<DiskCore> core, DriveId id,
                              std::shared_ptr<Drive> drive);

}  // namespace kura::disk
