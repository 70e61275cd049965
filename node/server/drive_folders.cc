#include "node/server/drive_folders.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "actors/disk/drive_identity.h"
#include "base/check.h"
#include "base/joined.h"

namespace kura::node {
namespace {

bool is_mount_point(const std::string& path) {
  struct stat here, above;
  return ::stat(path.c_str(), &here) == 0 && ::stat((path + "/..").c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

bool has_identity(const std::string& path) {
  return ::access((path + "/" + std::string(disk::kDriveIdentityFile)).c_str(), F_OK) == 0;
}

// A drive's own folders, and what a fresh file system has. Else it is the folder above a drive, or
// somebody's.
Result<void> check_folders_in(const std::string& path) {
  constexpr std::string_view kOwn[] = {"journal", "sets", "view", "view.new", "lost+found"};
  std::error_code ignored;
  if (has_identity(path)) return {};
  std::filesystem::directory_iterator entry(path, ignored);
  for (; entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory(ignored) &&
        std::find(std::begin(kOwn), std::end(kOwn), name) == std::end(kOwn))
      return fail(Errc::invalid_argument,
                  path + " holds the folder '" + name + "': give an empty folder");
  }
  return {};
}

}  // namespace

std::string absolute_folder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path folder = std::filesystem::absolute(path, ignored);
  // Where ".." leads behind a symbolic link only the kernel knows.
  if (path.find("..") == path.npos) folder = folder.lexically_normal();
  std::string absolute = folder.string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute.empty() ? path : absolute;
}

Result<DriveLock> DriveLock::take(const std::string& path) {
  DriveLock lock;
  lock.fd_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock.fd_ < 0) return fail(Errc::io_error, path + ": " + std::strerror(errno));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0)
    return fail(Errc::exists, path + " is in use by another kura: stop it first");
  return lock;
}

bool DriveLock::is_on(const std::string& path) const {
  struct stat held, there;
  return ::fstat(fd_, &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

DriveLock::~DriveLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<DriveFolders>> DriveFolders::open(const std::vector<std::string>& paths,
                                                         const KnownDrives* before) {
  if (paths.empty())
    return fail(Errc::invalid_argument,
                "name at least one drive folder: kura server /mnt/d{1...6}");
  std::unique_ptr<DriveFolders> folders(new DriveFolders());
  if (before) folders->known_ = *before;
  std::vector<Error> missing;
  for (const std::string& named : paths) {
    const std::string path = absolute_folder(named);
    if (auto apart = folders->check_apart(path); !apart) return fail(apart.error());
    folders->paths_.push_back(path);
    auto drive = open_local_drive(path);
    if (!drive && !before && paths.size() == 1) return fail(drive.error());
    auto kept = drive ? folders->keep(path, before != nullptr) : Result<void>();
    if (!kept && !before) return fail(kept.error());
    if (drive && kept) {
      folders->drives_.push_back(std::move(*drive));
      continue;
    }
    missing.push_back(drive ? kept.error() : drive.error());
    const bool absent = missing.back().code == Errc::not_found;
    folders->drives_.push_back(
        missing_local_drive(path, absent ? "no such folder" : missing.back().detail));
  }
  if (missing.size() == paths.size() && !before) return fail(folders->none_opens(missing));
  folders->leave_unmounted();
  return folders;
}

// Locked, if it is fit to be a drive.
Result<void> DriveFolders::keep(const std::string& path, bool starts_over) {
  if (auto fit = check_folders_in(path); !fit) return fit;
  auto lock = DriveLock::take(path);
  if (!lock && lock_on(path) != locks_.end()) {
    if (!starts_over) return fail(Errc::invalid_argument, path + " is named twice");
    return {};
  }
  if (!lock && lock.error().code == Errc::exists) return fail(lock.error());
  if (lock) locks_.emplace(path, std::move(*lock));
  return {};
}

Error DriveFolders::none_opens(const std::vector<Error>& why) const {
  const auto other = std::find_if(why.begin(), why.end(),
                                  [](const Error& error) { return error.code != Errc::not_found; });
  if (other == why.end())
    return {Errc::not_found, "none of the drive folders exists (" + kura::joined(paths_) +
                                 "): mount or create them"};
  std::vector<std::string> reasons;
  reasons.reserve(why.size());
  for (const Error& error : why) reasons.push_back(error.detail);
  return {other->code, "none of the drive folders can be opened: " + kura::joined(reasons)};
}

// A drive within another one would be lost with it.
Result<void> DriveFolders::check_apart(const std::string& path) const {
  for (const std::string& other : paths_)
    if (path.starts_with(other + "/") || other.starts_with(path + "/"))
      return fail(Errc::invalid_argument,
                  "one of " + other + " and " + path +
                      " is within the other: give each drive its own place");
  return {};
}

// Where drives are mounted, an empty folder that is none is a drive that is missing. Taken for its
// replacement it would be filled, and hidden as soon as the drive is back.
void DriveFolders::leave_unmounted() {
  const bool mounts = std::any_of(paths_.begin(), paths_.end(), [](const std::string& path) {
    return is_mount_point(path) && has_identity(path);
  });
  for (size_t i = 0; mounts && i < paths_.size(); ++i) {
    auto drive = std::static_pointer_cast<LocalDrive>(drives_[i]);
    if (drive->is_gone() || is_mount_point(paths_[i]) || has_identity(paths_[i])) continue;
    drive->give_up("nothing is mounted there");
  }
}

Result<std::shared_ptr<Drive>> DriveFolders::add(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (const Joining* known = joining_on(path)) return known->drive;
  auto joining = look_locked(path);
  if (!joining) return fail(joining.error());
  return joining_.emplace(path, std::move(*joining)).first->second.drive;
}

Result<DriveFolders::Joining> DriveFolders::look(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (const Joining* known = joining_on(path)) return Joining{known->drive, DriveLock()};
  return look_locked(path);
}

Result<DriveFolders::Joining> DriveFolders::look_locked(const std::string& path) {
  if (auto apart = check_apart(path); !apart) return fail(apart.error());
  auto drive = open_local_drive(path);
  if (!drive) return fail(drive.error());
  if (auto fit = check_folders_in(path); !fit) return fail(fit.error());
  auto held = DriveLock::take(path);
  if (!held && held.error().code == Errc::exists && lock_on(path) != locks_.end())
    return fail(Errc::exists, path + " is a drive of this node already");
  if (!held) return fail(held.error());
  return Joining{std::move(*drive), std::move(*held)};
}

// Null also when another disk is mounted there by now, or what was there was emptied.
const DriveFolders::Joining* DriveFolders::joining_on(const std::string& path) {
  const auto known = joining_.find(path);
  if (known == joining_.end()) return nullptr;
  if (known->second.lock.is_on(path) && !known->second.drive->is_gone()) return &known->second;
  joining_.erase(known);
  return nullptr;
}

bool DriveFolders::is_joining(const std::string& path) {
  std::lock_guard lock(mutex_);
  return joining_on(path) != nullptr;
}

void DriveFolders::joined(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto it = joining_.find(path);
  if (it == joining_.end()) return;
  locks_.erase(path);
  locks_.emplace(path, std::move(it->second.lock));
  joining_.erase(it);
  for (const auto* known : {&paths_, &added_})
    if (std::find(known->begin(), known->end(), path) != known->end()) return;
  added_.push_back(path);
}

void DriveFolders::forget(const std::string& path) {
  std::lock_guard lock(mutex_);
  joining_.erase(path);
}

void DriveFolders::used(ClusterId cluster, const std::string& path, DriveId id) {
  std::lock_guard lock(mutex_);
  known_.cluster = cluster;
  known_.put(path, id);
  // Of two places that lead to it the lock may be the other one's, which is not used.
  if (locks_.contains(path)) return;
  auto other = lock_on(path);
  if (other == locks_.end()) return;
  auto held = locks_.extract(other);
  held.key() = path;
  locks_.insert(std::move(held));
}

KnownDrives DriveFolders::known() const {
  std::lock_guard lock(mutex_);
  return known_;
}

Result<void> DriveFolders::claim(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto known = lock_on(path);
  if (known != locks_.end() && known->first != path) {
    // The drives of two places have changed them.
    auto mine = locks_.extract(known);
    auto before = locks_.extract(path);
    std::string elsewhere = std::exchange(mine.key(), path);
    locks_.insert(std::move(mine));
    if (before) {
      before.key() = std::move(elsewhere);
      locks_.insert(std::move(before));
    }
    return {};
  }
  // The same file system may be back, and the lock is of the old mount.
  locks_.erase(path);
  auto held = DriveLock::take(path);
  if (!held) return fail(held.error());
  locks_.emplace(path, std::move(*held));
  return {};
}

std::map<std::string, DriveLock>::iterator DriveFolders::lock_on(const std::string& path) {
  return std::find_if(locks_.begin(), locks_.end(),
                      [&path](const auto& one) { return one.second.is_on(path); });
}

void DriveFolders::release(const std::string& path) {
  std::lock_guard lock(mutex_);
  locks_.erase(path);
}

std::vector<std::string> DriveFolders::added() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> all = added_;
  for (const auto& [path, joining] : joining_)
    if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) all.push_back(path);
  return all;
}

Task<Result<std::shared_ptr<Drive>>> DriveFolders::mounted_anew(std::shared_ptr<Drive> away) {
  auto local = std::dynamic_pointer_cast<LocalDrive>(away);
  INVARIANT(local, "a server's drives are folders");
  auto anew = co_await local->mounted_anew();
  if (!anew) co_return fail(anew.error());
  std::shared_ptr<Drive> drive = std::move(*anew);
  co_return drive;
}

}  // namespace kura::node
