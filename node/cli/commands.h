// The sub-commands that talk to a running node, and those that read a stopped node's drives.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kura::node {

// `code` receives the exit code of the command that was given by `words`, for errors that say where
// a value came from.
void add_commands(CLI::App& app, const std::vector<std::string>& words, int& code);

}  // namespace kura::node
