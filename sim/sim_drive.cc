#include "sim/sim_drive.h"

#include <algorithm>
#include <utility>

#include "base/loop.h"

namespace kura::sim {

// One incarnation's use of the disk.
struct SimDisk::Mount {
  explicit Mount(uint32_t insertion_in) : insertion(insertion_in) {}
  uint32_t insertion;  // What was in the place.
  bool live = true;
  uint64_t next = 1;
  struct Operation {
    Apply apply;
    bool may_survive_crash;
    int64_t delay_ns;
    SimWorld::Event event;  // None while the drive hangs.
  };
  std::map<uint64_t, Operation> under_way;
};

SimDisk::SimDisk(SimWorld& world, uint32_t number, DiskOptions options)
    : world_(world),
      number_(number),
      options_(options),
      random_(world.random("disk", number)),
      fault_random_(world.random("disk faults", number)),
      device_(number * kDevicesPerPlace) {}

SimDisk::~SimDisk() {
  if (!mounts_.empty()) crash(Unsynced::kept);
}

void SimDisk::begin(const std::shared_ptr<Mount>& mount, int64_t mean_ns, bool may_survive_crash,
                    Apply apply) {
  if (!mount->live) return;
  int64_t delay = random_.exponential(mean_ns) + kMicrosecond;
  if (random_.pick(1000) == 0) delay *= 20;
  const uint64_t number = mount->next++;
  delay *= slow_;
  mount->under_way.emplace(number,
                           Mount::Operation{std::move(apply), may_survive_crash, delay, {}});
  if (!hung_) schedule(mount, number);
}

void SimDisk::schedule(const std::shared_ptr<Mount>& mount, uint64_t number) {
  Mount::Operation& operation = mount->under_way.at(number);
  operation.event =
      world_.after(operation.delay_ns, [this, mount, number] { finish(mount, number); });
}

void SimDisk::set_hung(bool hung) {
  hung_ = hung;
  for (auto& mount : mounts_) {
    for (auto& [number, operation] : mount->under_way) {
      world_.cancel(operation.event);
      operation.event = {};
      if (!hung) schedule(mount, number);
    }
  }
}

void SimDisk::finish(const std::shared_ptr<Mount>& mount, uint64_t number) {
  auto operation = mount->under_way.extract(number);
  world_.trace("disk", number_, number);
  operation.mapped().apply(false);
}

void SimDisk::unmount(Mount& mount) {
  mount.live = false;
  for (auto& [number, operation] : mount.under_way) world_.cancel(operation.event);
  mount.under_way.clear();
}

void SimDisk::crash(Unsynced policy) {
  INVARIANT(Loop::current() == nullptr, "a crash comes from outside every loop");
  for (auto& mount : std::exchange(mounts_, {})) {
    mount->live = false;
    auto under_way = std::move(mount->under_way);
    mount->under_way.clear();
    for (auto& [number, operation] : under_way) {
      world_.cancel(operation.event);
      if (operation.may_survive_crash && random_.pick(2) == 0) operation.apply(true);
    }
  }
  uint64_t lost = 0;
  for (auto& [name, file] : files_) {
    lost += file->unsynced.size();
    file->under_way.clear();
    file->crash(policy, options_.sector_bytes, random_);
  }
  counts_.lost_writes += lost;
  if (lost > 0 && policy != Unsynced::kept) ++counts_.torn_crashes;
  world_.trace("disk crash", number_, lost);
}

bool SimDisk::has_unsynced() const {
  return std::any_of(files_.begin(), files_.end(),
                     [](const auto& entry) { return !entry.second->unsynced.empty(); });
}

void SimDisk::replace_empty() { put_in(new_medium()); }

SimMedium SimDisk::take_out(Unsynced policy) {
  SimMedium out{device_, {}};
  for (auto& [name, file] : files_) {
    // Whoever has it open keeps another, which nobody can reach.
    auto moved = std::make_shared<SimFile>(std::move(*file));
    moved->under_way.clear();
    counts_.lost_writes += moved->unsynced.size();
    moved->crash(policy, options_.sector_bytes, random_);
    out.files.emplace(name, std::move(moved));
  }
  files_.clear();
  dead_ = true;
  ++insertion_;
  if (hung_) set_hung(false);  // A pulled drive answers with errors.
  return out;
}

void SimDisk::put_in(SimMedium medium) {
  device_ = medium.device;
  files_ = std::move(medium.files);
  dead_ = false;
  ++insertion_;
}

bool SimDisk::in_use() const {
  return std::any_of(mounts_.begin(), mounts_.end(), [this](const auto& mount) {
    return mount->live && mount->insertion == insertion_;
  });
}

bool SimDisk::error_strikes(uint32_t per_million) {
  if (dead_) return true;
  if (per_million == 0 || !fault_random_.happens(per_million)) return false;
  ++counts_.errors;
  world_.trace("disk error", number_);
  return true;
}

uint64_t SimDisk::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [name, file] : files_) used += file->size;
  return used;
}

std::vector<std::string> SimDisk::names() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : files_) out.push_back(name);
  return out;
}

Result<void> SimDisk::reserve(uint64_t more_bytes) const {
  if (more_bytes > 0 && used_bytes() + more_bytes > options_.capacity_bytes)
    return fail(Errc::no_space, "simulated drive is full");
  return {};
}

namespace {

void flip_bit(SimFile& file, uint64_t at, uint64_t bit) {
  std::string byte = file.content.read(at, 1);
  byte[0] = static_cast<char>(static_cast<uint8_t>(byte[0]) ^ (1U << bit));
  file.content.write(at, byte);
}

}  // namespace

void SimDisk::maybe_rot(SimFile& file, uint64_t offset, uint64_t length) {
  if (length == 0 || !options_.faults.rot || !fault_random_.happens(options_.faults.rot)) return;
  if (!file.content.touched(offset, length)) return;
  flip_bit(file, offset + fault_random_.pick(length), fault_random_.pick(8));
  ++counts_.rotten;
  world_.trace("rot", number_, offset);
}

std::string SimDisk::rot_one(const std::string& prefix) {
  std::vector<std::pair<std::string, uint64_t>> pages;
  for (const auto& named : files_) {
    const std::string& name = named.first;
    const SimFile& file = *named.second;
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    file.content.each_touched([&](uint64_t at) {
      if (at < file.size) pages.emplace_back(name, at);
    });
  }
  if (pages.empty()) return {};
  const auto& [name, page] = pages[fault_random_.pick(pages.size())];
  SimFile& file = *files_[name];
  const uint64_t length = std::min(SparseBytes::kPageBytes, file.size - page);
  flip_bit(file, page + fault_random_.pick(length), fault_random_.pick(8));
  ++counts_.rotten;
  return name;
}

// A file that is open in one incarnation.
class SimOpenFile final : public File {
 public:
  SimOpenFile(SimDisk& disk, std::shared_ptr<SimDisk::Mount> mount, std::shared_ptr<SimFile> file)
      : disk_(disk),
        mount_(std::move(mount)),
        file_(std::move(file)),
        insertion_(disk.insertion_) {}

  Task<Result<void>> write(uint64_t offset_bytes, std::vector<std::string_view> pieces) override {
    auto wait = suspend<Result<void>>([&](Resolver<Result<void>> resolve) {
      uint64_t length = 0;
      for (std::string_view piece : pieces) length += piece.size();
      const std::pair<uint64_t, uint64_t> range{offset_bytes, offset_bytes + length};
      for (const auto& [from, to] : file_->under_way)
        INVARIANT(range.second <= from || to <= range.first,
                  "two writes to the same bytes of one file overlap in time");
      file_->under_way.push_back(range);
      // `pieces` lives in the waiting frame, also during a crash.
      disk_.begin(mount_, disk_.options_.write_ns + static_cast<int64_t>(length), true,
                  [this, range, &pieces, resolve](bool crashed) {
                    Result<void> result = apply_write(range, pieces);
                    if (!crashed) resolve(std::move(result));
                  });
    });
    co_return co_await wait;
  }

  Task<Result<std::string>> read(uint64_t offset_bytes, uint64_t length_bytes) override {
    auto wait = suspend<Result<std::string>>([&](Resolver<Result<std::string>> resolve) {
      disk_.begin(mount_, disk_.options_.read_ns + static_cast<int64_t>(length_bytes), false,
                  [this, offset_bytes, length_bytes, resolve](bool) {
                    resolve(apply_read(offset_bytes, length_bytes));
                  });
    });
    co_return co_await wait;
  }

  bool try_read(uint64_t offset_bytes, uint64_t length_bytes, std::string* out) override {
    if (!mount_->live || gone() || disk_.random_.pick(4) == 0) return false;
    Result<std::string> bytes = apply_read(offset_bytes, length_bytes);
    if (!bytes) return false;
    *out = std::move(*bytes);
    return true;
  }

  Task<Result<void>> sync() override {
    auto wait = suspend<Result<void>>([&](Resolver<Result<void>> resolve) {
      const uint64_t up_to = file_->writes;  // Writes that had returned when this began.
      disk_.begin(mount_, disk_.options_.sync_ns, false,
                  [this, up_to, resolve](bool) { resolve(apply_sync(up_to)); });
    });
    co_return co_await wait;
  }

  Task<Result<void>> truncate(uint64_t size_bytes) override {
    auto wait = suspend<Result<void>>([&](Resolver<Result<void>> resolve) {
      disk_.begin(mount_, disk_.options_.sync_ns, true, [this, size_bytes, resolve](bool crashed) {
        Result<void> result = apply_truncate(size_bytes);
        if (!crashed) resolve(std::move(result));
      });
    });
    co_return co_await wait;
  }

  Result<uint64_t> size_bytes() override {
    if (gone()) return fail(Errc::io_error, "simulated drive is gone");
    return file_->size;
  }

 private:
  bool gone() const { return disk_.dead_ || insertion_ != disk_.insertion_; }

  Result<void> apply_write(std::pair<uint64_t, uint64_t> range,
                           const std::vector<std::string_view>& pieces) {
    auto it = std::find(file_->under_way.begin(), file_->under_way.end(), range);
    if (it != file_->under_way.end()) file_->under_way.erase(it);
    if (gone() || disk_.error_strikes(disk_.options_.faults.write_error))
      return fail(Errc::io_error, "simulated write error");
    const uint64_t more = range.second > file_->size ? range.second - file_->size : 0;
    Result<void> space = disk_.reserve(more);
    if (!space) return space;
    file_->write(range.first, pieces);
    ++disk_.counts_.writes;
    for (std::string_view piece : pieces)
      disk_.world_.trace("write", range.first, hash_bytes(piece));
    return {};
  }

  Result<std::string> apply_read(uint64_t offset, uint64_t length) {
    if (gone() || disk_.error_strikes(disk_.options_.faults.read_error))
      return fail(Errc::io_error, "simulated read error");
    if (offset >= file_->size) return std::string();
    length = std::min(length, file_->size - offset);
    disk_.maybe_rot(*file_, offset, length);
    return file_->content.read(offset, length);
  }

  Result<void> apply_sync(uint64_t up_to) {
    if (gone() || disk_.error_strikes(disk_.options_.faults.sync_error)) {
      file_->sync_failed(up_to, disk_.fault_random_);
      return fail(Errc::io_error, "simulated sync error");
    }
    file_->synced(up_to);
    ++disk_.counts_.syncs;
    return {};
  }

  Result<void> apply_truncate(uint64_t size) {
    if (gone() || disk_.error_strikes(disk_.options_.faults.write_error))
      return fail(Errc::io_error, "simulated truncate error");
    Result<void> space = disk_.reserve(size > file_->size ? size - file_->size : 0);
    if (!space) return space;
    file_->truncate(size);
    return {};
  }

  SimDisk& disk_;
  std::shared_ptr<SimDisk::Mount> mount_;
  std::shared_ptr<SimFile> file_;
  uint32_t insertion_;
};

class SimDrive final : public Drive {
 public:
  SimDrive(SimDisk& disk, std::shared_ptr<SimDisk::Mount> mount)
      : disk_(disk), mount_(std::move(mount)) {}
  // Of what was pulled, calls to open files end with their errors all the same.
  ~SimDrive() override {
    if (is_current()) disk_.unmount(*mount_);
  }
  bool is_current() const { return mount_->insertion == disk_.insertion_; }

  Task<Result<std::shared_ptr<File>>> create(std::string name, uint64_t size_bytes) override {
    if (!is_file_name(name)) return refuse<std::shared_ptr<File>>();
    return change<std::shared_ptr<File>>([this, name, size_bytes](bool crashed) {
      // A crash may come between the file and its space.
      const bool half = crashed && disk_.random_.pick(2) == 0;
      return apply_create(name, half ? disk_.random_.pick(size_bytes + 1) : size_bytes);
    });
  }

  Task<Result<std::shared_ptr<File>>> open(std::string name) override {
    if (!is_file_name(name)) return refuse<std::shared_ptr<File>>();
    return look<std::shared_ptr<File>>([this, name]() -> Result<std::shared_ptr<File>> {
      auto it = disk_.files_.find(name);
      if (it == disk_.files_.end()) return fail(Errc::not_found, name);
      return std::make_shared<SimOpenFile>(disk_, mount_, it->second);
    });
  }

  Task<Result<void>> remove(std::string name) override {
    if (!is_file_name(name)) return refuse<void>();
    return change<void>([this, name](bool) -> Result<void> {
      if (disk_.files_.erase(name) == 0) return fail(Errc::not_found, name);
      return {};
    });
  }

  Task<Result<void>> rename(std::string from, std::string to) override {
    if (!is_file_name(from) || !is_file_name(to)) return refuse<void>();
    return change<void>([this, from, to](bool) -> Result<void> {
      auto it = disk_.files_.find(from);
      if (it == disk_.files_.end()) return fail(Errc::not_found, from);
      auto file = std::move(it->second);
      disk_.files_.erase(it);
      disk_.files_[to] = std::move(file);
      return {};
    });
  }

  Task<Result<std::vector<FileInfo>>> list(std::string folder) override {
    if (!is_folder_name(folder)) return refuse<std::vector<FileInfo>>();
    return look<std::vector<FileInfo>>([this, folder]() -> Result<std::vector<FileInfo>> {
      std::vector<FileInfo> out;
      for (const auto& [name, file] : disk_.files_) {
        const size_t slash = name.find('/');
        const bool top = slash == std::string::npos;
        if (folder.empty() ? !top : top || name.compare(0, slash, folder) != 0) continue;
        out.push_back({top ? name : name.substr(slash + 1), file->size});
      }
      return out;
    });
  }

  Result<DriveSpace> space() override {
    if (gone()) return fail(Errc::io_error, "simulated drive is gone");
    const uint64_t used = disk_.used_bytes();
    const uint64_t total = disk_.options_.capacity_bytes;
    return DriveSpace{total, used < total ? total - used : 0};
  }

  std::string label() const override { return "drive " + std::to_string(disk_.number_); }

 private:
  Result<std::shared_ptr<File>> apply_create(const std::string& name, uint64_t size_bytes) {
    if (disk_.files_.contains(name)) return fail(Errc::exists, name);
    Result<void> space = disk_.reserve(size_bytes);
    if (!space) return fail(space.error());
    auto file = std::make_shared<SimFile>();
    file->size = file->durable_size = size_bytes;
    disk_.files_[name] = file;
    return std::make_shared<SimOpenFile>(disk_, mount_, std::move(file));
  }

  // Another device at its place is not the one that was mounted.
  bool gone() const { return disk_.dead_ || !is_current(); }

  template <class T>
  static Task<Result<T>> refuse() {
    co_return fail(Errc::invalid_argument, "no name of a file");
  }

  // An operation on names that changes the disk; a crash may catch it done or not.
  template <class T>
  Task<Result<T>> change(std::function<Result<T>(bool crashed)> apply) {
    auto wait = suspend<Result<T>>([&](Resolver<Result<T>> resolve) {
      disk_.begin(mount_, disk_.options_.sync_ns, true, [this, &apply, resolve](bool crashed) {
        Result<T> result = gone() || disk_.error_strikes(disk_.options_.faults.write_error)
                               ? fail(Errc::io_error, "simulated metadata error")
                               : apply(crashed);
        if (!crashed) resolve(std::move(result));
      });
    });
    co_return co_await wait;
  }

  template <class T>
  Task<Result<T>> look(std::function<Result<T>()> apply) {
    auto wait = suspend<Result<T>>([&](Resolver<Result<T>> resolve) {
      disk_.begin(mount_, disk_.options_.read_ns, false, [this, &apply, resolve](bool) {
        resolve(gone() || disk_.error_strikes(disk_.options_.faults.read_error)
                    ? fail(Errc::io_error, "simulated read error")
                    : apply());
      });
    });
    co_return co_await wait;
  }

  SimDisk& disk_;
  std::shared_ptr<SimDisk::Mount> mount_;
};

bool SimDisk::is_current(const Drive& drive) const {
  const auto* ours = dynamic_cast<const SimDrive*>(&drive);
  INVARIANT(ours, "a drive of this disk");
  return ours->is_current();
}

std::unique_ptr<Drive> SimDisk::mount() {
  INVARIANT(!in_use(), "one incarnation at a time uses a drive");
  return mount_again();
}

std::unique_ptr<Drive> SimDisk::mount_again() {
  std::erase_if(mounts_, [](const auto& mount) { return !mount->live; });
  mounts_.push_back(std::make_shared<Mount>(insertion_));
  return std::make_unique<SimDrive>(*this, mounts_.back());
}

}  // namespace kura::sim
