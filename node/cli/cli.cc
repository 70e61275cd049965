#include "node/cli/cli.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "node/cli/arguments.h"
#include "node/cli/commands.h"
#include "node/cli/completion.h"
#include "node/cli/output.h"
#include "node/cli/standard_streams.h"
#include "node/server/admin_backend.h"
#include "node/server/config.h"
#include "node/server/environment.h"
#include "node/server/exit_code.h"
#include "node/server/fail_point_setting.h"
#include "node/server/server.h"
#include "node/server/start_over.h"
#include "s3/codec/uri.h"

namespace kura::node {
namespace {

// What the flags of `kura server` and `kura config show` share.
struct Flags {
  struct Switch {
    CLI::Option* given = nullptr;
    bool on = false;
  };
  std::map<std::string, Switch> switches;
  std::map<std::string, std::string> values;
  std::vector<std::string> drives;
  std::string file;
};

void add_settings(CLI::App& command, Flags& flags) {
  std::string others;
  for (const SettingInfo& info : setting_table()) {
    const std::string name = info.name, help = info.help + " [" + variable_of(name) + "]";
    if (name == "drives" || info.secret) {  // Secrets never stand in a process list.
      others += "\n  " + variable_of(name) + ": " + info.help;
      continue;
    }
    if (info.kind == SettingKind::on_off)
      flags.switches[name].given = command.add_flag("--" + name, flags.switches[name].on, help);
    else
      command.add_option_function<std::string>(
          "--" + name, [&flags, name](const std::string& v) { flags.values[name] = v; }, help);
  }
  command.add_option("--config", flags.file,
                     "TOML file (default /etc/kura/kura.toml if there) [KURA_CONFIG]");
  command.add_option("drives", flags.drives, "drive folders; /mnt/d{1...6} stands for six");
  command.footer(
      "Variables without a flag:" + others +
      "\nA variable with _FILE behind its name gives the file that holds the value. In the "
      "TOML file\nKURA_TLS_CERT is tls_cert.");
}

Result<Config> config_of(const Flags& flags) {
  std::map<std::string, std::string> values = flags.values;
  for (const auto& [name, one] : flags.switches)
    if (one.given->count() > 0) values[name] = one.on ? "true" : "false";
  const std::string named =
      flags.file.empty() ? environment_variable("KURA_CONFIG").value_or("") : flags.file;
  // A process that starts over has what the file said then.
  if (started_over()) {
    auto config = load_config(values, flags.drives, environment_variable, std::nullopt);
    if (config) name_origins(*config);
    return config;
  }
  const std::string source = flags.file.empty() ? "KURA_CONFIG" : "--config";
  const std::string path = named.empty() ? "/etc/kura/kura.toml" : named;
  const Result<std::string> text = read_text_file(path);
  if (!text && !named.empty())
    return fail(Errc::invalid_argument, source + ": " + text.error().detail);
  std::optional<std::pair<std::string, std::string>> file;
  if (text) file = {*text, path};
  return load_config(values, flags.drives, environment_variable, file);
}

int refuse(const Error& error) {
  std::cerr << "kura: " << error.detail << "\n";
  return exit_code_of(error.code);
}

// The flags cannot be asked when it was they that did not parse.
bool wants_document(const std::vector<std::string>& words) {
  std::string wanted = environment_variable("KURA_OUTPUT").value_or("table");
  if (environment_variable("KURA_JSON").value_or("false") != "false") wanted = "json";
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--json") wanted = "json";
    if ((words[i] == "-o" || words[i] == "--output") && i + 1 < words.size()) wanted = words[i + 1];
  }
  const auto format = format_of(wanted);
  return format && format->kind != Kind::table && format->kind != Kind::wide;
}

int refuse(int exit_code, const char* code, const std::string& message, bool as_document) {
  Failure failure;
  failure.exit_code = exit_code;
  failure.code = code;
  failure.message = message;
  std::cerr << render(failure, Format{as_document ? Kind::json : Kind::table, {}});
  return exit_code;
}

int refuse_usage(const std::string& message, bool as_document) {
  return refuse(kExitUsage, "Usage", message, as_document);
}

// What went wrong, the nearest cause first: a flag that is none may leave something out that is
// required.
std::string explain(const CLI::ParseError& error, const CLI::App& app,
                    const std::vector<std::string>& words) {
  std::string why = unknown_argument(app, words);
  if (why.empty()) why = missing_command(app, words);
  return why.empty() ? told_of_value(error, app, words) : why;
}

int run(const std::vector<std::string>& words, char** argv, CommandEnd& end) {
  CLI::App app{"Kura: an S3 object store whose journal is the truth"};
  app.name("kura");
  app.set_version_flag("--version", std::string("kura ") + kVersion);
  app.require_subcommand(1);
  Flags flags;

  CLI::App* server = app.add_subcommand("server", "serve S3 on drive folders");
  add_settings(*server, flags);
  server->callback([&] {
    auto config = config_of(flags);
    end.exit_code = config ? run_server(*config, argv) : refuse(config.error());
  });
  app.add_subcommand("fail-points", "where ./dev crash can end a server")->group("")->callback([] {
    write_output(fail_point_list());
  });
  // Folders of a server may have any name; what goes into a document or a request may not.
  for (const std::string& word : words)
    if (words.front() != "server" && !s3::is_utf8(word))
      return refuse_usage("an argument is not UTF-8", wants_document(words));
  const std::vector<std::string> ordered = shared_flags_last(words);
  add_commands(app, ordered, end);
  std::string shell;
  CLI::App* completion =
      app.add_subcommand("completion", "a script for the shell: source <(kura completion bash)");
  completion->add_option("shell", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&] { write_output(completion_script(shell)); });
  if (!words.empty() && words.front() == "__complete") {  // What the script asks.
    for (const std::string& word : completions(app, {words.begin() + 1, words.end()}))
      write_output(word + "\n");
    return kExitOk;
  }
  const std::string unknown = unknown_command(app, ordered);
  if (!unknown.empty()) return refuse_usage(unknown, wants_document(words));
  try {
    // As CLI11 takes them.
    app.parse(std::vector<std::string>(ordered.rbegin(), ordered.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0)
      return refuse_usage(explain(error, app, ordered), wants_document(words));
    std::ostringstream text;  // --help, --version
    app.exit(error, text);
    write_output(text.str());
    return kExitOk;
  } catch (const std::exception& error) {  // Of a library: a command has no memory left, or a bug.
    return refuse(Error{Errc::io_error, std::string("failed: ") + error.what()});
  }
  return end.exit_code;
}

}  // namespace

int run_command_line(int argc, char** argv) {
  keep_standard_descriptors();
  const std::vector<std::string> words(argv + 1, argv + argc);
  CommandEnd end;
  const int code = run(words, argv, end);
  const Result<void> written = end_of_output();
  if (written) return code;
  const std::string lost = end.if_unread.empty() ? "" : "; " + end.if_unread;
  return refuse(code == kExitOk ? kExitGeneric : code, "OutputLost", written.error().detail + lost,
                wants_document(words));
}

}  // namespace kura::node
