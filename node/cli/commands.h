// The sub-commands that talk to a running node, and those that read a stopped node's drives.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kura::node {

// How a command ended.
struct CommandEnd {
  int exit_code = 0;
  std::string if_unread;  // What whoever does not get the output has to know. Mostly empty.
};

// `end` is that of the command that was given by `words`, which serve errors that say where a value
// came from.
void add_commands(CLI::App& app, const std::vector<std::string>& words, CommandEnd& end);

}  // namespace kura::node
