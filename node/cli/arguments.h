// What is done with the words of a command line before and after they are parsed.

#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace kura::node {

// The flags that every command has, from before its noun or verb to the end: `kura --json drive ls`
// is `kura drive ls --json`, and `kura help drive ls` is `kura drive ls --help`. `words` are
// without the name of the program.
std::vector<std::string> shared_flags_last(const std::vector<std::string>& words);

std::vector<std::string> verbs_of(const CLI::App& app);      // Those that its help lists.
std::vector<std::string> flags_of(const CLI::App& command);  // "--json"
// The command that the words name, as far as they name one; words before and between are flags.
const CLI::App& command_of(const CLI::App& app, const std::vector<std::string>& words);

// "'statsu' is no command; did you mean status?". Empty: every word that should be one is.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words);

// "key takes a command: ls, create". Empty: the words name one.
std::string missing_command(const CLI::App& app, const std::vector<std::string>& words);

// "--jsno is no flag of kura status; did you mean --json?", or an argument too many. `app` has
// parsed `words`. Empty: all of them were taken.
std::string unknown_argument(const CLI::App& app, const std::vector<std::string>& words);

// Where the value of an option came from: "--max", "-o", or "KURA_MAX" for one that no word gave.
std::string source_of(const CLI::Option& option, const std::vector<std::string>& words);

// What CLI11 says of a value or of one that is missing, in one line: with the variable's name for
// the flag's where the value is the variable's.
std::string told_of_value(const CLI::ParseError& error, const CLI::App& app,
                          const std::vector<std::string>& words);

}  // namespace kura::node
