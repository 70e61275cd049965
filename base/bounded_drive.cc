#include "base/bounded_drive.h"

#include "base/drive_calls.h"

namespace kura {
namespace {

using Bounds = std::shared_ptr<CallBounds>;
using FilePtr = std::shared_ptr<File>;
using DrivePtr = std::shared_ptr<Drive>;

template <class T>
Task<Result<T>> counted(CallUnderWay token, Task<Result<T>> call) {
  (void)token;
  co_return co_await std::move(call);
}

template <class T>
Task<Result<T>> call_within(Bounds bounds, Task<Result<T>> call) {
  if (bounds->given_up) co_return fail(Errc::timed_out, "the drive was given up");
  std::vector<Task<Result<T>>> calls;
  calls.push_back(counted<T>(CallUnderWay(bounds), std::move(call)));
  std::function<bool(size_t)> given_up = [bounds](size_t) { return bounds->given_up.load(); };
  auto results = co_await all_within<T>(std::move(calls), bounds->timeout_ns, std::move(given_up));
  Result<T> result = std::move(results.front());
  if (!result && result.error().code == Errc::timed_out) bounds->given_up = true;
  co_return result;
}

// Calls that own all that they use.
Task<Result<void>> write_own(FilePtr file, uint64_t at, std::string bytes, bool sync) {
  std::vector<std::string_view> pieces{bytes};
  if (sync) co_return co_await file->write_and_sync(at, std::move(pieces));
  co_return co_await file->write(at, std::move(pieces));
}
Task<Result<std::string>> read_own(FilePtr file, uint64_t at, uint64_t length) {
  co_return co_await file->read(at, length);
}
Task<Result<void>> sync_own(FilePtr file) { co_return co_await file->sync(); }
Task<Result<void>> truncate_own(FilePtr file, uint64_t size) {
  co_return co_await file->truncate(size);
}
Task<Result<FilePtr>> create_own(DrivePtr drive, std::string name, uint64_t size) {
  co_return co_await drive->create(std::move(name), size);
}
Task<Result<FilePtr>> open_own(DrivePtr drive, std::string name) {
  co_return co_await drive->open(std::move(name));
}
Task<Result<void>> remove_own(DrivePtr drive, std::string name) {
  co_return co_await drive->remove(std::move(name));
}
Task<Result<void>> rename_own(DrivePtr drive, std::string from, std::string to) {
  co_return co_await drive->rename(std::move(from), std::move(to));
}
Task<Result<std::vector<FileInfo>>> list_own(DrivePtr drive, std::string folder) {
  co_return co_await drive->list(std::move(folder));
}

class BoundedFile final : public File {
 public:
  BoundedFile(FilePtr file, Bounds bounds) : file_(std::move(file)), bounds_(std::move(bounds)) {}

  Task<Result<void>> write(uint64_t at, std::vector<std::string_view> pieces) override {
    return call_within<void>(bounds_, write_own(file_, at, copy(pieces), false));
  }
  Task<Result<void>> write_and_sync(uint64_t at, std::vector<std::string_view> pieces) override {
    return call_within<void>(bounds_, write_own(file_, at, copy(pieces), true));
  }
  Task<Result<std::string>> read(uint64_t at, uint64_t length) override {
    return call_within<std::string>(bounds_, read_own(file_, at, length));
  }
  bool try_read(uint64_t at, uint64_t length, std::string* out) override {
    return file_->try_read(at, length, out);
  }
  bool try_read_into(uint64_t at, std::span<const std::span<char>> parts) override {
    return file_->try_read_into(at, parts);
  }
  Task<Result<void>> sync() override { return call_within<void>(bounds_, sync_own(file_)); }
  Task<Result<void>> truncate(uint64_t size) override {
    return call_within<void>(bounds_, truncate_own(file_, size));
  }
  Result<uint64_t> size_bytes() override { return file_->size_bytes(); }
  const FilePtr& inner() const { return file_; }

 private:
  static std::string copy(const std::vector<std::string_view>& pieces) {
    std::string bytes;
    for (std::string_view piece : pieces) bytes += piece;
    return bytes;
  }
  const FilePtr file_;
  const Bounds bounds_;
};

Task<Result<FilePtr>> bound_file(Task<Result<FilePtr>> call, Bounds bounds) {
  Result<FilePtr> file = co_await call_within<FilePtr>(bounds, std::move(call));
  if (file) file = bounded(std::move(*file), std::move(bounds));
  co_return file;
}

class BoundedDrive final : public Drive {
 public:
  BoundedDrive(DrivePtr drive, Bounds bounds)
      : drive_(std::move(drive)), bounds_(std::move(bounds)) {}

  Task<Result<FilePtr>> create(std::string name, uint64_t size) override {
    return bound_file(create_own(drive_, std::move(name), size), bounds_);
  }
  Task<Result<FilePtr>> open(std::string name) override {
    return bound_file(open_own(drive_, std::move(name)), bounds_);
  }
  Task<Result<void>> remove(std::string name) override {
    return call_within<void>(bounds_, remove_own(drive_, std::move(name)));
  }
  Task<Result<void>> rename(std::string from, std::string to) override {
    return call_within<void>(bounds_, rename_own(drive_, std::move(from), std::move(to)));
  }
  Task<Result<std::vector<FileInfo>>> list(std::string folder) override {
    return call_within<std::vector<FileInfo>>(bounds_, list_own(drive_, std::move(folder)));
  }
  Result<DriveSpace> space() override { return drive_->space(); }
  std::string label() const override { return drive_->label(); }

 private:
  const DrivePtr drive_;
  const Bounds bounds_;
};

}  // namespace

std::shared_ptr<Drive> bounded(std::shared_ptr<Drive> drive, std::shared_ptr<CallBounds> bounds) {
  return std::make_shared<BoundedDrive>(std::move(drive), std::move(bounds));
}

std::shared_ptr<File> bounded(std::shared_ptr<File> file, std::shared_ptr<CallBounds> bounds) {
  return std::make_shared<BoundedFile>(std::move(file), std::move(bounds));
}

std::shared_ptr<File> unbounded(std::shared_ptr<File> file) {
  auto outer = std::dynamic_pointer_cast<BoundedFile>(file);
  return outer ? outer->inner() : file;
}

}  // namespace kura
