#include "node/server/process_log.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace kura::node {
namespace {

constexpr int64_t kForever = INT64_MAX;
constexpr size_t kWriteBytes = 64 * kKiB;  // What is written has left the ring.
constexpr int64_t kCrashNs = 200'000'000;

constexpr int kCrashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
struct sigaction actions_before[std::size(kCrashes)];
std::atomic<ProcessLog*> log_of_crash{nullptr};

void restore_actions() {
  for (size_t i = 0; i < std::size(kCrashes); ++i)
    ::sigaction(kCrashes[i], &actions_before[i], nullptr);
}

}  // namespace

ProcessLog::ProcessLog(int fd, Loop& loop, size_t sources, ProcessLogOptions options)
    : fd_(fd), loop_(loop), clock_(loop.clock()), options_(options) {
  for (size_t i = 0; i < sources; ++i)
    rings_.push_back(std::make_unique<LogRing>(options_.ring_bytes));
}

ProcessLog::~ProcessLog() {
  ProcessLog* self = this;
  if (log_of_crash.compare_exchange_strong(self, nullptr)) restore_actions();
}

void ProcessLog::add(size_t source, std::string_view line) {
  if (!rings_[source]->put(line)) {
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  wake();
}

void ProcessLog::say(std::string_view line) {
  const std::string whole = "kura: " + std::string(line) + "\n";
  {
    std::lock_guard lock(said_mutex_);
    if (holding_) {
      if (held_.size() + whole.size() <= options_.waiting_bytes) held_ += whole;
      return;
    }
    size_t written = 0;
    if (said_.empty() && try_writing()) {
      if (whole.size() <= PIPE_BUF) written = write_some(whole, 0);
      end_writing();
    }
    if (written == whole.size()) return;
    if (written == 0 && said_.size() + whole.size() > options_.waiting_bytes) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    said_ += whole.substr(written);
  }
  wake();
}

void ProcessLog::hold() {
  std::lock_guard lock(said_mutex_);
  holding_ = true;
}

void ProcessLog::let_go(bool say) {
  {
    std::lock_guard lock(said_mutex_);
    holding_ = false;
    if (say) said_ += held_;
    held_.clear();
  }
  wake();
}

// A line that is put and then asks, and a loop that says it rests and then looks: one of the two
// sees the other, because both are in one order (memory_order_seq_cst).
void ProcessLog::wake() {
  if (resting_.load() && resting_.exchange(false)) loop_.post([this] { look(); });
}

bool ProcessLog::nothing_waits() {
  for (const auto& ring : rings_)
    if (!ring->front().empty()) return false;
  std::lock_guard lock(said_mutex_);
  return said_.empty();
}

void ProcessLog::look() {
  bool idle = false;
  if (try_writing()) {
    idle = nothing_waits();
    write_all(kForever);
    end_writing();
  }
  if (idle) {
    resting_.store(true);
    if (nothing_waits() || !resting_.exchange(false)) return;
  }
  loop_.timer().after(options_.gather_ns, [this] { look(); });
}

bool ProcessLog::write_all(int64_t until_ns) {
  if (!write_said(until_ns) || !write_rings(until_ns)) return false;
  report_dropped();
  return write_said(until_ns);
}

bool ProcessLog::write_rings(int64_t until_ns) {
  for (const auto& ring : rings_) {
    for (std::string_view bytes = ring->front(); !bytes.empty(); bytes = ring->front()) {
      const size_t written = write_some(bytes.substr(0, kWriteBytes), until_ns);
      if (written == 0) return false;
      ring->take(written);
    }
  }
  return true;
}

bool ProcessLog::write_said(int64_t until_ns) {
  std::string said;
  {
    std::lock_guard lock(said_mutex_);
    said = std::exchange(said_, {});
  }
  std::string_view left = said;
  while (!left.empty()) {
    const size_t written = write_some(left, until_ns);
    if (written == 0) return false;
    left.remove_prefix(written);
  }
  return true;
}

void ProcessLog::report_dropped() {
  const uint64_t now = dropped_.load(std::memory_order_relaxed);
  if (now == dropped_reported_) return;
  std::lock_guard lock(said_mutex_);
  said_ += "kura: " + std::to_string(now - dropped_reported_) + " lines of the log were dropped, " +
           std::to_string(now) + " since the start: stderr was not read in time\n";
  dropped_reported_ = now;
}

bool ProcessLog::is_writable(int64_t until_ns) {
  pollfd asked{.fd = fd_, .events = POLLOUT, .revents = 0};
  for (;;) {
    const int64_t left_ns = until_ns == kForever ? 0 : until_ns - clock_.monotonic_ns();
    const int wait_ms =
        until_ns == kForever
            ? -1
            : static_cast<int>(std::clamp<int64_t>((left_ns + 999'999) / 1'000'000, 0, INT_MAX));
    const int ready = ::poll(&asked, 1, wait_ms);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;  // Also when a write would fail.
    if (ready == 0) return false;
  }
}

// Bytes that are done with; 0: the reader stalls. Never waits for it when `until_ns` is over.
size_t ProcessLog::write_some(std::string_view bytes, int64_t until_ns) {
  for (;;) {
    if (until_ns != kForever) {
      if (!is_writable(until_ns)) return 0;
      bytes = bytes.substr(0, PIPE_BUF);  // A pipe that is writable takes so many at once.
    }
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written > 0) return static_cast<size_t>(written);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) {  // Whoever shares stderr made it so.
      if (!is_writable(until_ns)) return 0;
      continue;
    }
    // Nobody reads any more, or the file system is full.
    const auto lines = static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    dropped_.fetch_add(lines, std::memory_order_relaxed);
    return bytes.size();
  }
}

void ProcessLog::flush(int64_t timeout_ns) {
  const int64_t until_ns = clock_.monotonic_ns() + timeout_ns;
  while (!try_writing()) {
    if (clock_.monotonic_ns() >= until_ns) return;
    ::poll(nullptr, 0, 1);
  }
  write_all(until_ns);
  end_writing();
}

void ProcessLog::write_at_crash() {
  INVARIANT(log_of_crash.exchange(this) == nullptr, "one log has the signals");
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < std::size(kCrashes); ++i)
    ::sigaction(kCrashes[i], &action, &actions_before[i]);
}

// Only what a signal handler may do: no lock, no memory.
void ProcessLog::on_crash(int signal, siginfo_t* info, void*) {
  restore_actions();
  if (ProcessLog* log = log_of_crash.exchange(nullptr)) {
    const int64_t until_ns = log->clock_.monotonic_ns() + kCrashNs;
    bool free = log->try_writing();
    while (!free && log->clock_.monotonic_ns() < until_ns) {
      ::poll(nullptr, 0, 1);
      free = log->try_writing();
    }
    // Where the loop that writes has itself crashed, or waits for the reader, that is all.
    if (free) log->write_rings(until_ns);
  }
  // An instruction that failed fails again on return, now as before this log. What was sent is not.
  if (info->si_code <= 0) ::raise(signal);
}

}  // namespace kura::node
