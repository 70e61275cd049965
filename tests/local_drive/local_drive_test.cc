#include "actors/disk/local_drive.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <fstream>
#include <span>

#include "actors/disk/drive_identity.h"
#include "base/aligned_bytes.h"
#include "tests/base/background.h"
#include "tests/base/temporary_folder.h"
#include "tests/base/temporary_mount.h"
#include "tests/local_drive/drive_on_loop.h"

namespace kura::testing {
namespace {

using FilePtr = std::shared_ptr<File>;

template <class T>
Errc code_of(const Result<T>& result) {
  return result ? Errc{} : result.error().code;
}

Task<Result<void>> put(FilePtr file, uint64_t offset_bytes, std::string text) {
  std::vector<std::string_view> pieces{text};
  co_return co_await file->write(offset_bytes, std::move(pieces));
}

FilePtr create(DriveOnLoop& on, const std::string& name, uint64_t size_bytes = 0) {
  auto file = block_on(on.loop, on.drive->create(name, size_bytes));
  EXPECT_TRUE(file) << file.error().detail;
  return file.value_or(nullptr);
}

TEST(LocalDrive, OpenSaysWhatIsWrong) {
  TemporaryFolder folder;
  EXPECT_EQ(code_of(open_local_drive(folder.path() + "/none")), Errc::not_found);
  std::ofstream(folder.path() + "/file") << "x";
  EXPECT_EQ(code_of(open_local_drive(folder.path() + "/file")), Errc::invalid_argument);
}

TEST(LocalDrive, AnEmptiedFolderStaysEmpty) {
  for (bool opened_with_identity : {false, true}) {
    TemporaryFolder folder;
    const std::string identity = folder.path() + "/" + std::string(disk::kDriveIdentityFile);
    if (opened_with_identity) std::ofstream(identity) << "whose";
    DriveOnLoop on(folder.path());
    if (!opened_with_identity) {
      create(on, "new");
      const std::string to(disk::kDriveIdentityFile);
      ASSERT_TRUE(block_on(on.loop, on.drive->rename("new", to)));
    }
    create(on, "sets/1");
    std::filesystem::remove_all(folder.path() + "/sets");
    create(on, "sets/2");  // Whatever was in there: it is still that drive.
    std::filesystem::remove_all(folder.path() + "/sets");
    std::filesystem::remove(identity);
    auto refused = block_on(on.loop, on.drive->create("sets/3", 0));
    EXPECT_EQ(code_of(refused), Errc::io_error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
    EXPECT_FALSE(block_on(on.loop, on.drive->create("top", 0))) << "it is gone for good";
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

TEST(LocalDrive, IgnoresWhatIsNotItsOwn) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/lost+found");
  std::filesystem::create_directory(folder.path() + "/sub");
  std::ofstream(folder.path() + "/README") << "x";
  std::filesystem::create_symlink("/etc/passwd", folder.path() + "/link");
  DriveOnLoop on(folder.path());
  create(on, "mine");
  auto files = block_on(on.loop, on.drive->list(""));
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ(files->front().name, "mine");
  EXPECT_FALSE(block_on(on.loop, on.drive->open("link"))) << "a link leads off the drive";
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->open("sub"))), Errc::invalid_argument);
}

TEST(LocalDrive, FullDriveSaysSoAndRecovers) {
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  DriveOnLoop on(mount.path());
  FilePtr reserved = create(on, "reserved", 1 << 20);
  FilePtr ballast = create(on, "ballast");
  Result<void> wrote;
  uint64_t at = 0;
  for (; at < (8 << 20) && wrote; at += 65536)
    wrote = block_on(on.loop, put(ballast, at, std::string(65536, 'x')));
  EXPECT_EQ(code_of(wrote), Errc::no_space);
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->create("more", 1 << 20))), Errc::no_space);
  // What was reserved can still be written.
  EXPECT_TRUE(block_on(on.loop, put(reserved, 0, std::string(1 << 20, 'r'))));
  EXPECT_TRUE(block_on(on.loop, reserved->sync()));
  EXPECT_TRUE(block_on(on.loop, on.drive->remove("ballast")));
  ballast.reset();
  create(on, "more", 1 << 20);
}

// The file system's answer may never come, so who asks for space must not wait for it.
TEST(LocalDrive, SpaceIsAskedForByTheDrivesOwnThreads) {
  static std::atomic<pthread_t> caller;
  static std::atomic<int> asked_by_caller, asked;
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  LocalDriveOptions options;
  options.stat_space = [](int fd, struct statvfs* out) {
    ++(pthread_equal(caller, pthread_self()) ? asked_by_caller : asked);
    return fstatvfs(fd, out);
  };
  DriveOnLoop on(mount.path(), options);
  caller = pthread_self();
  asked = asked_by_caller = 0;
  const DriveSpace before = on.drive->space().value();
  EXPECT_GT(before.free_bytes, 3u << 20);
  EXPECT_EQ(before.total_bytes, 4u << 20);
  FilePtr file = create(on, "file", 1 << 20);
  EXPECT_LE(on.drive->space().value().free_bytes, before.free_bytes - (1 << 20));
  file.reset();
  EXPECT_TRUE(block_on(on.loop, on.drive->remove("file")));
  EXPECT_EQ(on.drive->space().value().free_bytes, before.free_bytes);
  EXPECT_GT(asked, 0);
  EXPECT_EQ(asked_by_caller, 0);
}

TEST(LocalDrive, SpaceThatOthersTakeIsSeenSoon) {
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  DriveOnLoop on(mount.path());
  std::ofstream(mount.path() + "/others") << std::string(2 << 20, 'x');
  ::usleep(1'100'000);
  EXPECT_TRUE(block_on(on.loop, on.drive->still_mounted()).value());
  EXPECT_LE(on.drive->space().value().free_bytes, 2u << 20);
}

// As create(): what a file grows by is there to be written, or nothing of it is taken.
TEST(LocalDrive, WhatAFileGrowsByIsReserved) {
  TemporaryMount mount("4m");
  DriveOnLoop on(mount.path());
  FilePtr file = create(on, "file", 0);
  ASSERT_TRUE(block_on(on.loop, put(file, 0, "begin")));
  ASSERT_TRUE(block_on(on.loop, file->truncate(5)));
  const uint64_t free_bytes = on.drive->space().value().free_bytes;
  EXPECT_EQ(code_of(block_on(on.loop, file->truncate(8 << 20))), Errc::no_space);
  EXPECT_EQ(file->size_bytes().value(), 5u);
  EXPECT_EQ(on.drive->space().value().free_bytes, free_bytes);
  ASSERT_TRUE(block_on(on.loop, file->truncate(3 << 20)));
  EXPECT_LT(on.drive->space().value().free_bytes, free_bytes - (2 << 20));
  FilePtr other = create(on, "other", 0);
  EXPECT_EQ(code_of(block_on(on.loop, put(other, 0, std::string(2 << 20, 'x')))), Errc::no_space);
  other.reset();
  EXPECT_TRUE(block_on(on.loop, on.drive->remove("other")));
  EXPECT_TRUE(block_on(on.loop, put(file, 1 << 20, std::string(2 << 20, 'f'))));
  EXPECT_EQ(block_on(on.loop, file->read(0, 5)).value(), "begin");
  ASSERT_TRUE(block_on(on.loop, file->truncate(5)));
  EXPECT_EQ(on.drive->space().value().free_bytes, free_bytes);
}

TEST(LocalDrive, LazyUnmountIsFound) {
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  DriveOnLoop on(mount.path());
  FilePtr file = create(on, "identity");
  ASSERT_TRUE(block_on(on.loop, put(file, 0, "this drive")));
  EXPECT_TRUE(block_on(on.loop, on.drive->still_mounted()).value());
  mount.detach();
  EXPECT_EQ(code_of(block_on(on.loop, read_file(*on.drive, "identity"))), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, file->sync())), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, put(file, 0, "x"))), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, file->read(0, 4))), Errc::io_error);
  std::string out;
  EXPECT_FALSE(file->try_read(0, 4, &out));
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->create("new", 0))), Errc::io_error);
  EXPECT_FALSE(block_on(on.loop, on.drive->still_mounted()).value());
}

TEST(LocalDrive, SyncAloneFindsALazyUnmount) {
  TemporaryMount mount("4m");
  ASSERT_TRUE(mount.mounted());
  DriveOnLoop on(mount.path());
  FilePtr file = create(on, "a");
  mount.detach();
  std::string text = "x";
  EXPECT_EQ(code_of(block_on(on.loop, file->write_and_sync(0, {text}))), Errc::io_error);
}

TEST(LocalDrive, WhatIsMountedAnewTakesItsPlace) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/d1", aside = folder.path() + "/aside";
  std::filesystem::create_directory(path);
  DriveOnLoop on(path);
  FilePtr file = create(on, std::string(disk::kDriveIdentityFile));
  ASSERT_TRUE(block_on(on.loop, put(file, 0, "who I am")));
  auto same = block_on(on.loop, on.drive->mounted_anew());
  ASSERT_TRUE(same.has_value());
  EXPECT_EQ(*same, nullptr);
  // Away: the folder below a mount point has no identity.
  std::filesystem::rename(path, aside);
  std::filesystem::create_directory(path);
  auto away = block_on(on.loop, on.drive->mounted_anew());
  ASSERT_TRUE(away.has_value());
  EXPECT_EQ(*away, nullptr);
  // Back. The drive that was opened before stays useless, the new one works.
  std::filesystem::remove(path);
  std::filesystem::rename(aside, path);
  auto back = block_on(on.loop, on.drive->mounted_anew());
  ASSERT_TRUE(back.has_value());
  ASSERT_NE(*back, nullptr);
  EXPECT_EQ(block_on(on.loop, read_file(**back, std::string(disk::kDriveIdentityFile))).value(),
            "who I am");
  EXPECT_EQ(code_of(block_on(on.loop, file->read(0, 4))), Errc::io_error);
}

TEST(LocalDrive, ReplacedFolderIsFound) {
  TemporaryFolder folder;
  std::string path = folder.path() + "/d1";
  std::filesystem::create_directory(path);
  DriveOnLoop on(path);
  create(on, "a");
  std::filesystem::rename(path, folder.path() + "/elsewhere");
  std::filesystem::create_directory(path);
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->open("a"))), Errc::io_error);
  // Final, even if the old one comes back: nobody knows what happened in between.
  std::filesystem::remove(path);
  std::filesystem::rename(folder.path() + "/elsewhere", path);
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->open("a"))), Errc::io_error);
  on.open();
  EXPECT_TRUE(block_on(on.loop, on.drive->open("a")));
}

std::atomic<int> syncs_until_failure{1 << 30};
int failing_sync(int) {
  if (syncs_until_failure.fetch_sub(1) == 1) {
    errno = EIO;
    return -1;
  }
  return 0;  // As the kernel does: the next one reports success.
}

TEST(LocalDrive, NothingIsWrittenAfterAFailedSync) {
  TemporaryFolder folder;
  LocalDriveOptions options;
  options.sync_data = failing_sync;
  DriveOnLoop on(folder.path(), options);
  FilePtr file = create(on, "a"), other = create(on, "b");
  ASSERT_TRUE(block_on(on.loop, put(file, 0, "before")));
  EXPECT_TRUE(block_on(on.loop, file->sync()));
  syncs_until_failure = 1;
  EXPECT_EQ(code_of(block_on(on.loop, file->sync())), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, file->sync())), Errc::io_error) << "reported once only";
  EXPECT_EQ(code_of(block_on(on.loop, other->sync())), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, put(other, 0, "x"))), Errc::io_error);
  EXPECT_EQ(code_of(block_on(on.loop, on.drive->create("c", 0))), Errc::io_error);
  EXPECT_EQ(block_on(on.loop, file->read(0, 6)).value_or("error"), "before");
  on.open();
  EXPECT_EQ(block_on(on.loop, read_file(*on.drive, "a")).value_or("error"), "before");
}

std::atomic<bool> sync_may_end{false};
int waiting_sync(int) {
  while (!sync_may_end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return 0;
}

Task<std::string> read_during_sync(FilePtr file) {
  Background<Result<void>> syncing(file->sync());
  co_await sleep_for(2'000'000);
  Result<std::string> text = co_await file->read(0, 5);
  Result<void> wrote = co_await put(file, 0, "later");
  EXPECT_TRUE(wrote);
  EXPECT_FALSE(syncing.done());
  sync_may_end = true;
  auto synced = co_await syncing.join();
  EXPECT_TRUE(synced && *synced);
  co_return text.value_or("error");
}

TEST(LocalDrive, ReadsAndWritesDoNotWaitForASync) {
  TemporaryFolder folder;
  LocalDriveOptions options;
  options.sync_data = waiting_sync;
  DriveOnLoop on(folder.path(), options);
  FilePtr file = create(on, "a");
  ASSERT_TRUE(block_on(on.loop, put(file, 0, "hello")));
  EXPECT_EQ(block_on(on.loop, read_during_sync(file)), "hello");
}

TEST(LocalDrive, WarmBytesAreReadAtOnce) {
  TemporaryFolder folder;
  DriveOnLoop on(folder.path());
  FilePtr file = create(on, "a");
  ASSERT_TRUE(block_on(on.loop, put(file, 0, std::string(100'000, 'w'))));
  std::string out;
  EXPECT_TRUE(file->try_read(10, 64 * 1024, &out));
  EXPECT_EQ(out, std::string(64 * 1024, 'w'));
  EXPECT_TRUE(file->try_read(99'990, 64 * 1024, &out));
  EXPECT_EQ(out, std::string(10, 'w'));
}

TEST(LocalDrive, WarmBytesAreScatteredAtOnce) {
  TemporaryFolder folder;
  DriveOnLoop on(folder.path());
  FilePtr file = create(on, "a");
  ASSERT_TRUE(block_on(on.loop, put(file, 0, std::string(5000, 'h') + std::string(60'000, 'w'))));
  std::string head(10, '\0'), rest(50'000, '\0');
  const std::array<std::span<char>, 2> parts{head, rest};
  EXPECT_TRUE(file->try_read_into(4990, parts));
  EXPECT_EQ(head, std::string(10, 'h'));
  EXPECT_EQ(rest, std::string(50'000, 'w'));
  EXPECT_FALSE(file->try_read_into(15'000, parts)) << "the file ends before";
  const std::vector<std::span<char>> many(9, std::span<char>(head));
  EXPECT_FALSE(file->try_read_into(0, many)) << "more parts than one call takes";
}

Task<Result<void>> put_block(FilePtr file, uint64_t block, char letter) {
  AlignedBytes bytes(kDirectAlign);
  std::fill_n(bytes.data(), bytes.size(), letter);
  std::vector<std::string_view> pieces{bytes.view(0, bytes.size())};
  co_return co_await file->write_and_sync(block * kDirectAlign, std::move(pieces));
}

std::atomic<int> direct_failure{0};
std::atomic<std::thread::id> last_sync_on;
int noted_sync(int) {
  last_sync_on = std::this_thread::get_id();
  errno = direct_failure;
  return direct_failure == 0 ? 0 : -1;
}

struct NotedSyncs {
  explicit NotedSyncs(const std::string& path)
      : on(path, LocalDriveOptions{.sync_data = noted_sync}) {
    direct_failure = 0;
    auto id = []() -> Task<std::thread::id> { co_return std::this_thread::get_id(); };
    loop_thread = block_on(on.loop, id());
  }
  // Threads do it where a process may not use io_uring, in a container, say.
  bool last_was_direct() {
    auto asked = []() -> Task<bool> { co_return DirectWrites::current() != nullptr; };
    return last_sync_on == loop_thread || !block_on(on.loop, asked());
  }
  DriveOnLoop on;
  std::thread::id loop_thread;
};

TEST(LocalDrive, WholeBlocksAreWrittenByTheLoop) {
  TemporaryFolder folder;
  NotedSyncs noted(folder.path());
  FilePtr file = create(noted.on, "a");
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 0, 'a')));
  EXPECT_TRUE(last_sync_on.load() != noted.loop_thread) << "opens the file anew";
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 1, 'b')));
  EXPECT_TRUE(noted.last_was_direct());
  std::string text = "not a block";
  EXPECT_TRUE(block_on(noted.on.loop, file->write_and_sync(0, {text})));
  EXPECT_TRUE(last_sync_on.load() != noted.loop_thread);
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 0, 'c')));
  EXPECT_EQ(block_on(noted.on.loop, file->read(0, 3 * kDirectAlign)).value(),
            std::string(kDirectAlign, 'c') + std::string(kDirectAlign, 'b'));
}

TEST(LocalDrive, DirectWritesLookForTheDriveNowAndThen) {
  TemporaryFolder folder;
  const std::string path = folder.path() + "/d1";
  std::filesystem::create_directory(path);
  NotedSyncs noted(path);
  FilePtr file = create(noted.on, "a");
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 0, 'a')));
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 0, 'b')));
  EXPECT_TRUE(noted.last_was_direct());
  std::filesystem::rename(path, folder.path() + "/elsewhere");
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  EXPECT_EQ(code_of(block_on(noted.on.loop, put_block(file, 0, 'c'))), Errc::io_error);
  EXPECT_EQ(code_of(block_on(noted.on.loop, put_block(file, 0, 'd'))), Errc::io_error);
}

TEST(LocalDrive, NothingIsWrittenAfterAFailedDirectWrite) {
  TemporaryFolder folder;
  NotedSyncs noted(folder.path());
  FilePtr file = create(noted.on, "a"), other = create(noted.on, "b");
  ASSERT_TRUE(block_on(noted.on.loop, put_block(file, 0, 'a')));
  direct_failure = EIO;
  EXPECT_EQ(code_of(block_on(noted.on.loop, put_block(file, 1, 'b'))), Errc::io_error);
  EXPECT_TRUE(noted.last_was_direct());
  direct_failure = 0;
  EXPECT_EQ(code_of(block_on(noted.on.loop, put_block(file, 1, 'b'))), Errc::io_error);
  EXPECT_EQ(code_of(block_on(noted.on.loop, put(other, 0, "x"))), Errc::io_error);
}

TEST(LocalDrive, NoDirectWriteBeginsOnAClosedDrive) {
  TemporaryFolder folder;
  DriveOnLoop on(folder.path());
  FilePtr file = create(on, "a");
  ASSERT_TRUE(block_on(on.loop, put_block(file, 0, 'a')));
  on.drive.reset();
  EXPECT_EQ(code_of(block_on(on.loop, put_block(file, 0, 'b'))), Errc::closed);
}

TEST(LocalDrive, FilesOutliveTheirDriveAsClosed) {
  TemporaryFolder folder;
  DriveOnLoop on(folder.path());
  FilePtr file = create(on, "a");
  on.drive.reset();
  EXPECT_EQ(code_of(block_on(on.loop, put(file, 0, "x"))), Errc::closed);
  EXPECT_EQ(code_of(block_on(on.loop, file->read(0, 1))), Errc::closed);
  EXPECT_EQ(code_of(block_on(on.loop, file->sync())), Errc::closed);
}

}  // namespace
}  // namespace kura::testing
