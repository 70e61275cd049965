// LocalDrive: a folder of a mounted file system as a Drive.
//
// Blocking calls run on threads of the drive's own: reads on some, writes, syncs and names on
// others, so that a read never waits behind a sync. A write_and_sync() of one aligned piece goes
// past the page cache and keeps no thread (base/direct_writes.h).
//
// Two failures last until the drive is opened anew. A sync that fails loses bytes that a later sync
// would report as safe, so no write or sync succeeds after it. And the folder must still be what
// its path leads to: after `umount -l`, or when another file system was mounted above, open
// descriptors go on working on a drive that nobody can find again. Each call by name and each sync
// (of direct writes one every 50 ms) compares the two, so reading the identity file finds out as
// well. Whoever finds the drive again takes mounted_anew() in its place.

#pragma once

#include <memory>
#include <string>

#include "base/drive.h"

struct statvfs;

namespace kura {

struct LocalDriveOptions {
  size_t read_threads = 2;
  size_t write_threads = 2;  // One may be in a long sync while the other takes writes.
  // Direct writes, where loop and file system can. False: also leaves alone what it only reads.
  bool direct = true;
  // Tests let it fail; null is fdatasync(2), and nothing after a direct write.
  int (*sync_data)(int fd) = nullptr;
  // Tests let it hang; null is fstatvfs(3).
  int (*stat_space)(int fd, struct statvfs* out) = nullptr;
};

class LocalDrive : public Drive {
 public:
  struct State;  // Shared with the open files.
  explicit LocalDrive(std::shared_ptr<State> state) : state_(std::move(state)) {}
  // Waits for the operations that have begun, but for direct writes (their loops do); files that
  // are still open answer `closed` from then on. Destroy it before the loops of the tasks that use
  // it.
  ~LocalDrive() override;

  Task<Result<std::shared_ptr<File>>> create(std::string name, uint64_t size_bytes) override;
  Task<Result<std::shared_ptr<File>>> open(std::string name) override;
  Task<Result<void>> remove(std::string name) override;
  Task<Result<void>> rename(std::string from, std::string to) override;
  Task<Result<std::vector<FileInfo>>> list(std::string folder) override;
  // As of the last look by one of the drive's threads: at most a second before its last call, which
  // a node makes every two seconds. So a drive that hangs keeps nobody.
  Result<DriveSpace> space() override;
  std::string label() const override;

  // Whether the path still leads to the folder that was opened; false is final.
  Task<Result<bool>> still_mounted();
  // What it was is not there any more, as far as anybody has looked.
  bool is_gone() const;
  // As if the drive were not mounted, for `why`: the folder is only what lies below its mount
  // point. Before anybody uses it.
  void give_up(std::string why);
  // The drive to which the path leads by now, if it is another mount and holds an identity (whose
  // is for the caller to check); else null.
  Task<Result<std::shared_ptr<LocalDrive>>> mounted_anew();

 private:
  std::shared_ptr<State> state_;
};

// A drive whose folder is not there or cannot be opened, for `why`, as one that is not mounted:
// mounted_anew() finds it.
std::unique_ptr<LocalDrive> missing_local_drive(const std::string& path, std::string why);

// `path` must be a folder already. Errors: not_found (no such folder), access_denied,
// invalid_argument (not a folder), io_error.
Result<std::unique_ptr<LocalDrive>> open_local_drive(const std::string& path,
                                                     const LocalDriveOptions& options = {});

}  // namespace kura
