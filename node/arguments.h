// What is done with the words of a command line before and after they are parsed.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace kura::node {

// The flags that every command has, from before its noun or verb to the end: `kura --json drive ls`
// is `kura drive ls --json`, and `kura help drive ls` is `kura drive ls --help`. `words` are
// without the name of the program.
std::vector<std::string> shared_flags_last(const std::vector<std::string>& words);

// "'statsu' is no command; did you mean status?". Empty: every word that should be one is.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace kura::node
