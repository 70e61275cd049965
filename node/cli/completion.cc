#include "node/cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

#include "node/cli/arguments.h"
#include "node/cli/output_forms.h"

namespace kura::node {
namespace {

constexpr char kBash[] = R"sh(_kura() {
  COMPREPLY=($(compgen -W "$(kura __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kura kura
)sh";

constexpr char kZsh[] = R"sh(#compdef kura
_kura() {
  local -a may
  may=(${(f)"$(kura __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( $#may )); then compadd -a may; else _files; fi
}
compdef _kura kura
)sh";

constexpr char kFish[] =
    "complete -c kura -a '(kura __complete (commandline -opc)[2..-1] (commandline -ct))'\n";

std::vector<std::string> forms_of(const CLI::App& command) {
  const CLI::App* noun = command.get_parent();
  const std::string name =
      (noun && noun->get_parent() ? noun->get_name() + " " : "") + command.get_name();
  const OutputForms& forms = output_forms_of(name);
  std::vector<std::string> out = {"table", "json", "jsonl", "yaml", "template="};
  if (has(forms, Kind::wide)) out.emplace_back("wide");
  if (has(forms, Kind::name)) out.emplace_back("name");
  return out;
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) return verbs_of(app);
  const std::vector<std::string> before(words.begin(), words.end() - 1);
  const CLI::App& command = command_of(app, before);
  const std::string& last = words.back();
  const std::string previous = before.empty() ? "" : before.back();
  std::vector<std::string> may = verbs_of(command);
  if (command.get_name() == "completion") may = {"bash", "fish", "zsh"};
  if (last.starts_with("-")) may = flags_of(command);
  if (previous == "-o" || previous == "--output") may = forms_of(command);
  std::erase_if(may, [&last](const std::string& word) { return !word.starts_with(last); });
  std::sort(may.begin(), may.end());
  return may;
}

std::string completion_script(const std::string& shell) {
  static const std::map<std::string, std::string> scripts = {
      {"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};
  const auto found = scripts.find(shell);
  return found == scripts.end() ? std::string() : found->second;
}

}  // namespace kura::node
