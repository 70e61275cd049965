// SetFiles: open member files, and pins that keep a set from being dropped while somebody reads it.
// Thread-safe; the number of open files is bounded.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "actors/disk/drive_table.h"
#include "actors/disk/set_ledger.h"
#include "base/drive.h"
#include "base/ids.h"
#include "base/result.h"

namespace kura::disk {

class SetFiles {
 public:
  // Both outlive it and every pin.
  SetFiles(const SetLedger& ledger, DriveTable& drives, size_t open_files_max, int64_t timeout_ns)
      : ledger_(ledger),
        drives_(drives),
        open_files_max_(open_files_max),
        timeout_ns_(timeout_ns) {}

  using Pin = std::shared_ptr<const void>;
  // Keeps the set while it lives. Null once the set is being dropped.
  Pin pin(SetId set);
  // True: nobody has pinned it and nobody can any more; forget its files and remove them.
  bool begin_drop(SetId set);

  // The member's file if it is open and its drive is online; else null.
  std::shared_ptr<File> opened(SetId set, uint32_t member);
  // Opens it if need be. Errors: unavailable (its drive is offline), not_found (no such set in the
  // ledger, or no such file on its drive: then the member is also noted as absent), timed_out,
  // io_error.
  Task<Result<std::shared_ptr<File>>> open(SetId set, uint32_t member);
  // A file that was just created.
  void adopt(SetId set, uint32_t member, DriveId drive, std::shared_ptr<File> file);
  void forget(SetId set);
  void forget_drive(DriveId drive);

  // Members whose file is not on their online drive.
  void note_absent(SetId set, uint32_t member);
  void note_present(SetId set, uint32_t member);
  bool absent(SetId set, uint32_t member) const;

 private:
  struct Handle {
    DriveId drive;  // A member that moved has another drive in the ledger.
    std::shared_ptr<File> file;
  };
  struct Set {
    std::map<uint32_t, Handle> members;
    std::weak_ptr<const void> pins;
    uint64_t used = 0;
  };
  void make_room();  // REQUIRES: locked.

  const SetLedger& ledger_;
  DriveTable& drives_;
  const size_t open_files_max_;
  const int64_t timeout_ns_;
  mutable std::mutex mutex_;
  std::map<SetId, Set> sets_;
  std::set<SetId> dropping_;
  std::set<std::pair<SetId, uint32_t>> absent_;
  size_t open_files_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace kura::disk
