#include "node/cli/commands.h"

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "base/counted.h"
#include "net/kernel.h"
#include "node/cli/admin_client.h"
#include "node/cli/arguments.h"
#include "node/cli/offline.h"
#include "node/cli/operations_json.h"
#include "node/cli/output.h"
#include "node/cli/output_forms.h"
#include "node/cli/progress.h"
#include "node/cli/standard_streams.h"
#include "node/server/admin_backend.h"
#include "node/server/environment.h"
#include "node/server/exit_code.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kWatchEveryMs = 2000;
const CLI::Range kTimeouts(1, 86'400);  // Seconds.

// State of all commands of one process.
struct Shared {
  AdminTarget target;
  std::vector<std::string> words;  // Of the command line, shared flags last.
  std::string format = "table";
  const OutputForms* forms = nullptr;  // Of the command that runs.
  std::string resource;                // What was asked of the node, for its failure.
  bool dry_run = false;
  bool quiet = false;
  std::string progress = "auto";
  AdminFailure failure;
};

// The value of a variable, or the first line of the file that its _FILE twin names.
Result<std::string> secret_of(const std::string& name) {
  if (auto value = environment_variable(name); value && !value->empty()) return *value;
  auto file = environment_variable(name + "_FILE");
  if (!file)
    return fail(Errc::access_denied,
                "set " + name + " (or " + name + "_FILE) as the server has it");
  std::ifstream in(*file);
  std::string text;
  if (!std::getline(in, text) || text.empty())
    return fail(Errc::access_denied, name + "_FILE: cannot read a secret from '" + *file + "'");
  return text;
}

// The name of a failure that no node has named.
std::string name_of(Errc code) {
  switch (command_exit_code_of(code)) {
    case kExitUsage:
      return "InvalidArgument";
    case kExitNotFound:
      return "NotFound";
    case kExitDenied:
      return "AccessDenied";
    case kExitConflict:
      return "Conflict";
    case kExitUnavailable:
      return code == Errc::timed_out ? "TimedOut" : "Unavailable";
    case kExitCorrupt:
      return "Corrupt";
    default:
      return "InternalError";
  }
}

// What CLI11 says of a value that is none.
std::string check_format(const std::string& text, const OutputForms& forms) {
  const auto format = format_of(text);
  if (format && has(forms, format->kind)) return "";
  if (text.starts_with("template="))
    return "'" + text + "' is no template: its fields are {{.name}}";
  return "'" + text + "' is none of " + list_of(forms) + ", the forms of this command";
}

std::string check_progress(const std::string& text) {
  return progress_form_of(text) ? "" : "'" + text + "' is none of auto, json, none";
}

// A variable for each flag of the command that is parsed: KURA_CA_CERT for --ca-cert. Only of that
// one: CLI11 reads the variables of all commands, whichever was given.
void take_environment(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty() || option->get_lnames().front() == "help") continue;
    std::string name = "KURA_";
    for (char c : option->get_lnames().front())
      name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    option->envname(name);
  }
}

int refuse(const Error& error, const Shared& shared) {
  Failure failure;
  failure.exit_code = command_exit_code_of(error.code);
  failure.code = shared.failure.code.empty() ? name_of(error.code) : shared.failure.code;
  failure.message = error.detail;
  failure.resource = shared.resource;
  failure.request_id = shared.failure.request_id;
  if (shared.resource.empty() && error.code == Errc::unavailable)
    failure.hint = "name the folders of the drives of one stopped node";
  std::cerr << render(failure, *format_of(shared.format));
  return failure.exit_code;
}

using Run = std::function<Result<Json>()>;
using ExitOf = int (*)(const Json& answer);

int exit_ok(const Json&) { return kExitOk; }

int print(const Result<Json>& answer, const Shared& shared, ExitOf exit_of) {
  if (!answer) return refuse(answer.error(), shared);
  write_output(render(*answer, *format_of(shared.format), *shared.forms));
  return exit_of(*answer);
}

Result<Json> ask(const std::shared_ptr<Shared>& shared, const std::string& method,
                 const std::string& path_and_query, const Json& body = nullptr) {
  AdminTarget& target = shared->target;
  for (auto [name, value] : {std::pair("KURA_ROOT_ACCESS_KEY", &target.access_key),
                             std::pair("KURA_ROOT_SECRET_KEY", &target.secret_key)}) {
    auto secret = secret_of(name);
    if (!secret) return fail(secret.error());
    *value = std::move(*secret);
  }
  shared->resource = path_and_query.substr(0, path_and_query.find('?'));
  const std::string query =
      shared->dry_run ? "?dry-run=1" : "";  // Of changes, which have no other.
  return admin_request(target, method, path_and_query + query, body, &shared->failure);
}

// Asks whoever sits at the terminal. A script meant it.
bool is_meant(const std::string& question) {
  if (::isatty(STDIN_FILENO) != 1) return true;
  std::cerr << question << " [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes";
}

struct Commands {
  CLI::App& app;
  CommandEnd& end;
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();

  // A command that asks no node.
  CLI::App* add_local(CLI::App* noun, const char* verb, const char* help, Run run,
                      ExitOf exit_of = exit_ok) {
    CLI::App* command = noun->add_subcommand(verb, help);
    const OutputForms* forms =
        &output_forms_of(noun == &app ? verb : noun->get_name() + " " + verb);
    command->add_option("-o,--output", shared->format, list_of(*forms) + " (table)")
        ->check([forms](const std::string& text) { return check_format(text, *forms); });
    command->add_flag_callback(
        "--json", [shared = shared] { shared->format = "json"; }, "as -o json: one document");
    command->preparse_callback([command](size_t) { take_environment(*command); });
    command->callback([end = &end, shared = shared, forms, run = std::move(run), exit_of] {
      shared->forms = forms;
      end->exit_code = print(run(), *shared, exit_of);
    });
    return command;
  }
  CLI::App* add(CLI::App* noun, const char* verb, const char* help, Run run,
                ExitOf exit_of = exit_ok) {
    CLI::App* command = add_local(noun, verb, help, std::move(run), exit_of);
    CLI::Option* endpoint =
        command->add_option("--endpoint", shared->target.endpoint, "of the running node");
    command->add_option("--region", shared->target.region,
                        "that requests are signed for (us-east-1)");
    CLI::Option* ca_cert =
        command->add_option("--ca-cert", shared->target.ca_path, "PEM file of a private authority");
    command->parse_complete_callback([shared = shared, endpoint, ca_cert] {
      shared->target.endpoint_source = source_of(*endpoint, shared->words);
      shared->target.ca_source = source_of(*ca_cert, shared->words);
    });
    command->add_flag("--insecure", shared->target.insecure, "take any certificate");
    command->add_option("--timeout", shared->target.timeout_s, "seconds for the answer (60)")
        ->check(kTimeouts);
    command->footer("Each of these flags has a variable: KURA_ENDPOINT for --endpoint.");
    return command;
  }
  // As add(), of a command that shows what changes by itself.
  CLI::App* add_watched(CLI::App* noun, const char* verb, const char* help, const Run& run,
                        ExitOf exit_of = exit_ok) {
    auto watch = std::make_shared<bool>(false);
    auto again = [run, watch, shared = shared, exit_of]() -> Result<Json> {
      while (*watch && std::cout) {
        print(run(), *shared, exit_of);
        ::poll(nullptr, 0, kWatchEveryMs);
      }
      return run();
    };
    CLI::App* command = add(noun, verb, help, again, exit_of);
    command->add_flag("-w,--watch", *watch, "again every 2 seconds");
    return command;
  }
  // As add(), of a command that changes something.
  CLI::App* add_change(CLI::App* noun, const char* verb, const char* help, Run run,
                       ExitOf exit_of = exit_ok) {
    CLI::App* command = add(noun, verb, help, std::move(run), exit_of);
    command->add_flag("--dry-run", shared->dry_run, "change nothing; say what would be changed");
    return command;
  }
  // As add_change(), of a change that nothing takes back.
  CLI::App* add_final(CLI::App* noun, const char* verb, const char* help,
                      std::function<std::string()> question, Run run) {
    auto sure = std::make_shared<bool>(false);
    auto asked = [shared = shared, sure, question = std::move(question),
                  run = std::move(run)]() -> Result<Json> {
      if (shared->dry_run || *sure || is_meant(question())) return run();
      shared->failure.code = "Cancelled";
      return fail(Errc::unsupported, "nothing was changed");
    };
    CLI::App* command = add_change(noun, verb, help, std::move(asked));
    command->add_flag("-y,--yes", *sure, "do not ask; only at a terminal it would");
    return command;
  }
  Run get(std::string path) {
    return [shared = shared, path] { return ask(shared, "GET", path); };
  }
};

// Of the drives of a stopped node, "state" tells which could not be read.
int exit_of_drives(const Json& answer) {
  int code = kExitOk;
  for (const Json& item : answer.at("items")) {
    if (!item.contains("state") || item.at("state") == "ok") continue;
    std::cerr << "kura: " << item.at("path").get<std::string>() << ": "
              << item.at("state").get<std::string>() << "\n";
    code = kExitPartial;
  }
  return code;
}

int exit_of_verify(const Json& report) {
  if (!report.at("whole").get<bool>()) return kExitCorrupt;
  return report.at("skipped").empty() && report.at("missingMirrors") == 0 ? kExitOk : kExitPartial;
}

int exit_of_scrub(const Json& answer) {
  if (answer.contains("dryRun")) return kExitOk;
  const auto lost = answer.at("lostStripes").get<uint64_t>();
  if (lost > 0)
    std::cerr << "kura: objects have bytes in " << counted(lost, "stripe")
              << " that cannot be read: bring back the drives that are missing, or delete those "
                 "objects\n";
  return lost == 0 && answer.at("error") == "" ? kExitOk : kExitCorrupt;
}

int exit_of_doctor(const Json& answer) {
  for (const Json& item : answer.at("items"))
    if (!item.at("ok").get<bool>()) return kExitGeneric;
  return kExitOk;
}

std::string escape(const std::string& text) { return s3::percent_encode(text, false); }

// What was found and mended since `before`: the node counts from its start on.
void count_from(const Json& before, Json& state) {
  for (const char* name : {"damagedShards", "repairedShards", "damagedJournal", "repairedJournal",
                           "repairedIdentities", "lostStripes"}) {
    const auto earlier = before.at(name).get<uint64_t>(), now = state.at(name).get<uint64_t>();
    state[name] = now >= earlier ? now - earlier : now;  // Less: the node has started anew.
  }
}

// Asks for a scrub and waits for its end. One that runs already is waited for first.
Result<Json> scrub_drives(const std::shared_ptr<Shared>& shared) {
  SystemClock clock;
  Progress progress("scrub", *progress_form_of(shared->quiet ? "none" : shared->progress), clock);
  if (shared->dry_run) return ask(shared, "POST", "scrub");
  Result<Json> before = ask(shared, "GET", "scrub");
  if (!before) return before;
  Result<Json> asked = ask(shared, "POST", "scrub");
  while (asked) {
    Result<Json> state = ask(shared, "GET", "scrub?wait=1");
    if (!state) return state;
    std::cerr << progress.report(state->at("readBytes"), state->at("plannedBytes"));
    if (state->at("busy").get<bool>()) continue;
    std::cerr << progress.finish();
    count_from(*before, *state);
    return state;
  }
  return asked;
}

// All pages of the buckets, as one answer.
Result<Json> list_buckets(const std::shared_ptr<Shared>& shared) {
  Result<Json> all = ask(shared, "GET", "buckets");
  while (all && all->contains("next")) {
    const std::string after = all->at("next").get<std::string>();
    Result<Json> page = ask(shared, "GET", "buckets?after=" + escape(after));
    if (!page) return page;
    all->erase("next");
    if (page->contains("next")) (*all)["next"] = page->at("next");
    for (Json& item : page->at("items")) all->at("items").push_back(std::move(item));
  }
  return all;
}

void add_drive_commands(Commands& c) {
  CLI::App* drive = c.app.add_subcommand("drive", "drives of the node")->require_subcommand(1);
  auto offline = std::make_shared<bool>(false);
  auto folders = std::make_shared<std::vector<std::string>>();
  CLI::App* ls = c.add_watched(
      drive, "ls", "list drives",
      [get = c.get("drives"), offline, folders] {
        return *offline ? offline_drives(*folders) : get();
      },
      exit_of_drives);
  CLI::Option* stopped =
      ls->add_flag("--offline", *offline, "read the drives of a stopped node, given as folders");
  CLI::Option* named = ls->add_option("folders", *folders, "with --offline: /mnt/d{1...6}");
  stopped->needs(named);
  named->needs(stopped);
  CLI::App* scrub = c.add_change(
      drive, "scrub", "read and verify everything on the drives, and mend it",
      [shared = c.shared] { return scrub_drives(shared); }, exit_of_scrub);
  scrub->add_option("--progress", c.shared->progress, "auto, json, none (auto), on standard error")
      ->check(check_progress);
  scrub->add_flag("-q,--quiet", c.shared->quiet, "as --progress none");
  auto path = std::make_shared<std::string>();
  CLI::App* add = c.add_change(drive, "add", "add an empty folder to the running node",
                               [shared = c.shared, path] {
                                 return ask(shared, "POST", "drives", {{"path", *path}});
                               });
  add->add_option("path", *path, "absolute path on the node's machine")->required();
  auto lost = std::make_shared<std::string>();
  CLI::App* rm = c.add_final(
      drive, "rm", "forget a drive that is offline, for good; what it held is rebuilt",
      [lost] { return "forget " + *lost + " for good?"; },
      [shared = c.shared, lost] {
        return ask(shared, "POST", "drives/remove", {{"drive", *lost}});
      });
  rm->add_option("drive", *lost, "its id or path, as drive ls shows it")->required();
}

void add_journal_commands(Commands& c) {
  CLI::App* journal = c.app.add_subcommand("journal", "the log")->require_subcommand(1);
  auto from = std::make_shared<std::optional<uint64_t>>();
  auto most = std::make_shared<uint32_t>(100);
  CLI::App* tail = c.add(journal, "tail", "the last records, or the first from an offset on",
                         [shared = c.shared, from, most] {
                           std::string path = "journal/tail?max=" + std::to_string(*most);
                           if (*from) path += "&from=" + std::to_string(**from);
                           return ask(shared, "GET", path);
                         });
  tail->add_option("--from", *from, "the first records at or behind this offset")
      ->check([](const std::string& text) -> std::string {
        return s3::parse_decimal(text) ? "" : "'" + text + "' is no offset";
      });
  tail->add_option("--max", *most, "records (100)")->check(CLI::Range(1, 1000));
  auto drives = std::make_shared<std::vector<std::string>>();
  CLI::App* verify = c.add_local(
      journal, "verify", "check every record of a stopped node's log, and its mirrors",
      [drives] { return verify_journal(*drives); }, exit_of_verify);
  verify->add_option("drives", *drives, "drive folders; ranges as /mnt/d{1...6}")->required();
}

std::string lost_secret_of(const std::string& access_key) {
  return "the secret of the new access key is lost: kura key disable " + access_key;
}

void add_key_commands(Commands& c) {
  CLI::App* key = c.app.add_subcommand("key", "access keys")->require_subcommand(1);
  c.add(key, "ls", "list access keys", c.get("keys"));
  struct Wanted {
    std::string access = "read-write", description;
    std::optional<std::string> bucket;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* create =
      c.add_change(key, "create", "make an access key; its secret is shown once",
                   [shared = c.shared, wanted, end = &c.end] {
                     Json fields{{"access", wanted->access}, {"description", wanted->description}};
                     if (wanted->bucket) fields["bucket"] = *wanted->bucket;
                     Result<Json> made = ask(shared, "POST", "keys", fields);
                     if (made && !shared->dry_run)
                       end->if_unread = lost_secret_of(made->at("accessKey").get<std::string>());
                     return made;
                   });
  create->add_option("--access", wanted->access, "what it may do (read-write)")
      ->check(CLI::IsMember({"read-write", "read-only"}));
  create->add_option("--bucket", wanted->bucket, "only this bucket");
  create->add_option("--description", wanted->description, "what it is for");
  auto disabled = std::make_shared<std::string>();
  CLI::App* disable = c.add_final(
      key, "disable", "refuse an access key from now on, for good",
      [disabled] { return "refuse " + *disabled + " for good?"; },
      [shared = c.shared, disabled] {
        return ask(shared, "POST", "keys/disable", {{"accessKey", *disabled}});
      });
  disable->add_option("access-key", *disabled, "the access key")->required();
}

}  // namespace

void add_commands(CLI::App& app, const std::vector<std::string>& words, CommandEnd& end) {
  auto c = std::make_shared<Commands>(Commands{app, end});
  c->shared->words = words;
  c->add_watched(&app, "status", "health, drives, journal, usage", c->get("status"));
  add_drive_commands(*c);
  add_journal_commands(*c);
  add_key_commands(*c);
  CLI::App* object = app.add_subcommand("object", "objects")->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  CLI::App* where = c->add(object, "where", "where the bytes of an object are",
                           [shared = c->shared, name]() -> Result<Json> {
                             const size_t slash = name->find('/');
                             if (slash == std::string::npos)
                               return fail(Errc::invalid_argument, "name it as bucket/key");
                             return ask(shared, "GET",
                                        "object/where?bucket=" + escape(name->substr(0, slash)) +
                                            "&key=" + escape(name->substr(slash + 1)));
                           });
  where->add_option("name", *name, "bucket/key")->required();
  CLI::App* bucket = app.add_subcommand("bucket", "buckets")->require_subcommand(1);
  c->add(bucket, "ls", "buckets with their exact counters",
         [shared = c->shared] { return list_buckets(shared); });
  CLI::App* view = app.add_subcommand("view", "the metadata view")->require_subcommand(1);
  c->add(view, "digest", "hash of every row", c->get("view/digest"));
  CLI::App* config = app.add_subcommand("config", "configuration")->require_subcommand(1);
  auto origin = std::make_shared<bool>(false);
  CLI::App* show = c->add(config, "show", "settings of the running node",
                          [shared = c->shared, get = c->get("config"), origin]() -> Result<Json> {
                            Result<Json> answer = get();
                            if (!answer || *origin || shared->format == "wide") return answer;
                            for (Json& item : answer->at("items"))
                              for (const char* field : {"origin", "source", "line"})
                                item.erase(field);
                            return answer;
                          });
  show->add_flag("--origin", *origin, "where each value came from");
  c->add_local(&app, "doctor", "check this machine", check_machine, exit_of_doctor);
  c->add_local(&app, "version", "print the version", [] {
    return Result<Json>(Json{{"apiVersion", "kura/v1"}, {"name", "kura"}, {"version", kVersion}});
  });
  c->add_local(&app, "operations", "the S3 operations that it answers, and how",
               [] { return Result<Json>(operations_json()); });
}

}  // namespace kura::node
