// DriveFolders: the folders that a server has as drives, opened, and locked against a second
// process.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/disk/local_drive.h"
#include "base/result.h"
#include "base/task.h"
#include "node/known_drives.h"

namespace kura::node {

// Keeps a second process off a drive for as long as it lives.
class DriveLock {
 public:
  // Whether it is on what `path` leads to.
  bool is_on(const std::string& path) const;
  // Errors: io_error; exists (another process has it).
  static Result<DriveLock> take(const std::string& path);
  DriveLock() = default;
  DriveLock(DriveLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DriveLock& operator=(DriveLock&&) = delete;
  ~DriveLock();

 private:
  int fd_ = -1;
};

class DriveFolders {
 public:
  // A folder that is missing or cannot be opened is a drive that is not here: the others may do
  // without it, and a process that starts over, after one that had `before`, waits for all of them.
  // That one also does without a folder that is not fit to be a drive, and leaves it to the node to
  // choose between two that are the same. `before` is null at a first start. Errors:
  // invalid_argument (no folders), not_found (none exists), exists (another process has one),
  // access_denied, io_error (none opens).
  static Result<std::unique_ptr<DriveFolders>> open(const std::vector<std::string>& paths,
                                                    const KnownDrives* before);

  // In the order given.
  const std::vector<std::shared_ptr<Drive>>& drives() const { return drives_; }
  const std::vector<std::string>& paths() const { return paths_; }

  // One more folder for a running node, or another file system in one that it has; the same drive
  // again until joined() or forget(). `path` is as of absolute_folder(). Errors: as open().
  Result<std::shared_ptr<Drive>> add(const std::string& path);
  // The node has it now.
  void joined(const std::string& path);
  // The node did not take it after all.
  void forget(const std::string& path);
  // As add(), which changes nothing: for a look that ends before the answer is destroyed.
  struct Joining {
    std::shared_ptr<LocalDrive> drive;
    DriveLock lock;  // None if add() has it.
  };
  Result<Joining> look(const std::string& path);
  // Whether add() gave it, and it is neither joined nor forgotten.
  bool is_joining(const std::string& path);
  // The node takes a drive back there that is mounted anew, or has none there any more.
  Result<void> claim(const std::string& path);
  void release(const std::string& path);
  // The node uses that drive there.
  void used(ClusterId cluster, const std::string& path, DriveId id);
  KnownDrives known() const;
  // What add() gave and nobody forgot: a process that starts over needs them too.
  std::vector<std::string> added() const;

  // The drive again, if its folder was mounted anew; null: it was not. Not locked. Errors: as
  // open().
  static Task<Result<std::shared_ptr<Drive>>> mounted_anew(std::shared_ptr<Drive> away);

 private:
  DriveFolders() = default;
  Result<Joining> look_locked(const std::string& path);
  std::map<std::string, DriveLock>::iterator lock_on(
      const std::string& path);  // Of whichever place.
  const Joining* joining_on(const std::string& path);
  Result<void> check_apart(const std::string& path) const;
  Result<void> keep(const std::string& path, bool starts_over);
  Error none_opens(const std::vector<Error>& why) const;
  void leave_unmounted();

  std::vector<std::shared_ptr<Drive>> drives_;
  std::vector<std::string> paths_;
  mutable std::mutex mutex_;                // Guards what is below.
  std::map<std::string, DriveLock> locks_;  // By path.
  KnownDrives known_;
  std::vector<std::string> added_;
  std::map<std::string, Joining> joining_;  // By path.
};

// By which a folder is known, however it was named: "/mnt/d1" for "/mnt/d1/".
std::string absolute_folder(const std::string& path);

}  // namespace kura::node
