#include "node/server/start_over.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <sstream>

#include "net/tcp.h"
#include "node/server/end_signals.h"
#include "node/server/environment.h"
#include "node/server/exit_code.h"
#include "node/server/stand_in.h"
#include "s3/codec/encoding.h"

namespace kura::node {
namespace {

// Set for the process that starts over.
constexpr char kStartedOver[] = "KURA_STARTED_OVER";
constexpr char kLost[] = "lost", kWaiting[] = "waiting";
// The descriptor and the address of the socket that listens, which it goes on with: "7@[::]:9000".
constexpr char kListener[] = "KURA_LISTENER";
// Where those settings came from that it finds in its environment, each in a line: name, origin,
// line, source.
constexpr char kKeptSettings[] = "KURA_KEPT_SETTINGS";
// And the drives that were added since the command line was written, one in a line.
constexpr char kAddedDrives[] = "KURA_ADDED_DRIVES";
// The id of the cluster, then its drives and where they were, one in a line.
constexpr char kKnownDrives[] = "KURA_KNOWN_DRIVES";

// How often one that waits looks whether a drive still hangs: a child for each would be too many,
// but drives that are back must not wait for one that never is.
constexpr int kLooks = 20;

}  // namespace

bool asked_to_end_within_a_second() {
  const sigset_t signals = end_signals();
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  return ::sigtimedwait(&signals, nullptr, &second) > 0;
}

void keep_settings(const Config& config) {
  std::ostringstream kept;
  for (const Setting& setting : config.settings) {
    const std::string variable = variable_of(setting.name);
    const std::string file_variable = variable + "_FILE";
    if (setting.origin != Origin::file && setting.source != file_variable) continue;
    ::setenv(variable.c_str(), setting.value.c_str(), 1);
    ::unsetenv(file_variable.c_str());
    kept << setting.name << ' ' << static_cast<int>(setting.origin) << ' ' << setting.line << ' '
         << setting.source << '\n';
  }
  ::setenv(kKeptSettings, kept.str().c_str(), 1);
}

void name_origins(Config& config) {
  std::istringstream lines(environment_variable(kKeptSettings).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string name;
    Setting from;
    int origin = 0;
    if (!(in >> name >> origin >> from.line).ignore(1) || !std::getline(in, from.source)) continue;
    for (Setting& setting : config.settings) {
      if (setting.name != name || setting.origin != Origin::environment) continue;
      setting.origin =
          origin == static_cast<int>(Origin::file) ? Origin::file : Origin::environment;
      setting.source = from.source;
      setting.line = from.line;
    }
  }
}

std::optional<StartOver> started_over() {
  const auto why = environment_variable(kStartedOver);
  if (!why) return std::nullopt;
  return *why == kWaiting ? StartOver::waiting : StartOver::lost;
}

std::vector<std::string> drives_added_before() {
  std::vector<std::string> paths;
  std::istringstream added(environment_variable(kAddedDrives).value_or(""));
  for (std::string path; std::getline(added, path);) paths.push_back(path);
  return paths;
}

KnownDrives drives_known_before() {
  KnownDrives known;
  std::istringstream lines(environment_variable(kKnownDrives).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in(line);
    std::string hex, path;
    in >> hex;
    const auto id = s3::hex_decode(hex);
    if (!id || id->size() != ClusterId{}.bytes.size()) continue;
    if (in.ignore(1) && std::getline(in, path))
      known.put(path, uuid_from<DriveId>(*id));
    else
      known.cluster = uuid_from<ClusterId>(*id);
  }
  return known;
}

int listener_of_before(const std::string& address) {
  const auto socket_at = environment_variable(kListener);
  if (!started_over() || !socket_at) return -1;
  int socket = -1;
  const auto [end, error] =
      std::from_chars(socket_at->data(), socket_at->data() + socket_at->size(), socket);
  if (error != std::errc() || !is_listening(socket)) return -1;
  if (std::string(end) == "@" + address) return socket;
  ::close(socket);
  return -1;
}

void start_over(char** argv, StartOver why, const DrivesHandedOn& drives,
                const HandedOn& handed_on) {
  const int listener = is_listening(handed_on.socket) ? handed_on.socket : -1;
  ::setenv(kListener, (std::to_string(listener) + "@" + handed_on.address).c_str(), 1);
  ::setenv(kStartedOver, why == StartOver::waiting ? kWaiting : kLost, 1);
  std::string lines;
  for (const std::string& path : drives.added) lines += path + "\n";
  if (!lines.empty()) {
    const auto before = environment_variable(kAddedDrives);
    ::setenv(kAddedDrives, (before.value_or("") + lines).c_str(), 1);
  }
  std::string known = to_hex(drives.known.cluster) + "\n";
  for (const auto& [path, id] : drives.known.places) known += to_hex(id) + " " + path + "\n";
  ::setenv(kKnownDrives, known.c_str(), 1);
  // A process that waits for drives has time; one that serves goes on.
  for (int looks = 0; why == StartOver::waiting && looks < kLooks && hangs_in_kernel(); ++looks)
    if (asked_to_end_within_a_second()) ::_exit(0);
  if (hangs_in_kernel()) go_on_in_child(argv, listener);
  close_at_exec(listener);
  ::execv("/proc/self/exe", argv);
  ::_exit(exit_code_of(Errc::unavailable));
}

}  // namespace kura::node
