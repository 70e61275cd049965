// `kura server`: the node on real ports: threads, sockets, folders, signals.

#pragma once

#include "node/server/config.h"

namespace kura::node {

// Serves until one of end_signals() comes, then drains. Returns the exit code of the process;
// errors are one line on standard error. `argv` is for starting over when the view's drive dies.
int run_server(const Config& config, char** argv);

}  // namespace kura::node
