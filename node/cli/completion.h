// Completion of the command line by a shell: its script asks the binary what may come next, so that
// the two are never of different versions.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kura::node {

// What the last of `words` may become: commands, flags, or the output forms of the command. Empty:
// the shell's own completion, of files.
std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words);

// The script of bash, zsh or fish. Empty: of no other.
std::string completion_script(const std::string& shell);

}  // namespace kura::node
