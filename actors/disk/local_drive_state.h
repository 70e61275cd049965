// What a LocalDrive shares with its open files. For actors/disk/local_*.cc only.

#pragma once

#include <sys/statvfs.h>
#include <sys/types.h>

#include <atomic>
#include <memory>
#include <string>

#include "actors/disk/local_drive.h"
#include "actors/disk/local_drive_threads.h"
#include "base/direct_writes.h"

namespace kura {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct LocalDrive::State {
  State(std::string path_in, Descriptor folder_in, const LocalDriveOptions& options);

  // Fails once the path leads elsewhere, and from then on. Looks for space where that is old.
  Result<void> check_mounted();
  // Fails after a failed sync.
  Result<void> check_writable();
  // fdatasync, or fsync when the size changed. A failure is final for the drive.
  Result<void> sync_file(int fd, bool size_changed, const std::string& name);

  bool takes_direct() const;       // A direct write may begin: not if anything has failed.
  bool mount_look_is_due() const;  // A write that is to be durable asks check_mounted() first.
  // The end of one; `failed`: its errno.
  Result<void> conclude_direct(int fd, int failed, DirectWrites::Until until,
                               const std::string& name);

  // Asks the file system how much room there is, which on a drive that hangs never returns: on the
  // drive's own threads only.
  Result<DriveSpace> ask_space();
  // A sync has failed with `failed`, for ever.
  Result<void> lose(int failed, const std::string& name);
  // What it said last: nobody waits.
  Result<DriveSpace> known_space() const;

  const std::string path;
  const Descriptor folder;
  dev_t device = 0;
  ino_t inode = 0;
  bool in_memory = false;  // tmpfs: reading never waits.
  const bool direct;
  int (*const sync_data)(int);  // Null: fdatasync.
  int (*const stat_space)(int, struct statvfs*);
  std::atomic<uint64_t> total_bytes{0}, free_bytes{0};
  std::atomic<int> space_error{0};  // errno of the last question.
  std::atomic<int64_t> space_asked_ns{0};
  std::atomic<int64_t> mount_seen_ns{INT64_MIN / 2};
  std::atomic<bool> closed{false};
  std::atomic<bool> gone{false};
  std::string gone_because;             // Where that is known from the beginning.
  std::atomic<bool> identified{false};  // It has the file that says whose drive it is.
  std::atomic<bool> sync_failed{false};
  DriveThreads reads;
  DriveThreads writes;
};

// `errno` as an Error: ENOENT not_found, EEXIST exists, ENOSPC and EDQUOT no_space, and so on.
tl::unexpected<Error> system_error(int code, const char* doing, const std::string& what);

std::shared_ptr<File> make_local_file(std::shared_ptr<LocalDrive::State> state, Descriptor fd,
                                      std::string name);
// Reserves the bytes [from, to) of a file that ends at `from`. On an error it may have grown.
Result<void> reserve(int fd, uint64_t from, uint64_t to, const std::string& what);

}  // namespace kura
