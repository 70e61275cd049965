// Starting over: the process executes itself again, with the same command line, or goes on in a
// child where a drive that hangs would keep it (node/stand_in.h). Everything that is acknowledged
// is on the drives, so a fresh process finds it, and clients retry meanwhile.

#pragma once

#include <optional>
#include <string>
#include <vector>

namespace kura::node {

enum class StartOver {
  lost,     // The node could not go on.
  waiting,  // It waits for drives, and looks whether they are back.
};

// Why this process was executed by the one before it; none: it is a first start, which is refused
// where one that starts over waits.
std::optional<StartOver> started_over();
// The drives that were added to the processes before it since the command line was written.
std::vector<std::string> drives_added_before();

// The descriptor of the socket that the process before it listened with; negative: none.
int listener_of_before();

// `added`: the drives that were added to this process. `listener`: the socket that it listens with,
// which the next one goes on with: whoever connects meanwhile waits. From any thread.
[[noreturn]] void start_over(char** argv, StartOver why, const std::vector<std::string>& added,
                             int listener);

}  // namespace kura::node
