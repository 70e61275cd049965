// The command line of the one binary: `kura <noun> <verb>`.

#pragma once

namespace kura::node {

int run_command_line(int argc, char** argv);

}  // namespace kura::node
