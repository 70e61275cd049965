#include "node/start_over.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

#include "node/end_signals.h"
#include "node/environment.h"
#include "node/exit_code.h"
#include "node/stand_in.h"

namespace kura::node {
namespace {

// Set for the process that starts over.
constexpr char kStartedOver[] = "KURA_STARTED_OVER";
constexpr char kLost[] = "lost", kWaiting[] = "waiting";
// And the drives that were added since the command line was written, one in a line.
constexpr char kAddedDrives[] = "KURA_ADDED_DRIVES";

// How often one that waits looks whether a drive still hangs: a child for each would be too many,
// but drives that are back must not wait for one that never is.
constexpr int kLooks = 20;

bool asked_to_end_within_a_second() {
  const sigset_t signals = end_signals();
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  return ::sigtimedwait(&signals, nullptr, &second) > 0;
}

}  // namespace

std::optional<StartOver> started_over() {
  const auto why = environment_variable(kStartedOver);
  if (!why) return std::nullopt;
  return *why == kWaiting ? StartOver::waiting : StartOver::lost;
}

std::vector<std::string> drives_added_before() {
  std::vector<std::string> paths;
  std::istringstream added(environment_variable(kAddedDrives).value_or(""));
  for (std::string path; std::getline(added, path);) paths.push_back(path);
  return paths;
}

void start_over(char** argv, StartOver why, const std::vector<std::string>& added) {
  ::setenv(kStartedOver, why == StartOver::waiting ? kWaiting : kLost, 1);
  std::string lines;
  for (const std::string& path : added) lines += path + "\n";
  if (!lines.empty()) {
    const auto before = environment_variable(kAddedDrives);
    ::setenv(kAddedDrives, (before.value_or("") + lines).c_str(), 1);
  }
  // A process that waits for drives has time; one that serves goes on.
  for (int looks = 0; why == StartOver::waiting && looks < kLooks && hangs_in_kernel(); ++looks)
    if (asked_to_end_within_a_second()) ::_exit(0);
  if (hangs_in_kernel()) go_on_in_child(argv);
  // The sockets, above all the one that listens: Asio opens them without O_CLOEXEC.
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    for (int fd = 3; fd < ::getdtablesize(); ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::execv("/proc/self/exe", argv);
  ::_exit(exit_code_of(Errc::unavailable));
}

}  // namespace kura::node
