#include "node/server/view_folders.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "projections/kv/cached_kv.h"
#include "projections/kv/full_drive_kv.h"
#include "projections/kv/write_behind_kv.h"
#include "projections/metadata/rows.h"

namespace kura::node {
namespace {

constexpr uint64_t kReserveBytes = 4 << 20;

tl::unexpected<Error> failed(const std::string& what) {
  return fail(Errc::io_error, what + ": " + std::strerror(errno));
}

Result<void> sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed(path);
  const bool synced = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  errno = error;
  if (!synced) return failed(path);
  return {};
}

}  // namespace

bool ViewFolders::exists(size_t drive) const {
  return ::access((view(drive) + "/CURRENT").c_str(), F_OK) == 0;
}

// RocksDB writes files anew at each start. What is kept for that is free as long as the map opens;
// once somebody else has taken it, the map is read until there is as much again.
Result<std::unique_ptr<Kv>> ViewFolders::open(size_t drive) {
  if (auto gone = remove_new(drive); !gone) return fail(gone.error());
  ::unlink(reserve(drive).c_str());
  auto map = open_rocks_kv(view(drive), options_);
  if (map) keep_reserve(drive);
  if (map) return around(std::move(*map));
  if (map.error().code != Errc::no_space) return map;
  auto as_it_is = open_rocks_kv_to_read(view(drive), options_);
  if (!as_it_is) return map;
  auto position = (*as_it_is)->get(row::position_key());
  if (!position) return fail(position.error());
  return around(make_full_drive_kv(
      std::move(*as_it_is), [this, drive, held = *position] { return open_again(drive, held); }));
}

// Where it was only read so far. What was folded since goes on top, so it has to be that view:
// somebody may have removed it, or mounted another drive there.
Result<std::unique_ptr<Kv>> ViewFolders::open_again(size_t drive,
                                                    const std::optional<std::string>& held) const {
  struct statvfs drive_of {};
  if (::statvfs(drives_[drive].c_str(), &drive_of) != 0) return failed(drives_[drive]);
  if (drive_of.f_bavail * drive_of.f_frsize < kReserveBytes)
    return fail(Errc::no_space, view(drive) + ": its drive is full");
  auto map = open_rocks_kv_again(view(drive), options_);
  if (!map) return map;
  auto position = (*map)->get(row::position_key());
  if (!position) return fail(position.error());
  if (*position != held) return fail(Errc::io_error, view(drive) + ": another view is there now");
  keep_reserve(drive);
  return map;
}

Result<std::unique_ptr<Kv>> ViewFolders::open_to_read(size_t drive) {
  auto map = open_rocks_kv_to_read(view(drive), options_);
  if (!map) return map;
  return around(make_full_drive_kv(std::move(*map), [] {
    return Result<std::unique_ptr<Kv>>(fail(Errc::no_space, "the view is only read"));
  }));
}

uint64_t ViewFolders::bytes(size_t drive) const {
  uint64_t sum = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(view(drive), error), end; !error && it != end;
       it.increment(error)) {
    std::error_code gone;
    const uint64_t size = it->file_size(gone);
    if (!gone) sum += size;
  }
  return sum;
}

// As far as there is room.
void ViewFolders::keep_reserve(size_t drive) const {
  const int fd = ::open(reserve(drive).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (::posix_fallocate(fd, 0, kReserveBytes) != 0) ::unlink(reserve(drive).c_str());
  ::close(fd);
}

Result<std::unique_ptr<Kv>> ViewFolders::open_new(size_t drive) {
  if (auto gone = remove_new(drive); !gone) return fail(gone.error());
  auto map = open_rocks_kv(new_view(drive), options_);
  if (!map) return map;
  return around(std::move(*map));
}

std::unique_ptr<Kv> ViewFolders::around(std::unique_ptr<Kv> map) const {
  return make_cached_kv(make_write_behind_kv(std::move(map)), row_cache_bytes_);
}

// A process that dies in between finds no view, which is a rebuild once more.
Result<void> ViewFolders::adopt_new(size_t drive) {
  if (auto gone = destroy_rocks_kv(view(drive)); !gone) return gone;
  if (std::rename(new_view(drive).c_str(), view(drive).c_str()) != 0)
    return failed("rename " + new_view(drive));
  keep_reserve(drive);
  return sync_folder(drives_[drive]);
}

Result<void> ViewFolders::remove_new(size_t drive) { return destroy_rocks_kv(new_view(drive)); }

bool ViewFolders::holds_any(size_t drive) const {
  for (const std::string& path : {view(drive), new_view(drive), reserve(drive)})
    if (::access(path.c_str(), F_OK) == 0) return true;
  return false;
}

Result<void> ViewFolders::remove(size_t drive) {
  if (auto gone = remove_new(drive); !gone) return gone;
  if (auto gone = destroy_rocks_kv(view(drive)); !gone) return gone;
  if (::unlink(reserve(drive).c_str()) != 0 && errno != ENOENT)
    return failed("remove " + reserve(drive));
  return {};
}

}  // namespace kura::node
