#include "node/commands.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "node/admin_client.h"
#include "node/environment.h"
#include "node/exit_code.h"
#include "node/offline.h"
#include "node/table.h"
#include "s3/codec/uri.h"

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

// State of all commands of one process.
struct Shared {
  AdminTarget target;
  bool json = false;
};

// The value of a variable, or the first line of the file that its _FILE twin names.
std::string secret_of(const std::string& name) {
  if (auto value = environment_variable(name)) return *value;
  auto file = environment_variable(name + "_FILE");
  if (!file) return {};
  std::ifstream in(*file);
  std::string text;
  std::getline(in, text);
  return text;
}

int refuse(const Error& error, bool json) {
  if (json)
    std::cerr << Json{{"code", exit_code_of(error.code)}, {"message", error.detail}}.dump() << "\n";
  else
    std::cerr << "kura: " << error.detail << "\n";
  return exit_code_of(error.code);
}

int print(const Result<Json>& answer, bool json) {
  if (!answer) return refuse(answer.error(), json);
  if (json)
    std::cout << answer->dump() << "\n";
  else
    std::cout << table_of(*answer);
  return kExitOk;
}

using Run = std::function<Result<Json>()>;

struct Commands {
  CLI::App& app;
  int& code;
  std::shared_ptr<Shared> shared = std::make_shared<Shared>();

  void options(CLI::App* command) {
    command->add_option("--endpoint", shared->target.endpoint, "of the running node")
        ->envname("KURA_ENDPOINT");
    command->add_option("--ca-cert", shared->target.ca_path, "PEM file of a private authority");
    command->add_flag("--insecure", shared->target.insecure, "take any certificate");
    command->add_flag("--json", shared->json, "one JSON document");
  }
  CLI::App* add(CLI::App* noun, const char* verb, const char* help, Run run) {
    CLI::App* command = noun->add_subcommand(verb, help);
    options(command);
    command->callback([this_code = &code, shared = shared, run = std::move(run)] {
      shared->target.access_key = secret_of("KURA_ROOT_ACCESS_KEY");
      shared->target.secret_key = secret_of("KURA_ROOT_SECRET_KEY");
      *this_code = print(run(), shared->json);
    });
    return command;
  }
  Run get(std::string path) {
    return [shared = shared, path] { return admin_request(shared->target, "GET", path, nullptr); };
  }
};

std::string escape(const std::string& text) { return s3::percent_encode(text, false); }

void add_drive_commands(Commands& c) {
  CLI::App* drive = c.app.add_subcommand("drive", "drives of the node")->require_subcommand(1);
  auto offline = std::make_shared<std::vector<std::string>>();
  CLI::App* ls = c.add(drive, "ls", "list drives", [get = c.get("drives"), offline] {
    return offline->empty() ? get() : offline_drives(*offline);
  });
  ls->add_option("--offline", *offline, "read these folders of a stopped node instead");
  auto path = std::make_shared<std::string>();
  CLI::App* add =
      c.add(drive, "add", "add an empty folder to the running node", [shared = c.shared, path] {
        return admin_request(shared->target, "POST", "drives", {{"path", *path}});
      });
  add->add_option("path", *path, "absolute path on the node's machine")->required();
}

void add_journal_commands(Commands& c) {
  CLI::App* journal = c.app.add_subcommand("journal", "the log")->require_subcommand(1);
  auto from = std::make_shared<uint64_t>(0);
  auto most = std::make_shared<uint32_t>(20);
  CLI::App* tail = c.add(
      journal, "tail", "the last records, or those behind --from", [shared = c.shared, from, most] {
        return admin_request(
            shared->target, "GET",
            "journal/tail?from=" + std::to_string(*from) + "&max=" + std::to_string(*most),
            nullptr);
      });
  tail->add_option("--from", *from, "offset");
  tail->add_option("--max", *most, "records");
  auto drives = std::make_shared<std::vector<std::string>>();
  CLI::App* verify = journal->add_subcommand("verify", "read every byte of a stopped node's log");
  verify->add_option("drives", *drives, "drive folders; ranges as /mnt/d{1...6}")->required();
  verify->add_flag("--json", c.shared->json, "one JSON document");
  verify->callback([code = &c.code, shared = c.shared, drives] {
    auto report = verify_journal(*drives);
    *code = print(report, shared->json);
    if (report && !report->at("whole").get<bool>()) *code = kExitCorrupt;
  });
}

void add_key_commands(Commands& c) {
  CLI::App* key = c.app.add_subcommand("key", "access keys")->require_subcommand(1);
  c.add(key, "ls", "list access keys", c.get("keys"));
  struct Wanted {
    std::string access = "read-write", bucket, description;
  };
  auto wanted = std::make_shared<Wanted>();
  CLI::App* create = c.add(key, "create", "make an access key; its secret is shown once",
                           [shared = c.shared, wanted] {
                             return admin_request(shared->target, "POST", "keys",
                                                  {{"access", wanted->access},
                                                   {"bucket", wanted->bucket},
                                                   {"description", wanted->description}});
                           });
  create->add_option("--access", wanted->access, "read-write or read-only");
  create->add_option("--bucket", wanted->bucket, "only this bucket");
  create->add_option("--description", wanted->description, "what it is for");
  auto disabled = std::make_shared<std::string>();
  CLI::App* disable =
      c.add(key, "disable", "refuse an access key from now on", [shared = c.shared, disabled] {
        return admin_request(shared->target, "POST", "keys/disable", {{"accessKey", *disabled}});
      });
  disable->add_option("access-key", *disabled, "the access key")->required();
}

}  // namespace

void add_commands(CLI::App& app, int& code) {
  auto c = std::make_shared<Commands>(Commands{app, code});
  c->add(&app, "status", "health, drives, journal, usage", c->get("status"));
  add_drive_commands(*c);
  add_journal_commands(*c);
  add_key_commands(*c);
  CLI::App* object = app.add_subcommand("object", "objects")->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  CLI::App* where =
      c->add(object, "where", "where the bytes of an object are",
             [shared = c->shared, name]() -> Result<Json> {
               const size_t slash = name->find('/');
               if (slash == std::string::npos)
                 return fail(Errc::invalid_argument, "name it as bucket/key");
               return admin_request(shared->target, "GET",
                                    "object/where?bucket=" + escape(name->substr(0, slash)) +
                                        "&key=" + escape(name->substr(slash + 1)),
                                    nullptr);
             });
  where->add_option("name", *name, "bucket/key")->required();
  CLI::App* bucket = app.add_subcommand("bucket", "buckets")->require_subcommand(1);
  c->add(bucket, "ls", "buckets with their exact counters", c->get("buckets"));
  CLI::App* view = app.add_subcommand("view", "the metadata view")->require_subcommand(1);
  c->add(view, "digest", "hash of every row", c->get("view/digest"));
  CLI::App* config = app.add_subcommand("config", "configuration")->require_subcommand(1);
  auto origin = std::make_shared<bool>(false);
  CLI::App* show = c->add(config, "show", "settings of the running node", c->get("config"));
  show->add_flag("--origin", *origin, "where each value came from (always shown)");
  app.add_subcommand("doctor", "check this machine")->callback([c] { c->code = run_doctor(); });
}

}  // namespace kura::node
