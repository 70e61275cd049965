#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

#include "actors/disk/local_drive_state.h"
#include "base/direct_writes.h"
#include "base/fail_point.h"
#include "base/limits.h"

namespace kura {
namespace {

constexpr size_t kPiecesMax = 512;            // Of one call; below IOV_MAX (1024).
constexpr size_t kScatterMax = 8;             // Parts that one read is scattered into.
constexpr uint64_t kUncheckedReadMax = kMiB;  // Larger reads ask for the file's size first.
constexpr uint64_t kMemoryReadMax = kMiB;     // Largest copy that a loop makes from a tmpfs.

Result<void> write_all(int fd, uint64_t offset_bytes, const std::vector<std::string_view>& pieces,
                       const std::string& what) {
  std::array<iovec, kPiecesMax> vectors;
  size_t piece = 0, skip_bytes = 0;
  while (true) {
    size_t count = 0;
    for (size_t i = piece; i < pieces.size() && count < kPiecesMax; ++i) {
      std::string_view rest = pieces[i].substr(i == piece ? skip_bytes : 0);
      if (!rest.empty()) vectors[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    if (count == 0) return {};
    ssize_t n =
        pwritev(fd, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset_bytes));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "write", what);
    offset_bytes += static_cast<uint64_t>(n);
    for (skip_bytes += static_cast<size_t>(n);
         piece < pieces.size() && skip_bytes >= pieces[piece].size(); ++piece)
      skip_bytes -= pieces[piece].size();
  }
}

bool is_whole_blocks(uint64_t offset_bytes, const std::vector<std::string_view>& pieces) {
  const auto aligned = [](uint64_t n) { return n % kDirectAlign == 0; };
  return pieces.size() == 1 && !pieces[0].empty() && aligned(offset_bytes) &&
         aligned(pieces[0].size()) && aligned(reinterpret_cast<uintptr_t>(pieces[0].data()));
}

// Of a direct write that did not write all: whether the result says how it can not be done, or not
// to its end. Everything else may come from the device, of which one flush that failed may have
// lost what was written before; a second one would not tell.
bool may_be_tried_again(int64_t written) {
  if (written >= 0) return true;
  const std::initializer_list<int64_t> harmless = {EAGAIN,     EINTR,  ECANCELED, EINVAL,
                                                   EOPNOTSUPP, ENOMEM, ENOSPC,    EDQUOT};
  return std::find(harmless.begin(), harmless.end(), -written) != harmless.end();
}

Result<uint64_t> size_of(int fd, const std::string& what) {
  struct stat info;
  if (fstat(fd, &info) != 0) return system_error(errno, "stat", what);
  return static_cast<uint64_t>(info.st_size);
}

Result<std::string> read_all(int fd, uint64_t offset_bytes, uint64_t length_bytes,
                             const std::string& what) {
  if (length_bytes > kUncheckedReadMax) {
    Result<uint64_t> size = size_of(fd, what);
    if (!size) return fail(size.error());
    length_bytes = offset_bytes >= *size ? 0 : std::min(length_bytes, *size - offset_bytes);
  }
  std::string out(length_bytes, '\0');
  size_t at = 0;
  while (at < out.size()) {
    ssize_t n = pread(fd, out.data() + at, out.size() - at, static_cast<off_t>(offset_bytes + at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "read", what);
    if (n == 0) break;
    at += static_cast<size_t>(n);
  }
  out.resize(at);
  return out;
}

class LocalFile final : public File, public std::enable_shared_from_this<LocalFile> {
 public:
  LocalFile(std::shared_ptr<LocalDrive::State> state, Descriptor fd, std::string name)
      : state_(std::move(state)), fd_(std::move(fd)), name_(std::move(name)) {}

  // The coroutines keep the file alive until its threads are done with it.
  Task<Result<void>> write(uint64_t offset_bytes, std::vector<std::string_view> pieces) override {
    return write_until(shared_from_this(), offset_bytes, std::move(pieces), Until::written);
  }
  Task<Result<void>> write_and_sync(uint64_t offset_bytes,
                                    std::vector<std::string_view> pieces) override {
    return write_until(shared_from_this(), offset_bytes, std::move(pieces), Until::durable);
  }
  Task<Result<std::string>> read(uint64_t offset_bytes, uint64_t length_bytes) override {
    return read_range(shared_from_this(), offset_bytes, length_bytes);
  }
  Task<Result<void>> sync() override { return sync_all(shared_from_this()); }
  Task<Result<void>> truncate(uint64_t size_bytes) override {
    return set_size(shared_from_this(), size_bytes);
  }
  bool try_read(uint64_t offset_bytes, uint64_t length_bytes, std::string* out) override;
  bool try_read_into(uint64_t offset_bytes, std::span<const std::span<char>> parts) override;
  Result<uint64_t> size_bytes() override { return size_of(fd_.get(), what()); }

 private:
  using Self = std::shared_ptr<LocalFile>;
  using Until = DirectWrites::Until;
  static Task<Result<void>> write_until(Self self, uint64_t offset_bytes,
                                        std::vector<std::string_view> pieces, Until until);
  static Task<Result<std::string>> read_range(Self self, uint64_t offset_bytes,
                                              uint64_t length_bytes);
  static Task<Result<void>> sync_all(Self self);
  static Task<Result<void>> set_size(Self self, uint64_t size_bytes);
  void open_direct();
  ssize_t read_now(uint64_t offset_bytes, const iovec* vectors, size_t count) const;
  std::string what() const { return state_->path + "/" + name_; }

  const std::shared_ptr<LocalDrive::State> state_;
  const Descriptor fd_;
  const std::string name_;
  std::once_flag direct_once_;
  Descriptor direct_;  // The same file past the page cache, once `direct_open_`.
  std::atomic<bool> direct_open_{false};
};

// By the caller's loop where that is possible: a thread that writes and syncs sleeps and wakes for
// each, at thrice the cost.
Task<Result<void>> LocalFile::write_until(Self self, uint64_t offset_bytes,
                                          std::vector<std::string_view> pieces, Until until) {
  const bool whole_blocks = is_whole_blocks(offset_bytes, pieces);
  DirectWrites* direct = whole_blocks && self->direct_open_.load(std::memory_order_acquire) &&
                                 self->state_->takes_direct()
                             ? DirectWrites::current()
                             : nullptr;
  if (direct && until == Until::durable && self->state_->mount_look_is_due()) {
    auto look = [&]() -> Result<void> { return self->state_->check_mounted(); };
    ThreadJob<Result<void>, decltype(look)> job(look);
    Result<void> mounted = co_await job.on(self->state_->writes);
    if (!mounted) co_return mounted;
    if (!self->state_->takes_direct()) direct = nullptr;  // By now.
  }
  if (direct) {
    before_step("local.direct");
    const int64_t written = co_await suspend<int64_t>([&](Resolver<int64_t> done) {
      if (!direct->begin(self->direct_.get(), offset_bytes, pieces[0], until, done)) done(-EAGAIN);
    });
    if (written == static_cast<int64_t>(pieces[0].size())) {
      after_step("local.direct");
      co_return self->state_->conclude_direct(self->fd_.get(), 0, until, self->name_);
    }
    if (!may_be_tried_again(written))
      co_return self->state_->conclude_direct(self->fd_.get(), static_cast<int>(-written), until,
                                              self->name_);
    if (written == -EINVAL) self->direct_open_ = false;  // Of larger blocks than ours.
  }
  auto work = [&]() -> Result<void> {
    Result<void> writable = self->state_->check_writable();
    if (!writable) return writable;
    before_step("local.write");
    Result<void> written = write_all(self->fd_.get(), offset_bytes, pieces, self->what());
    if (written) after_step("local.write");
    if (whole_blocks) self->open_direct();
    if (!written || until == Until::written) return written;
    return self->state_->sync_file(self->fd_.get(), false, self->name_);
  };
  ThreadJob<Result<void>, decltype(work)> job(work);
  co_return co_await job.on(self->state_->writes);
}

void LocalFile::open_direct() {
  if (!state_->direct) return;
  std::call_once(direct_once_, [this] {
    const std::string same = "/proc/self/fd/" + std::to_string(fd_.get());
    direct_ = Descriptor(::open(same.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
    if (direct_) direct_open_.store(true, std::memory_order_release);
  });
}

Task<Result<std::string>> LocalFile::read_range(Self self, uint64_t offset_bytes,
                                                uint64_t length_bytes) {
  auto work = [&]() -> Result<std::string> {
    if (self->state_->gone) return fail(Errc::io_error, self->what() + ": no longer mounted");
    return read_all(self->fd_.get(), offset_bytes, length_bytes, self->what());
  };
  ThreadJob<Result<std::string>, decltype(work)> job(work);
  co_return co_await job.on(self->state_->reads);
}

Task<Result<void>> LocalFile::sync_all(Self self) {
  auto work = [&]() -> Result<void> {
    Result<void> writable = self->state_->check_writable();
    if (!writable) return writable;
    return self->state_->sync_file(self->fd_.get(), false, self->name_);
  };
  ThreadJob<Result<void>, decltype(work)> job(work);
  co_return co_await job.on(self->state_->writes);
}

Task<Result<void>> LocalFile::set_size(Self self, uint64_t size_bytes) {
  auto work = [&]() -> Result<void> {
    Result<void> writable = self->state_->check_writable();
    if (!writable) return writable;
    Result<uint64_t> size = size_of(self->fd_.get(), self->what());
    if (!size) return fail(size.error());
    before_step("local.truncate");
    if (*size < size_bytes) {
      // As for create(): an allocation that cannot succeed must not first take all that is left.
      Result<DriveSpace> space = self->state_->ask_space();
      if (!space) return fail(space.error());
      if (size_bytes - *size > space->free_bytes)
        return system_error(ENOSPC, "reserve space for", self->what());
      Result<void> grown = reserve(self->fd_.get(), *size, size_bytes, self->what());
      if (!grown) (void)ftruncate(self->fd_.get(), static_cast<off_t>(*size));
      (void)self->state_->ask_space();
      if (!grown) return grown;
    } else if (ftruncate(self->fd_.get(), static_cast<off_t>(size_bytes)) != 0) {
      return system_error(errno, "truncate", self->what());
    }
    after_step("local.truncate");
    Result<void> synced = self->state_->sync_file(self->fd_.get(), true, self->name_);
    (void)self->state_->ask_space();
    return synced;
  };
  ThreadJob<Result<void>, decltype(work)> job(work);
  co_return co_await job.on(self->state_->writes);
}

// What of it the page cache has, from the front on; negative: nothing, or an error.
ssize_t LocalFile::read_now(uint64_t offset_bytes, const iovec* vectors, size_t count) const {
  const auto offset = static_cast<off_t>(offset_bytes);
  const int pieces = static_cast<int>(count);
  ssize_t n = preadv2(fd_.get(), vectors, pieces, offset, RWF_NOWAIT);
  if (n < 0 && errno == EOPNOTSUPP && state_->in_memory)
    n = preadv(fd_.get(), vectors, pieces, offset);
  return n;
}

bool LocalFile::try_read_into(uint64_t offset_bytes, std::span<const std::span<char>> parts) {
  std::array<iovec, kScatterMax> vectors;
  if (state_->gone || parts.size() > vectors.size()) return false;
  size_t count = 0, length_bytes = 0;
  for (const std::span<char>& part : parts) {
    vectors[count++] = {part.data(), part.size()};
    length_bytes += part.size();
  }
  if (length_bytes > kMemoryReadMax) return false;
  return read_now(offset_bytes, vectors.data(), count) == static_cast<ssize_t>(length_bytes);
}

bool LocalFile::try_read(uint64_t offset_bytes, uint64_t length_bytes, std::string* out) {
  if (state_->gone || length_bytes > kMemoryReadMax) return false;
  out->resize(length_bytes);
  const iovec vector{out->data(), out->size()};
  ssize_t n = read_now(offset_bytes, &vector, 1);
  if (n < 0) return false;
  auto got = static_cast<uint64_t>(n);
  if (got < length_bytes) {
    // Either the file ends here, or the rest is not in the page cache.
    Result<uint64_t> size = size_of(fd_.get(), name_);
    if (!size || offset_bytes + got < *size) return false;
    out->resize(got);
  }
  return true;
}

}  // namespace

std::shared_ptr<File> make_local_file(std::shared_ptr<LocalDrive::State> state, Descriptor fd,
                                      std::string name) {
  return std::make_shared<LocalFile>(std::move(state), std::move(fd), std::move(name));
}

Result<void> reserve(int fd, uint64_t from, uint64_t to, const std::string& what) {
  if (from == to) return {};
  int failed;
  do {
    failed =
        fallocate(fd, 0, static_cast<off_t>(from), static_cast<off_t>(to - from)) == 0 ? 0 : errno;
  } while (failed == EINTR);
  if (failed == 0) return {};
  if (failed != EOPNOTSUPP) return system_error(failed, "reserve space for", what);
  // A file system that cannot promise: zeros take the space as well.
  std::string zeros(kMiB, '\0');
  for (uint64_t at = from; at < to; at += zeros.size()) {
    std::vector<std::string_view> piece{
        std::string_view(zeros).substr(0, std::min<uint64_t>(zeros.size(), to - at))};
    Result<void> written = write_all(fd, at, piece, what);
    if (!written) return written;
  }
  return {};
}

}  // namespace kura
