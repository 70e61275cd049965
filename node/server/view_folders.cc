#include "node/server/view_folders.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "projections/kv/cached_kv.h"
#include "projections/kv/write_behind_kv.h"

namespace kura::node {
namespace {

constexpr off_t kReserveBytes = 4 << 20;

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

// RocksDB writes files anew at each start, and one on a full drive would find no view. What is kept
// for that is free as long as the map opens.
Result<std::unique_ptr<Kv>> ViewFolders::open(size_t drive) {
  ::unlink(reserve(drive).c_str());
  auto map = open_map(drive, view(drive));
  if (map) keep_reserve(drive);
  return map;
}

// As far as there is room.
void ViewFolders::keep_reserve(size_t drive) const {
  const int fd = ::open(reserve(drive).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  if (::posix_fallocate(fd, 0, kReserveBytes) != 0) ::unlink(reserve(drive).c_str());
  ::close(fd);
}

Result<std::unique_ptr<Kv>> ViewFolders::open_new(size_t drive) {
  return open_map(drive, new_view(drive));
}

Result<std::unique_ptr<Kv>> ViewFolders::open_map(size_t drive, const std::string& path) {
  if (auto gone = remove_new(drive); !gone) return fail(gone.error());
  auto map = open_rocks_kv(path, options_);
  if (!map) return map;
  return make_cached_kv(make_write_behind_kv(std::move(*map)), row_cache_bytes_);
}

// A process that dies in between finds no view, which is a rebuild once more.
Result<void> ViewFolders::adopt_new(size_t drive) {
  if (auto gone = destroy_rocks_kv(view(drive)); !gone) return gone;
  if (std::rename(new_view(drive).c_str(), view(drive).c_str()) != 0)
    return failed("rename " + new_view(drive));
  keep_reserve(drive);
  return sync_folder(drives_[drive]);
}

bool ViewFolders::exists_new(size_t drive) const {
  return ::access(new_view(drive).c_str(), F_OK) == 0;
}

Result<void> ViewFolders::remove_new(size_t drive) { return destroy_rocks_kv(new_view(drive)); }

}  // namespace kura::node
