#include "node/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>
#include <set>

namespace kura::node {
namespace {

const std::set<std::string, std::less<>> kWithValue = {"-o",        "--output",  "--endpoint",
                                                       "--ca-cert", "--timeout", "--region"};
const std::set<std::string, std::less<>> kAlone = {"--json", "--insecure"};

// Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals" (1966).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) names.push_back(command->get_name());
  return names;
}

std::string all_of(const std::vector<std::string>& verbs) {
  std::string all;
  for (const std::string& verb : verbs) all += (all.empty() ? "" : ", ") + verb;
  return all;
}

}  // namespace

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
    if (verbs.empty()) return {};
    if (word == "--help" || word == "-h") return {};
    if (word.starts_with("-")) break;
    if (std::find(verbs.begin(), verbs.end(), word) != verbs.end()) {
      at = at->get_subcommand(word);
      continue;
    }
    const auto near = std::min_element(verbs.begin(), verbs.end(), [&](auto& a, auto& b) {
      return distance(a, word) < distance(b, word);
    });
    return "'" + word + "' is no command" +
           (distance(*near, word) <= 2 ? "; did you mean " + *near + "?"
                                       : "; there are: " + all_of(verbs));
  }
  if (at == &app || verbs_of(*at).empty()) return {};
  return at->get_name() + " takes a command: " + all_of(verbs_of(*at));
}

}  // namespace kura::node
