// The sub-commands that talk to a running node, and those that read a stopped node's drives.

#pragma once

namespace CLI {
class App;
}

namespace kura::node {

// `code` receives the exit code of the command that was given.
void add_commands(CLI::App& app, int& code);

}  // namespace kura::node
