#include "node/cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <set>

#include "node/server/did_you_mean.h"
#include "node/server/environment.h"

namespace kura::node {
namespace {

const std::set<std::string, std::less<>> kWithValue = {"-o",        "--output",  "--endpoint",
                                                       "--ca-cert", "--timeout", "--region"};
const std::set<std::string, std::less<>> kAlone = {"--json", "--insecure"};

std::string all_of(const std::vector<std::string>& verbs) {
  std::string all;
  for (const std::string& verb : verbs) all += (all.empty() ? "" : ", ") + verb;
  return all;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* above = command.get_parent();
  return above ? full_name(*above) + " " + command.get_name() : command.get_name();
}

// Null: there is none of this name.
const CLI::App* verb_of(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&name](const CLI::App* verb) { return verb->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

}  // namespace

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) names.push_back(command->get_name());
  return names;
}

const CLI::App& command_of(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words)
    if (const CLI::App* next = verb_of(*at, word)) at = next;
  return *at;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  return flags;
}

std::vector<std::string> shared_flags_last(const std::vector<std::string>& words) {
  std::vector<std::string> first, last;
  size_t i = 0;
  for (; i < words.size(); ++i) {
    const std::string& word = words[i];
    const size_t equals = word.find('=');
    if (kAlone.contains(word)) {
      last.push_back(word);
    } else if (kWithValue.contains(word)) {
      last.push_back(word);
      if (i + 1 < words.size()) last.push_back(words[++i]);
    } else if (equals != word.npos && kWithValue.contains(word.substr(0, equals))) {
      last.push_back(word.substr(0, equals));
      last.push_back(word.substr(equals + 1));
    } else if (word.starts_with("-")) {
      break;  // A flag of one command: what follows is its own.
    } else {
      first.push_back(word);
    }
  }
  if (!first.empty() && first.front() == "help") {  // As `kura drive ls --help`.
    first.erase(first.begin());
    last.emplace_back("--help");
  }
  if (last.empty()) return words;
  first.insert(first.end(), words.begin() + static_cast<ptrdiff_t>(i), words.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::string unknown_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* at = &app;
  for (const std::string& word : words) {
    const std::vector<std::string> verbs = verbs_of(*at);
    if (verbs.empty() || word.starts_with("-")) return {};
    if (const CLI::App* next = verb_of(*at, word)) {
      at = next;
      continue;
    }
    const std::string meant = did_you_mean(word, verbs);
    return "'" + word + "' is no command" +
           (meant.empty() ? "; there are: " + all_of(verbs) : meant);
  }
  return {};
}

std::string missing_command(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App& at = command_of(app, words);
  const std::vector<std::string> verbs = verbs_of(at);
  return verbs.empty() ? std::string() : at.get_name() + " takes a command: " + all_of(verbs);
}

std::string unknown_argument(const CLI::App& app, const std::vector<std::string>& words) {
  const std::vector<std::string> left = app.remaining(true);
  const CLI::App& command = command_of(app, words);
  const std::string name = full_name(command);
  const bool misses_verb = !verbs_of(command).empty();
  for (const std::string& word : left) {
    const std::string flag = word.substr(0, word.find('='));
    if (word.size() < 2 || word.front() != '-') continue;
    if (misses_verb && (kAlone.contains(flag) || kWithValue.contains(flag))) continue;
    const std::string meant = did_you_mean(flag, flags_of(command));
    return flag + " is no flag of " + name +
           (meant.empty() ? "; " + name + " --help lists them" : meant);
  }
  if (left.empty() || misses_verb) return {};
  return "'" + left.front() + "' is an argument too many; " + name + " --help says which it takes";
}

std::string source_of(const CLI::Option& option, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    std::string flag = word.substr(0, word.find('='));
    for (const std::string& name : option.get_lnames())
      if (flag == "--" + name) return flag;
    for (const std::string& name : option.get_snames())
      if (word.starts_with("-" + name)) return "-" + name;
  }
  const std::string variable = option.get_envname();
  const bool set = !variable.empty() && environment_variable(variable);
  return set ? variable : option.get_name();
}

std::string told_of_value(const CLI::ParseError& error, const CLI::App& app,
                          const std::vector<std::string>& words) {
  const std::string text = error.what();
  std::string message = text.substr(0, text.find('\n'));
  const CLI::App& command = command_of(app, words);
  const std::string help = full_name(command) + " --help";
  if (dynamic_cast<const CLI::RequiredError*>(&error)) return full_name(command) + ": " + message;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_name();
    const size_t at = message.find(name), end = at + name.size();
    if (!name.starts_with("--") || at == message.npos) continue;
    if (end < message.size() && (std::isalnum(message[end]) || message[end] == '-')) continue;
    const std::string source = source_of(*option, words);
    if (dynamic_cast<const CLI::ConversionError*>(&error))
      return source + ": '" + message.substr(message.rfind(' ') + 1) + "' is no value of it; " +
             help + " says what is";
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error))
      return source + " takes one value; " + help + " says which";
    return message.replace(at, name.size(), source);
  }
  return message;
}

}  // namespace kura::node
