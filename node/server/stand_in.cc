#include "node/server/stand_in.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "net/uring_writes.h"
#include "node/server/end_signals.h"

namespace kura::node {
namespace {

constexpr int64_t kHangsNs =
    500'000'000;                 // A write that takes as long belongs to no healthy drive.
constexpr int kLookMs = 500;     // A sleep as long is no healthy drive's either.
constexpr int kParkingMs = 100;  // For the threads to get their signal.
constexpr int kPark = SIGUSR2;
constexpr rlim_t kDescriptorsMax = 1 << 20;

std::set<pid_t> threads() {
  std::set<pid_t> all;
  DIR* folder = ::opendir("/proc/self/task");
  if (!folder) return all;
  while (const dirent* entry = ::readdir(folder))
    if (const pid_t thread = std::atoi(entry->d_name); thread > 0) all.insert(thread);
  ::closedir(folder);
  return all;
}

// Threads in uninterruptible sleep, with the number of times that each has gone to sleep (proc(5)).
std::map<pid_t, std::string> sleeping_threads() {
  std::map<pid_t, std::string> sleeping;
  for (const pid_t thread : threads()) {
    std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
    bool asleep = false;
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:")) asleep = line.find('D') != std::string::npos;
      if (asleep && line.starts_with("voluntary_ctxt_switches:")) sleeping[thread] = line;
    }
  }
  return sleeping;
}

void park(int) {
  for (;;) ::pause();
}

// One that waits in the kernel stops on its way back, before it does anything else.
void park_other_threads() {
  struct sigaction action {};
  action.sa_handler = park;
  ::sigfillset(&action.sa_mask);
  ::sigaction(kPark, &action, nullptr);
  const pid_t self = ::gettid();
  for (const pid_t thread : threads())
    if (thread != self) ::syscall(SYS_tgkill, ::getpid(), thread, kPark);
  ::poll(nullptr, 0, kParkingMs);
}

// What a child ended with. One of which threads wait in the kernel for a drive is not told and not
// waited for, but its main thread is gone: proc(5) has the state behind the name, the status last.
std::optional<int> status_of_ended(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, WNOHANG) == child) return status;
  char path[64], text[1024];
  ::snprintf(path, sizeof path, "/proc/%d/stat", child);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0) return std::nullopt;
  const std::string_view stat(text, static_cast<size_t>(size));
  const size_t name = stat.rfind(')'), last = stat.rfind(' ');
  if (name == stat.npos || last < name || !stat.substr(name).starts_with(") Z"))
    return std::nullopt;
  std::from_chars(text + last + 1, text + size, status);
  return status;
}

}  // namespace

bool hangs_in_kernel() {
  if (UringWrites::any_waits_for(kHangsNs)) return true;
  const auto before = sleeping_threads();
  if (before.empty()) return false;
  ::poll(nullptr, 0, kLookMs);
  const auto after = sleeping_threads();
  return std::any_of(before.begin(), before.end(), [&after](const auto& sleep) {
    const auto it = after.find(sleep.first);
    return it != after.end() && it->second == sleep.second;
  });
}

void close_at_exec(int listener) {
  // Asio opens sockets without O_CLOEXEC.
  if (::syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    for (int fd = STDERR_FILENO + 1; fd < ::getdtablesize(); ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (listener >= 0) ::fcntl(listener, F_SETFD, 0);
}

void release_drives_and_sockets(int kept) {
  rlimit open_files{};
  ::getrlimit(RLIMIT_NOFILE, &open_files);
  const int end = static_cast<int>(std::min<rlim_t>(open_files.rlim_cur, kDescriptorsMax));
  for (int fd = STDERR_FILENO + 1; fd < end; ++fd) {
    struct stat what {};
    if (fd == kept || ::fstat(fd, &what) != 0) continue;
    if (S_ISSOCK(what.st_mode)) {
      ::close(fd);
      continue;
    }
    ::flock(fd, LOCK_UN);  // Of a drive.
    struct flock all {};   // Of the view: RocksDB's.
    all.l_type = F_UNLCK;
    all.l_whence = SEEK_SET;
    ::fcntl(fd, F_SETLK, &all);
  }
}

void go_on_in_child(char** argv, int listener) {
  sigset_t signals = end_signals(), before;
  ::sigaddset(&signals, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &signals, &before);
  park_other_threads();
  // From here on nothing that takes a lock: who held it may have stopped.
  release_drives_and_sockets(listener);
  if (asked_to_end()) ::_exit(0);  // The thread that heard it has stopped.
  ::signal(SIGCHLD, SIG_DFL);  // Ignored, as some parents leave it, the end of a child is not told.
  // Not fork(): its handlers take the locks of the allocator.
  const pid_t parent = ::getpid(), child = ::_Fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    ::signal(kPark, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    close_at_exec(listener);
    ::execv("/proc/self/exe", argv);
    ::_exit(1);
  }
  if (child < 0) ::_exit(1);
  if (listener >= 0) ::close(listener);  // The child decides how long it listens.
  for (;;) {
    const timespec second{.tv_sec = 1, .tv_nsec = 0};
    const int signal = ::sigtimedwait(&signals, nullptr, &second);
    if (signal > 0 && signal != SIGCHLD) ::kill(child, signal);
    if (const std::optional<int> status = status_of_ended(child))
      ::_exit(WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status));
  }
}

}  // namespace kura::node
