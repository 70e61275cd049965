// What a file makes of each result that a direct write can have.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/aligned_bytes.h"
#include "base/direct_writes.h"
#include "net/block_on.h"
#include "tests/base/temporary_folder.h"
#include "tests/local_drive/drive_on_loop.h"

namespace kura::testing {
namespace {

using FilePtr = std::shared_ptr<File>;
constexpr size_t kBytes = 2 * kDirectAlign;

// Writes as much as it is told to, and answers what it is told to.
class Scripted final : public DirectWrites {
 public:
  bool begin(int fd, uint64_t offset_bytes, std::string_view bytes, Until until,
             Resolver<int64_t> done) override {
    ++begun;
    last_until = until;
    const int64_t answer = result.value_or(static_cast<int64_t>(bytes.size()));
    if (answer > 0) {
      EXPECT_EQ(
          ::pwrite(fd, bytes.data(), static_cast<size_t>(answer), static_cast<off_t>(offset_bytes)),
          answer);
    }
    done(answer);
    return true;
  }
  // Stands in for the loop's own, while a task of that loop holds it.
  Running instead() { return Running(this); }

  std::optional<int64_t> result;  // None: all is written.
  int begun = 0;
  std::optional<Until> last_until;
};

Task<Result<void>> put(Scripted& scripted, FilePtr file, char letter, bool durable) {
  const auto running = scripted.instead();
  AlignedBytes bytes(kBytes);
  std::fill_n(bytes.data(), bytes.size(), letter);
  std::vector<std::string_view> pieces{bytes.view(0, bytes.size())};
  if (durable) co_return co_await file->write_and_sync(0, std::move(pieces));
  co_return co_await file->write(0, std::move(pieces));
}

// Where nobody looked at the mount for a second, as on a machine that stands still, a thread looks
// and writes: then once more.
Result<void> put_directly(DriveOnLoop& on, Scripted& scripted, const FilePtr& file, char letter) {
  const int before = scripted.begun;
  Result<void> done;
  for (int i = 0; i < 50 && scripted.begun == before; ++i)
    done = block_on(on.loop, put(scripted, file, letter, true));
  return done;
}

class DirectResults : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = block_on(on_.loop, on_.drive->create("a", 0)).value();
    ASSERT_TRUE(write('0'));  // By a thread, which opens the file for direct writes.
    ASSERT_EQ(scripted_.begun, 0);
    ASSERT_TRUE(write_directly('1'));
    if (scripted_.begun == 0) FAIL() << "the temporary folder's file system has no O_DIRECT";
  }
  Result<void> write(char letter, bool durable = true) {
    return block_on(on_.loop, put(scripted_, file_, letter, durable));
  }
  Result<void> write_directly(char letter) { return put_directly(on_, scripted_, file_, letter); }
  std::string content() { return block_on(on_.loop, file_->read(0, 2 * kBytes)).value(); }

  TemporaryFolder folder_;
  DriveOnLoop on_{folder_.path()};
  FilePtr file_;
  Scripted scripted_;
};

TEST_F(DirectResults, WhatIsDurableIsAskedForAsThat) {
  EXPECT_EQ(scripted_.last_until, DirectWrites::Until::durable);
  ASSERT_TRUE(write('2', false));
  EXPECT_EQ(scripted_.last_until, DirectWrites::Until::written);
  EXPECT_EQ(content(), std::string(kBytes, '2'));
}

TEST_F(DirectResults, WhatIsNotWrittenWholeIsWrittenByAThread) {
  const std::initializer_list<int64_t> results = {0,      kDirectAlign, -EAGAIN,
                                                  -EINTR, -ENOSPC,      -ENOMEM};
  char letter = 'a';
  for (int64_t result : results) {
    SCOPED_TRACE(result);
    scripted_.result = result;
    const int before = scripted_.begun;
    ASSERT_TRUE(write_directly(++letter));
    EXPECT_EQ(scripted_.begun, before + 1) << "each is tried";
    EXPECT_EQ(content(), std::string(kBytes, letter));
  }
}

TEST_F(DirectResults, BlocksThatAreTooSmallAreNotTriedAgain) {
  scripted_.result = -EINVAL;
  const int before = scripted_.begun;
  ASSERT_TRUE(write_directly('e'));
  ASSERT_TRUE(write('f'));
  EXPECT_EQ(scripted_.begun, before + 1);
  EXPECT_EQ(content(), std::string(kBytes, 'f'));
}

// A flush that failed may have lost what other writes left in the device, and a second one does not
// tell: nothing more is promised there.
TEST_F(DirectResults, WhatTheDeviceRefusesEndsTheDrive) {
  for (int error : {EIO, ENODATA, ETIMEDOUT, EREMOTEIO, EILSEQ}) {
    SCOPED_TRACE(error);
    TemporaryFolder folder;
    DriveOnLoop on(folder.path());
    FilePtr file = block_on(on.loop, on.drive->create("a", 0)).value();
    Scripted scripted;
    ASSERT_TRUE(block_on(on.loop, put(scripted, file, 'a', true)));
    scripted.result = -error;
    auto refused = put_directly(on, scripted, file, 'b');
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::io_error);
    scripted.result.reset();
    EXPECT_FALSE(block_on(on.loop, put(scripted, file, 'c', true)));
    EXPECT_FALSE(block_on(on.loop, file->sync()));
  }
}

}  // namespace
}  // namespace kura::testing
