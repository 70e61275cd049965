// The process's log: nothing is lost, nobody waits for a reader that stalls, and what could not be
// written is counted.

#include "node/server/process_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <rapidcheck.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <deque>

#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"

namespace kura::node {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Runs when it is told to, and counts what a real loop would be woken for.
class ToldLoop final : public Loop, private Timer {
 public:
  explicit ToldLoop(Clock& clock) : clock_(clock) {}
  void post(Callback fn) override {
    ++posts;
    ready_.push_back(std::move(fn));
  }
  void at_turn_end(Callback fn) override { ready_.push_back(std::move(fn)); }
  Timer& timer() override { return *this; }
  Clock& clock() override { return clock_; }
  void run() {
    while (!ready_.empty()) {
      Callback fn = std::move(ready_.front());
      ready_.pop_front();
      fn();
    }
  }
  size_t posts = 0;

 private:
  Id after(int64_t, Callback fn) override {
    ready_.push_back(std::move(fn));
    return 1;
  }
  void cancel(Id) override {}
  Clock& clock_;
  std::deque<Callback> ready_;
};

// Somewhere that takes everything, to be read as a whole.
struct Paper {
  int fd = ::memfd_create("log", 0);
  ~Paper() { ::close(fd); }
  std::string text() const {
    std::string out(static_cast<size_t>(::lseek(fd, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fd, out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
    return out;
  }
};

// A reader that reads when it is told to.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends[1]);
    if (ends[0] >= 0) ::close(ends[0]);
  }
  void fill() {
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (::write(ends[1], "~", 1) == 1) {
    }
    ::fcntl(ends[1], F_SETFL, 0);
  }
  // What comes until `wait_ms` pass without any, without what fill() put.
  std::string read(int wait_ms) {
    std::string out;
    char buffer[65536];
    for (pollfd asked{ends[0], POLLIN, 0}; ::poll(&asked, 1, wait_ms) > 0;) {
      const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
      if (n <= 0) break;
      out.append(buffer, static_cast<size_t>(n));
    }
    std::erase(out, '~');
    return out;
  }
  int ends[2] = {-1, -1};
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1)
    lines.push_back(text.substr(at, end - at));
  EXPECT_TRUE(text.empty() || text.back() == '\n');
  return lines;
}

std::string line(size_t i) { return "line " + std::to_string(i) + std::string(i % 90, '.'); }

class Log : public testing::Test {
 protected:
  Log() { ::signal(SIGPIPE, SIG_IGN); }
  SystemClock clock;
  ToldLoop told{clock};
  Paper paper;
  Pipe pipe;
};

TEST_F(Log, LinesThatAreHeldAreSaidOrForgotten) {
  ProcessLog log(paper.fd, told, 1);
  log.hold();
  log.say("what was said before");
  log.let_go(false);
  log.say("first");
  log.hold();
  log.say("second");
  log.flush(kSecond);
  EXPECT_EQ(paper.text(), "kura: first\n");
  log.let_go(true);
  log.say("third");
  log.flush(kSecond);
  EXPECT_EQ(paper.text(), "kura: first\nkura: second\nkura: third\n");
}

TEST_F(Log, LinesAreGatheredWithOneWake) {
  ProcessLog log(paper.fd, told, 2);
  std::string expected[2];
  for (size_t i = 0; i < 1000; ++i) {
    log.add(i % 2, line(i));
    expected[i % 2] += line(i) + "\n";
  }
  EXPECT_EQ(told.posts, 1u) << "a system call for each request";
  EXPECT_EQ(paper.text(), "") << "written by the one who serves the request";
  told.run();
  EXPECT_EQ(paper.text(), expected[0] + expected[1]);
  log.add(0, "after a pause");
  EXPECT_EQ(told.posts, 2u);
  told.run();
  EXPECT_TRUE(paper.text().ends_with("\nafter a pause\n"));
  EXPECT_EQ(log.dropped(), 0u);
}

TEST_F(Log, AStalledReaderHoldsNobodyUp) {
  AsioLoop loop(clock);
  ProcessLog log(pipe.ends[1], loop, 1, {.ring_bytes = 64 * kKiB});
  loop.start("log");
  constexpr size_t kLines = 100'000;
  for (size_t i = 0; i < kLines; ++i) log.add(0, line(i));
  EXPECT_GT(log.dropped(), kLines / 2);
  size_t reported = 0, arrived = 0, last = 0;
  for (const std::string& one : lines_of(pipe.read(500))) {
    if (one.starts_with("kura: ")) {
      EXPECT_NE(one.find(" lines of the log were dropped, "), one.npos) << one;
      reported += std::stoull(one.substr(6));
      continue;
    }
    const size_t i = std::stoull(one.substr(5));
    EXPECT_EQ(one, line(i));
    EXPECT_TRUE(arrived == 0 || i > last);
    last = i;
    ++arrived;
  }
  EXPECT_EQ(reported, log.dropped());
  EXPECT_EQ(arrived + reported, kLines);
  loop.stop();
}

TEST_F(Log, TheOperatorIsToldAtOnce) {
  ProcessLog log(pipe.ends[1], told, 1);
  log.say("starting");
  EXPECT_EQ(pipe.read(0), "kura: starting\n");
  EXPECT_EQ(told.posts, 0u);
  pipe.fill();
  log.say("stalled");  // Returns.
  log.say("still stalled");
  EXPECT_EQ(pipe.read(0), "");
  log.say("after both");
  told.run();
  EXPECT_EQ(pipe.read(0), "kura: stalled\nkura: still stalled\nkura: after both\n");
  EXPECT_EQ(log.dropped(), 0u);
}

TEST_F(Log, WhatWaitsForTheOperatorIsBounded) {
  ProcessLog log(pipe.ends[1], told, 1, {.waiting_bytes = 1000});
  pipe.fill();
  for (int i = 0; i < 100; ++i) log.say(std::string(93, 'x'));  // 100 bytes with all.
  EXPECT_EQ(log.dropped(), 90u);
  pipe.read(0);
  told.run();
  EXPECT_EQ(lines_of(pipe.read(0)).size(), 11u);
}

TEST_F(Log, AFlushWritesWhatIsThere) {
  ProcessLog log(paper.fd, told, 2);
  std::string expected;
  for (size_t i = 0; i < 5000; ++i) {
    log.add(0, line(i));
    expected += line(i) + "\n";
  }
  log.flush(10 * kSecond);
  EXPECT_EQ(paper.text(), expected);
  told.run();
  EXPECT_EQ(paper.text(), expected) << "written twice";
}

TEST_F(Log, AFlushWaitsForAStalledReaderOnlySoLong) {
  ProcessLog log(pipe.ends[1], told, 1);
  pipe.fill();
  log.add(0, "never read");
  const int64_t begun_ns = clock.monotonic_ns();
  log.flush(kSecond / 5);
  EXPECT_GE(clock.monotonic_ns() - begun_ns, kSecond / 5);
  pipe.read(0);
  log.flush(10 * kSecond);
  EXPECT_EQ(pipe.read(0), "never read\n");
}

TEST_F(Log, LinesThatNobodyCanReadAreCounted) {
  ProcessLog log(pipe.ends[1], told, 1);
  ::close(std::exchange(pipe.ends[0], -1));
  for (size_t i = 0; i < 10; ++i) log.add(0, line(i));
  told.run();
  EXPECT_GE(log.dropped(), 10u);
  Paper full;
  const int device = ::open("/dev/full", O_WRONLY);
  ProcessLog filled(device, told, 1);
  for (size_t i = 0; i < 10; ++i) filled.add(0, line(i));
  told.run();
  EXPECT_GE(filled.dropped(), 10u);
  ::close(device);
}

TEST_F(Log, ACrashWritesWhatIsThere) {
  for (const int signal : {SIGABRT, SIGSEGV}) {
    const Paper last;
    EXPECT_EXIT(
        {
          std::signal(signal, SIG_DFL);  // A sanitizer has a handler of its own.
          ProcessLog log(last.fd, told, 2);
          log.write_at_crash();
          log.add(0, "before the crash");
          log.add(1, "of another loop");
          std::raise(signal);
        },
        testing::KilledBySignal(signal), "");
    EXPECT_EQ(last.text(), "before the crash\nof another loop\n");
  }
}

TEST_F(Log, ACrashDoesNotWaitForAStalledReader) {
  EXPECT_EXIT(
      {
        ProcessLog log(pipe.ends[1], told, 1);
        pipe.fill();
        log.write_at_crash();
        log.add(0, "never read");
        std::abort();
      },
      testing::KilledBySignal(SIGABRT), "");
}

// The loop may be about to rest when a line comes: it must be seen all the same.
TEST_F(Log, NoLineIsOverlooked) {
  AsioLoop loop(clock), busy(clock);
  ProcessLog log(pipe.ends[1], loop, 1, {.gather_ns = 1000});
  loop.start("log");
  busy.start("busy");
  for (size_t i = 0; i < 3000; ++i) {
    const auto add = [&]() -> Task<Done> {
      for (size_t spin = 0; spin < i * 37 % 2000; ++spin) asm volatile("");
      log.add(0, line(i));
      co_return Done{};
    };
    block_on(busy, add());
    std::string got;
    while (!got.ends_with('\n')) {
      char c = 0;
      pollfd asked{pipe.ends[0], POLLIN, 0};
      ASSERT_GT(::poll(&asked, 1, 10'000), 0) << "line " << i << " waits for the next one";
      ASSERT_EQ(::read(pipe.ends[0], &c, 1), 1);
      got += c;
    }
    ASSERT_EQ(got, line(i) + "\n");
  }
  loop.stop();
  busy.stop();
}

TEST(LogRing, GivesWhatWasPutInOrderOrRefuses) {
  rc::check([] {
    LogRing ring(64);
    std::string put, taken;
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-40, 70));
    for (const int step : steps) {
      if (step >= 0) {
        const std::string one(static_cast<size_t>(step), static_cast<char>('a' + step % 26));
        const bool fits = put.size() - taken.size() + one.size() + 1 <= 64;
        RC_ASSERT(ring.put(one) == fits);
        if (fits) put += one + "\n";
      } else {
        const std::string_view some = ring.front().substr(0, static_cast<size_t>(-step));
        taken += some;
        ring.take(some.size());
      }
      RC_ASSERT(put.starts_with(taken));
    }
    while (!ring.front().empty()) {
      taken += ring.front();
      ring.take(ring.front().size());
    }
    RC_ASSERT(taken == put);
  });
}

}  // namespace
}  // namespace kura::node
