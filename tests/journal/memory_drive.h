// MemoryDisk: a drive in memory that counts its operations, and dies, hangs, fills up or crashes on
// order.

#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/drive.h"
#include "base/loop.h"

namespace kura::journal {

// Shared by the disks of one machine: its power switch.
struct Power {
  uint64_t operations = 0;
  uint64_t dies_at = UINT64_MAX;  // The operation of this number never returns, nor any after it.
  bool last_applies = false;      // Whether that operation still happens.
  bool off() const { return operations >= dies_at; }
};

// What a crash does to a write that no sync covered.
enum class Unsynced { kept, dropped, torn };

struct MemoryFile {
  std::string bytes;  // As reads see it.
  struct Write {
    uint64_t at;
    std::string before;
  };
  std::vector<Write> unsynced;  // In order.
};

class MemoryDisk {
 public:
  explicit MemoryDisk(std::string label, Power* power = nullptr)
      : label_(std::move(label)), power_(power) {}

  std::map<std::string, std::shared_ptr<MemoryFile>> files;
  uint64_t capacity_bytes = UINT64_MAX;
  uint64_t bytes_read = 0;
  bool dead = false;              // Everything fails with io_error.
  uint64_t dies_in = UINT64_MAX;  // After so many more operations.
  bool hangs = false;             // Operations wait for release(), and happen only then.
  std::vector<Resolver<Done>> stuck;
  bool posts = false;  // Operations end in a later turn, so that several drives are under way.
  std::function<bool(const char* operation, const std::string& name)> fails;  // io_error if true.
  std::function<bool(const std::string& name)> full;                          // no_space if true.
  std::function<void(uint64_t at, const std::vector<std::string_view>& pieces)> on_write;

  uint64_t used_bytes() const {
    uint64_t used = 0;
    for (const auto& [name, file] : files) used += file->bytes.size();
    return used;
  }
  // By a seed, sectors of 512 bytes.
  void crash(Unsynced policy, uint64_t seed) {
    for (auto& [name, file] : files) {
      for (size_t i = file->unsynced.size(); i-- > 0;) take_back(*file, i, policy, seed);
      file->unsynced.clear();
    }
  }
  void release() {
    hangs = false;
    for (const Resolver<Done>& one : std::exchange(stuck, {})) one(Done{});
  }
  std::shared_ptr<Drive> mount();

  const std::string& label() const { return label_; }
  // Whether the operation happens. If not, it fails, or never returns when the power is off.
  bool begin(const char* operation, const std::string& name) {
    if (power_ && ++power_->operations >= power_->dies_at) {
      return power_->operations == power_->dies_at && power_->last_applies;
    }
    if (dies_in != UINT64_MAX && dies_in-- == 0) dead = true;
    return !dead && !(fails && fails(operation, name));
  }
  bool off() const { return power_ && power_->off(); }

 private:
  static void take_back(MemoryFile& file, size_t index, Unsynced policy, uint64_t seed) {
    const MemoryFile::Write& write = file.unsynced[index];
    if (policy == Unsynced::kept) return;
    constexpr uint64_t kSector = 512;
    for (uint64_t i = 0; i < write.before.size();) {
      const uint64_t at = write.at + i;
      const uint64_t length = std::min<uint64_t>(kSector - at % kSector, write.before.size() - i);
      // By sector: all of its writes are lost, or none.
      uint64_t draw = (seed + at / kSector * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
      draw ^= draw >> 31;
      const bool lost = policy == Unsynced::dropped || draw % 3 != 0;
      if (lost && at < file.bytes.size()) {
        const uint64_t inside = std::min<uint64_t>(length, file.bytes.size() - at);
        std::memcpy(file.bytes.data() + at, write.before.data() + i, inside);
      }
      i += length;
    }
  }

  std::string label_;
  Power* power_;
};

namespace detail {

inline Task<void> arrive(MemoryDisk& disk) {
  while (disk.hangs) {
    co_await suspend<Done>([&disk](Resolver<Done> resolve) { disk.stuck.push_back(resolve); });
  }
}

// Ends an operation: now, in a later turn, or never.
inline Task<void> settle(MemoryDisk& disk) {
  if (disk.off()) co_await suspend<Done>([](Resolver<Done>) {});
  if (disk.posts) {
    co_await suspend<Done>(
        [](Resolver<Done> resolve) { Loop::current()->post([resolve] { resolve(Done{}); }); });
  }
}

class OpenMemoryFile final : public File {
 public:
  OpenMemoryFile(MemoryDisk& disk, std::string name, std::shared_ptr<MemoryFile> file)
      : disk_(disk), name_(std::move(name)), file_(std::move(file)) {}

  Task<Result<void>> write(uint64_t offset, std::vector<std::string_view> pieces) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("write", name_);
    if (disk_.on_write) disk_.on_write(offset, pieces);
    if (fine) {
      for (std::string_view piece : pieces) {
        std::string& bytes = file_->bytes;
        if (bytes.size() < offset + piece.size()) bytes.resize(offset + piece.size(), '\0');
        file_->unsynced.push_back({offset, bytes.substr(offset, piece.size())});
        std::memcpy(bytes.data() + offset, piece.data(), piece.size());
        offset += piece.size();
      }
    }
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "write failed");
    co_return Result<void>();
  }
  Task<Result<std::string>> read(uint64_t offset, uint64_t length) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("read", name_);
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "read failed");
    std::string bytes = slice(offset, length);
    disk_.bytes_read += bytes.size();
    co_return bytes;
  }
  bool try_read(uint64_t offset, uint64_t length, std::string* out) override {
    if (disk_.dead) return false;
    *out = slice(offset, length);
    return true;
  }
  Task<Result<void>> sync() override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("sync", name_);
    if (fine) file_->unsynced.clear();
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "sync failed");
    co_return Result<void>();
  }
  Task<Result<void>> truncate(uint64_t size) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("truncate", name_);
    if (fine) file_->bytes.resize(size, '\0');
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "truncate failed");
    co_return Result<void>();
  }
  Result<uint64_t> size_bytes() override { return file_->bytes.size(); }

 private:
  std::string slice(uint64_t offset, uint64_t length) const {
    return offset >= file_->bytes.size() ? std::string() : file_->bytes.substr(offset, length);
  }

  MemoryDisk& disk_;
  std::string name_;
  std::shared_ptr<MemoryFile> file_;
};

class MemoryDrive final : public Drive {
 public:
  explicit MemoryDrive(MemoryDisk& disk) : disk_(disk) {}

  Task<Result<std::shared_ptr<File>>> create(std::string name, uint64_t size) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("create", name);
    const bool exists = disk_.files.contains(name);
    const bool space =
        disk_.used_bytes() + size <= disk_.capacity_bytes && !(disk_.full && disk_.full(name));
    std::shared_ptr<File> out;
    if (fine && !exists && space) {
      auto file = std::make_shared<MemoryFile>();
      file->bytes.assign(size, '\0');
      disk_.files[name] = file;
      out = std::make_shared<OpenMemoryFile>(disk_, name, std::move(file));
    }
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "create failed");
    if (exists) co_return fail(Errc::exists, name);
    if (!space) co_return fail(Errc::no_space, name);
    co_return out;
  }
  Task<Result<std::shared_ptr<File>>> open(std::string name) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("open", name);
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "open failed");
    auto it = disk_.files.find(name);
    if (it == disk_.files.end()) co_return fail(Errc::not_found, name);
    std::shared_ptr<File> file = std::make_shared<OpenMemoryFile>(disk_, name, it->second);
    co_return file;
  }
  Task<Result<void>> remove(std::string name) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("remove", name);
    const bool there = fine && disk_.files.erase(name) > 0;
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "remove failed");
    if (!there) co_return fail(Errc::not_found, name);
    co_return Result<void>();
  }
  Task<Result<void>> rename(std::string from, std::string to) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("rename", to);
    auto it = disk_.files.find(from);
    const bool there = it != disk_.files.end();
    if (fine && there) {
      auto file = it->second;
      disk_.files.erase(it);
      disk_.files[to] = std::move(file);
    }
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "rename failed");
    if (!there) co_return fail(Errc::not_found, from);
    co_return Result<void>();
  }
  Task<Result<std::vector<FileInfo>>> list(std::string folder) override {
    co_await arrive(disk_);
    const bool fine = disk_.begin("list", folder);
    co_await settle(disk_);
    if (!fine) co_return fail(Errc::io_error, "list failed");
    std::vector<FileInfo> out;
    for (const auto& [name, file] : disk_.files) {
      if (name.starts_with(folder + "/")) out.push_back({name, file->bytes.size()});
    }
    co_return out;
  }
  Result<DriveSpace> space() override {
    const uint64_t used_bytes = std::min(disk_.used_bytes(), disk_.capacity_bytes);
    return DriveSpace{disk_.capacity_bytes, disk_.capacity_bytes - used_bytes};
  }
  std::string label() const override { return disk_.label(); }

 private:
  MemoryDisk& disk_;
};

}  // namespace detail

inline std::shared_ptr<Drive> MemoryDisk::mount() {
  return std::make_shared<detail::MemoryDrive>(*this);
}

}  // namespace kura::journal
