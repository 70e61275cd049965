// Starting over: the process executes itself again, with the same command line, or goes on in a
// child where a drive that hangs would keep it (node/server/stand_in.h). Everything that is
// acknowledged is on the drives, so a fresh process finds it, and clients retry meanwhile.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/known_drives.h"
#include "node/server/config.h"

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
// Where those of the process before it were. Of no cluster: it is a first start.
KnownDrives drives_known_before();

// The descriptor of the socket that the process before it listened with on `address`, as given;
// negative: none. One of another address is closed.
int listener_of_before(const std::string& address);

// Waits for so long; whether the process was asked to end meanwhile.
bool asked_to_end_within_a_second();

// Puts what files said when this process started into the environment of the next one, which does
// not read them: by now one may be half written.
void keep_settings(const Config& config);
// Where those came from, in the configuration that the next one made of its environment.
void name_origins(Config& config);

// The socket that a process listens with on `address`; the next one goes on with it, and whoever
// connects meanwhile waits.
struct HandedOn {
  int socket = -1;
  std::string address;
};
struct DrivesHandedOn {
  std::vector<std::string> added;  // To this process.
  KnownDrives known;
};
// From any thread.
[[noreturn]] void start_over(char** argv, StartOver why, const DrivesHandedOn& drives,
                             const HandedOn& listener);

}  // namespace kura::node
