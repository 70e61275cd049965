#include "actors/disk/local_drive.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "actors/disk/drive_identity.h"
#include "actors/disk/local_drive_state.h"
#include "base/fail_point.h"

namespace kura {
namespace {

using State = LocalDrive::State;

constexpr int64_t kMountLookNs = 50'000'000;  // Age from which the path is compared anew.
constexpr int64_t kSpaceNs = 1'000'000'000;   // Age from which the room is asked for anew.

int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

struct Name {
  std::string folder;  // "" is the top.
  std::string file;
};

// REQUIRES: is_file_name(name).
Name split(const std::string& name) {
  size_t slash = name.find('/');
  if (slash == std::string::npos) return {.folder = "", .file = name};
  return {.folder = name.substr(0, slash), .file = name.substr(slash + 1)};
}

tl::unexpected<Error> bad_name(const std::string& name) {
  return fail(Errc::invalid_argument, "'" + name + "' is not a name for a file of a drive");
}

Result<Descriptor> open_folder(State& state, const std::string& folder) {
  const char* relative = folder.empty() ? "." : folder.c_str();
  Descriptor fd(openat(state.folder.get(), relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error(errno, "open", state.path + "/" + folder);
  return fd;
}

Result<void> sync_folder(State& state, const std::string& folder) {
  Result<Descriptor> fd = open_folder(state, folder);
  if (!fd) return fail(fd.error());
  if (fsync(fd->get()) != 0) {
    state.sync_failed = true;
    return system_error(errno, "sync folder", state.path + "/" + folder);
  }
  return {};
}

// Neither the file nor its copy; an error is no proof of that.
bool lacks_identity(const State& state) {
  for (const std::string_view name : {disk::kDriveIdentityFile, disk::kDriveIdentityCopy})
    if (faccessat(state.folder.get(), std::string(name).c_str(), F_OK, 0) == 0 || errno != ENOENT)
      return false;
  return true;
}

// Makes the folder of a new file, durably.
Result<void> make_folder(State& state, const std::string& folder) {
  if (folder.empty()) return {};
  if (mkdirat(state.folder.get(), folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    return system_error(errno, "make folder", state.path + "/" + folder);
  }
  if (state.identified && lacks_identity(state)) {
    // Somebody emptied it. Nothing new goes there, so that it can be added as an empty drive.
    unlinkat(state.folder.get(), folder.c_str(), AT_REMOVEDIR);
    state.gone = true;
    return fail(Errc::io_error, state.path + ": it was emptied");
  }
  return sync_folder(state, "");
}

Result<void> check_changeable(State& state) {
  Result<void> mounted = state.check_mounted();
  if (!mounted) return mounted;
  return state.check_writable();
}

Result<Descriptor> create_now(State& state, const std::string& name, uint64_t size_bytes) {
  Result<void> changeable = check_changeable(state);
  if (!changeable) return fail(changeable.error());
  std::string what = state.path + "/" + name;
  // Without this an allocation that cannot succeed would first take all that is left.
  Result<DriveSpace> space = state.ask_space();
  if (!space) return fail(space.error());
  if (size_bytes > space->free_bytes) return system_error(ENOSPC, "reserve space for", what);

  before_step("local.create");
  auto [folder, file] = split(name);
  Result<void> made = make_folder(state, folder);
  if (!made) return fail(made.error());
  Descriptor fd(openat(state.folder.get(), name.c_str(),
                       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return system_error(errno, "create", what);
  before_step("local.reserve");
  Result<void> done = reserve(fd.get(), 0, size_bytes, what);
  if (done) after_step("local.reserve");
  if (done) done = state.sync_file(fd.get(), true, name);
  if (done) done = sync_folder(state, folder);
  if (!done) {
    unlinkat(state.folder.get(), name.c_str(), 0);
    return fail(done.error());
  }
  after_step("local.create");
  (void)state.ask_space();
  return fd;
}

// The kernel ends the direct writes of a process that was killed without it, maybe long after the
// lock on the drive is free. Allocating waits for them, and where something is already does no
// more. What is smaller than a block was never written so.
void await_direct_writes(int fd) {
  struct stat info;
  if (fstat(fd, &info) != 0 || static_cast<uint64_t>(info.st_size) < kDirectAlign) return;
  (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1);
}

Result<Descriptor> open_now(State& state, const std::string& name) {
  Result<void> mounted = state.check_mounted();
  if (!mounted) return fail(mounted.error());
  // A drive that was remounted read-only after an error can still be read.
  Descriptor fd(openat(state.folder.get(), name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == EROFS)
    fd = Descriptor(openat(state.folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return system_error(errno, "open", state.path + "/" + name);
  if (state.direct) await_direct_writes(fd.get());
  return fd;
}

Result<void> remove_now(State& state, const std::string& name) {
  Result<void> changeable = check_changeable(state);
  if (!changeable) return changeable;
  before_step("local.remove");
  if (unlinkat(state.folder.get(), name.c_str(), 0) != 0)
    return system_error(errno, "remove", state.path + "/" + name);
  after_step("local.remove");
  (void)state.ask_space();
  return sync_folder(state, split(name).folder);
}

Result<void> rename_now(State& state, const std::string& from, const std::string& to) {
  Result<void> changeable = check_changeable(state);
  if (!changeable) return changeable;
  std::string source = split(from).folder, target = split(to).folder;
  Result<void> made = make_folder(state, target);
  if (!made) return made;
  before_step("local.rename");
  if (renameat(state.folder.get(), from.c_str(), state.folder.get(), to.c_str()) != 0)
    return system_error(errno, "rename", state.path + "/" + from);
  after_step("local.rename");
  if (to == disk::kDriveIdentityFile) state.identified = true;
  Result<void> synced = sync_folder(state, target);
  if (!synced || source == target) return synced;
  return sync_folder(state, source);
}

Result<std::vector<FileInfo>> list_now(State& state, const std::string& folder) {
  Result<void> mounted = state.check_mounted();
  if (!mounted) return fail(mounted.error());
  std::vector<FileInfo> files;
  Result<Descriptor> fd = open_folder(state, folder);
  if (!fd && fd.error().code == Errc::not_found) return files;
  if (!fd) return fail(fd.error());
  std::string what = state.path + "/" + folder;
  DIR* entries = fdopendir(fd->get());
  if (!entries) return system_error(errno, "list", what);
  int folder_fd = fd->release();
  for (;;) {
    errno = 0;
    dirent* entry = readdir(entries);
    if (!entry) break;
    // A file system has entries of its own ("lost+found"), and people leave files behind.
    if (!is_file_name(entry->d_name)) continue;
    struct stat info;
    if (fstatat(folder_fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // Removed meanwhile.
      break;
    }
    if (!S_ISREG(info.st_mode)) continue;
    files.push_back({.name = entry->d_name, .size_bytes = static_cast<uint64_t>(info.st_size)});
  }
  int failed = errno;
  closedir(entries);
  if (failed != 0) return system_error(failed, "list", what);
  std::sort(files.begin(), files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  return files;
}

std::string thread_name(const std::string& path, char kind) {
  std::string name = path.substr(path.size() > 12 ? path.size() - 12 : 0);
  return name + ":" + kind;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

tl::unexpected<Error> system_error(int code, const char* doing, const std::string& what) {
  Errc errc = Errc::io_error;
  if (code == ENOENT) errc = Errc::not_found;
  if (code == EEXIST) errc = Errc::exists;
  if (code == ENOSPC || code == EDQUOT) errc = Errc::no_space;
  if (code == EACCES || code == EPERM) errc = Errc::access_denied;
  if (code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG) errc = Errc::invalid_argument;
  if (code == EFBIG) errc = Errc::too_large;
  return fail(errc, std::string("cannot ") + doing + " " + what + ": " + std::strerror(code));
}

LocalDrive::State::State(std::string path_in, Descriptor folder_in,
                         const LocalDriveOptions& options)
    : path(std::move(path_in)),
      folder(std::move(folder_in)),
      direct(options.direct),
      sync_data(options.sync_data),
      stat_space(options.stat_space ? options.stat_space : fstatvfs),
      reads(thread_name(path, 'r'), options.read_threads),
      writes(thread_name(path, 'w'), options.write_threads) {}

Result<void> LocalDrive::State::check_mounted() {
  struct stat now;
  bool here = !gone && stat(path.c_str(), &now) == 0 && now.st_dev == device && now.st_ino == inode;
  const int64_t asked_ns = now_ns();
  if (here && asked_ns - space_asked_ns > kSpaceNs) (void)ask_space();
  if (here) {
    mount_seen_ns = asked_ns;
    return {};
  }
  gone = true;
  if (!gone_because.empty()) return fail(Errc::io_error, gone_because);
  return fail(Errc::io_error, path + ": no longer mounted, or another drive is mounted there");
}

Result<DriveSpace> LocalDrive::State::ask_space() {
  space_asked_ns = now_ns();
  struct statvfs info {};
  space_error = stat_space(folder.get(), &info) == 0 ? 0 : errno;
  total_bytes = uint64_t{info.f_blocks} * info.f_frsize;
  free_bytes = uint64_t{info.f_bavail} * info.f_frsize;
  return known_space();
}

Result<DriveSpace> LocalDrive::State::known_space() const {
  if (space_error != 0) return system_error(space_error, "ask for space of", path);
  return DriveSpace{.total_bytes = total_bytes, .free_bytes = free_bytes};
}

Result<void> LocalDrive::State::check_writable() {
  if (gone) return fail(Errc::io_error, path + ": no longer mounted");
  if (sync_failed) return fail(Errc::io_error, path + ": an earlier sync failed");
  return {};
}

Result<void> LocalDrive::State::sync_file(int fd, bool size_changed, const std::string& name) {
  Result<void> mounted = check_mounted();
  if (!mounted) return mounted;
  before_step("local.sync");
  auto sync_bytes = sync_data ? sync_data : fdatasync;
  if ((size_changed ? fsync(fd) : sync_bytes(fd)) != 0) return lose(errno, name);
  after_step("local.sync");
  return {};
}

Result<void> LocalDrive::State::conclude_direct(int fd, int failed, DirectWrites::Until until,
                                                const std::string& name) {
  const bool durable = until == DirectWrites::Until::durable;
  if (failed == 0 && durable && sync_data && sync_data(fd) != 0) failed = errno;
  if (failed == 0) return {};
  return durable ? lose(failed, name) : system_error(failed, "write", path + "/" + name);
}

Result<void> LocalDrive::State::lose(int failed, const std::string& name) {
  sync_failed = true;
  Error error = system_error(failed, "sync", path + "/" + name).value();
  error.code = Errc::io_error;  // Whatever the reason, the bytes are lost: also for ENOSPC.
  return fail(std::move(error));
}

bool LocalDrive::State::takes_direct() const { return direct && !closed && !gone && !sync_failed; }

bool LocalDrive::State::mount_look_is_due() const {
  return now_ns() - mount_seen_ns >= kMountLookNs;
}

Result<std::unique_ptr<LocalDrive>> open_local_drive(const std::string& path,
                                                     const LocalDriveOptions& options) {
  Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return system_error(errno, "open", path);
  struct stat info;
  if (fstat(folder.get(), &info) != 0) return system_error(errno, "open", path);
  struct statfs system;
  if (fstatfs(folder.get(), &system) != 0) return system_error(errno, "open", path);
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).string();
  if (error) return system_error(error.value(), "open", path);
  auto state = std::make_shared<State>(std::move(absolute), std::move(folder), options);
  state->device = info.st_dev;
  state->inode = info.st_ino;
  state->in_memory = system.f_type == TMPFS_MAGIC;
  state->identified = !lacks_identity(*state);
  if (auto space = state->ask_space(); !space) return fail(space.error());
  return std::make_unique<LocalDrive>(std::move(state));
}

std::unique_ptr<LocalDrive> missing_local_drive(const std::string& path, std::string why) {
  auto state = std::make_shared<State>(path, Descriptor(), LocalDriveOptions{.direct = false});
  state->gone = true;
  state->gone_because = std::move(why);
  state->space_error = ENOENT;
  return std::make_unique<LocalDrive>(std::move(state));
}

LocalDrive::~LocalDrive() {
  state_->closed = true;
  state_->reads.stop();
  state_->writes.stop();
}

Task<Result<std::shared_ptr<File>>> LocalDrive::create(std::string name, uint64_t size_bytes) {
  std::shared_ptr<State> state = state_;
  if (!is_file_name(name)) co_return bad_name(name);
  auto work = [&]() { return create_now(*state, name, size_bytes); };
  ThreadJob<Result<Descriptor>, decltype(work)> job(work);
  Result<Descriptor> fd = co_await job.on(state->writes);
  if (!fd) co_return fail(fd.error());
  co_return make_local_file(state, std::move(*fd), name);
}

Task<Result<std::shared_ptr<File>>> LocalDrive::open(std::string name) {
  std::shared_ptr<State> state = state_;
  if (!is_file_name(name)) co_return bad_name(name);
  auto work = [&]() { return open_now(*state, name); };
  ThreadJob<Result<Descriptor>, decltype(work)> job(work);
  Result<Descriptor> fd = co_await job.on(state->reads);
  if (!fd) co_return fail(fd.error());
  co_return make_local_file(state, std::move(*fd), name);
}

Task<Result<void>> LocalDrive::remove(std::string name) {
  std::shared_ptr<State> state = state_;
  if (!is_file_name(name)) co_return bad_name(name);
  auto work = [&]() { return remove_now(*state, name); };
  ThreadJob<Result<void>, decltype(work)> job(work);
  co_return co_await job.on(state->writes);
}

Task<Result<void>> LocalDrive::rename(std::string from, std::string to) {
  std::shared_ptr<State> state = state_;
  if (!is_file_name(from)) co_return bad_name(from);
  if (!is_file_name(to)) co_return bad_name(to);
  auto work = [&]() { return rename_now(*state, from, to); };
  ThreadJob<Result<void>, decltype(work)> job(work);
  co_return co_await job.on(state->writes);
}

Task<Result<std::vector<FileInfo>>> LocalDrive::list(std::string folder) {
  std::shared_ptr<State> state = state_;
  if (!is_folder_name(folder)) co_return bad_name(folder);
  auto work = [&]() { return list_now(*state, folder); };
  ThreadJob<Result<std::vector<FileInfo>>, decltype(work)> job(work);
  co_return co_await job.on(state->reads);
}

Result<DriveSpace> LocalDrive::space() { return state_->known_space(); }

std::string LocalDrive::label() const { return state_->path; }

Task<Result<bool>> LocalDrive::still_mounted() {
  std::shared_ptr<State> state = state_;
  auto work = [&]() -> Result<bool> { return state->check_mounted().has_value(); };
  ThreadJob<Result<bool>, decltype(work)> job(work);
  co_return co_await job.on(state->reads);
}

bool LocalDrive::is_gone() const { return state_->gone; }

void LocalDrive::give_up(std::string why) {
  state_->gone_because = std::move(why);
  state_->gone = true;
}

Task<Result<std::shared_ptr<LocalDrive>>> LocalDrive::mounted_anew() {
  std::shared_ptr<State> state = state_;
  using Anew = Result<std::shared_ptr<LocalDrive>>;
  auto work = [&]() -> Anew {
    if (state->check_mounted()) return nullptr;
    // Without this a drive that is away would be opened at each look, threads and all.
    const std::string identity = state->path + "/" + std::string(disk::kDriveIdentityFile);
    if (access(identity.c_str(), R_OK) != 0) return nullptr;
    auto opened = open_local_drive(state->path);
    if (!opened) return fail(opened.error());
    return std::shared_ptr<LocalDrive>(std::move(*opened));
  };
  ThreadJob<Anew, decltype(work)> job(work);
  co_return co_await job.on(state->reads);
}

}  // namespace kura
