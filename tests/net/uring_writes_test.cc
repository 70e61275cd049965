#include "net/uring_writes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/aligned_bytes.h"
#include "base/concurrently.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "tests/base/temporary_folder.h"

namespace kura::testing {
namespace {

constexpr size_t kBlock = kDirectAlign;

AlignedBytes blocks_of(char letter, size_t blocks = 1) {
  AlignedBytes bytes(blocks * kBlock);
  std::fill_n(bytes.data(), bytes.size(), letter);
  return bytes;
}

// A file that is opened for direct writes, on a loop.
struct DirectFile {
  DirectFile() : path(folder.path() + "/file"), loop(clock) {
    fd = open(path.c_str(), O_WRONLY | O_CREAT | O_DIRECT, 0600);
    EXPECT_GE(fd, 0);
    loop.start("test");
  }
  ~DirectFile() {
    loop.stop();
    close(fd);
  }
  std::string content() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  TemporaryFolder folder;
  std::string path;
  SystemClock clock;
  AsioLoop loop;
  int fd = -1;
};

Task<int64_t> write_at(int fd, uint64_t offset, std::string_view bytes) {
  co_return co_await suspend<int64_t>([=](Resolver<int64_t> done) {
    if (!DirectWrites::current()->begin(fd, offset, bytes, DirectWrites::Until::durable, done))
      done(-ENOBUFS);
  });
}

TEST(UringWrites, BelongToALoop) {
  EXPECT_EQ(DirectWrites::current(), nullptr);
  DirectFile file;
  auto asked = []() -> Task<bool> { co_return DirectWrites::current() != nullptr; };
  EXPECT_TRUE(block_on(file.loop, asked())) << "this process may not use io_uring(7)";
}

TEST(UringWrites, ManyAtOnceEndEachWithItsOwnResult) {
  DirectFile file;
  constexpr size_t kWrites = 100;
  auto all = [&]() -> Task<void> {
    std::vector<AlignedBytes> bytes;
    std::vector<Task<int64_t>> writes;
    for (size_t i = 0; i < kWrites; ++i) {
      bytes.push_back(blocks_of(static_cast<char>('a' + i % 26), 1 + i % 3));
      writes.push_back(write_at(file.fd, 3 * i * kBlock, bytes[i].view(0, bytes[i].size())));
    }
    const std::vector<int64_t> written = co_await concurrently(std::move(writes));
    for (size_t i = 0; i < kWrites; ++i)
      EXPECT_EQ(written[i], static_cast<int64_t>((1 + i % 3) * kBlock));
  };
  block_on(file.loop, all());
  const std::string content = file.content();
  for (size_t i = 0; i < kWrites; ++i) EXPECT_EQ(content[3 * i * kBlock], 'a' + i % 26);
}

TEST(UringWrites, RefusesWhatItHasNoPlaceFor) {
  DirectFile file;
  constexpr size_t kWrites = 1000;
  auto all = [&]() -> Task<void> {
    const AlignedBytes bytes = blocks_of('x');
    std::vector<Task<int64_t>> writes;
    for (size_t i = 0; i < kWrites; ++i)
      writes.push_back(write_at(file.fd, i * kBlock, bytes.view(0, kBlock)));
    const std::vector<int64_t> written = co_await concurrently(std::move(writes));
    const auto done = std::ranges::count(written, static_cast<int64_t>(kBlock));
    const auto refused = std::ranges::count(written, int64_t{-ENOBUFS});
    EXPECT_GT(refused, 0);
    EXPECT_GE(done, 100);
    EXPECT_EQ(done + refused, static_cast<int64_t>(kWrites));
    // There is room again.
    EXPECT_EQ(co_await write_at(file.fd, 0, bytes.view(0, kBlock)), static_cast<int64_t>(kBlock));
  };
  block_on(file.loop, all());
}

TEST(UringWrites, TellTheErrorOfTheKernel) {
  DirectFile file;
  const AlignedBytes bytes = blocks_of('x');
  EXPECT_EQ(block_on(file.loop, write_at(file.fd, 1, bytes.view(0, kBlock))), -EINVAL);
  EXPECT_EQ(block_on(file.loop, write_at(-1, 0, bytes.view(0, kBlock))), -EBADF);
}

TEST(UringWrites, EndBeforeTheLoopDoes) {
  constexpr size_t kWrites = 50;
  DirectFile file;
  const AlignedBytes bytes = blocks_of('x', 64);
  for (size_t i = 0; i < kWrites; ++i) {
    auto begin = [](int fd, uint64_t at, std::string_view all) -> Task<void> {
      (void)co_await write_at(fd, at, all);
    };
    spawn(file.loop, begin(file.fd, i * bytes.size(), bytes.view(0, bytes.size())));
  }
  auto begun = []() -> Task<void> { co_return; };
  block_on(file.loop, begun());
  file.loop.stop();  // Waits: the memory is free from here on.
  EXPECT_EQ(file.content(), std::string(kWrites * bytes.size(), 'x'));
}

}  // namespace
}  // namespace kura::testing
