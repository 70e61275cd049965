#include "node/cli/offline.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>

#include "actors/disk/drive_identity.h"
#include "actors/disk/local_drive.h"
#include "journal/embedded/embedded_journal.h"
#include "net/asio_loop.h"
#include "net/block_on.h"
#include "net/kernel.h"
#include "node/server/drive_folders.h"
#include "node/server/ellipsis.h"

namespace kura::node {
namespace {

using Json = nlohmann::ordered_json;

Result<std::vector<std::string>> expand(const std::vector<std::string>& patterns) {
  std::vector<std::string> all;
  for (const std::string& pattern : patterns) {
    auto more = expand_ellipsis(pattern);
    if (!more) return fail(more.error());
    for (std::string& path : *more) {
      if (std::find(all.begin(), all.end(), path) != all.end())
        return fail(Errc::invalid_argument, "drive '" + path + "' is named twice");
      all.push_back(std::move(path));
    }
  }
  return all;
}

// A loop for one command.
struct OneLoop {
  OneLoop() : loop(clock) { loop.start("offline"); }
  ~OneLoop() { loop.stop(); }
  SystemClock clock;
  AsioLoop loop;
};

}  // namespace

Result<Json> offline_drives(const std::vector<std::string>& patterns) {
  auto paths = expand(patterns);
  if (!paths) return fail(paths.error());
  OneLoop one;
  Json items = Json::array();
  for (const std::string& path : *paths) {
    Json item{{"path", path}};
    auto drive = open_local_drive(path, LocalDriveOptions{.direct = false});
    if (!drive) {
      item["state"] = drive.error().detail;
      items.push_back(item);
      continue;
    }
    auto identity = block_on(one.loop, disk::read_identity(**drive));
    if (!identity) {
      item["state"] = identity.error().detail;
    } else if (!*identity) {
      item["state"] = "no drive of Kura";
    } else {
      item["state"] = "ok";
      item["cluster"] = to_hex((*identity)->cluster);
      item["id"] = to_hex((*identity)->drive);
    }
    auto space = (*drive)->space();
    if (space) {
      item["totalBytes"] = space->total_bytes;
      item["freeBytes"] = space->free_bytes;
    }
    items.push_back(item);
  }
  if (std::none_of(items.begin(), items.end(),
                   [](const Json& item) { return item["state"] == "ok"; }))
    return fail(Errc::not_found, items.front()["path"].get<std::string>() + ": " +
                                     items.front()["state"].get<std::string>());
  return Json{{"apiVersion", "kura/v1"}, {"items", items}};
}

Result<Json> verify_journal(const std::vector<std::string>& patterns) {
  auto paths = expand(patterns);
  if (!paths) return fail(paths.error());
  OneLoop one;
  std::vector<journal::JournalDrive> drives;
  std::vector<DriveLock> locks;  // What is being written would look damaged.
  Json skipped = Json::array();
  auto skip = [&](const std::string& path, const std::string& why) {
    skipped.push_back(path + ": " + why);
  };
  for (const std::string& path : *paths) {
    auto opened = open_local_drive(path, LocalDriveOptions{.direct = false});
    if (!opened) {
      skip(path, opened.error().detail);
      continue;
    }
    auto lock = DriveLock::take(path);
    if (!lock) return fail(lock.error());
    locks.push_back(std::move(*lock));
    std::shared_ptr<Drive> drive = std::move(*opened);
    auto identity = block_on(one.loop, disk::read_identity(*drive));
    if (identity && *identity)
      drives.push_back({(*identity)->drive, drive});
    else
      skip(path, identity ? "no drive of Kura" : identity.error().detail);
  }
  if (drives.empty())
    return fail(Errc::not_found,
                "none of these folders is a drive of Kura; " + skipped.front().get<std::string>());
  auto report = block_on(one.loop, journal::EmbeddedJournal::verify(drives));
  if (!report) return fail(report.error());
  Json mirrors = Json::array(), problems = Json::array(), unfinished = Json::array();
  for (const DriveId& member : report->set.members) mirrors.push_back(to_hex(member));
  for (const std::string& problem : report->problems) problems.push_back(problem);
  for (const std::string& begun : report->unfinished) unfinished.push_back(begun);
  return Json{{"apiVersion", "kura/v1"},
              {"whole", report->problems.empty()},
              {"generation", report->set.generation},
              {"records", report->log.records},
              {"mirrors", mirrors},
              {"missingMirrors", report->missing},
              {"problems", problems},
              {"unfinished", unfinished},
              {"skipped", skipped}};
}

Result<Json> check_machine() {
  Json items = Json::array();
  auto judge = [&](const char* name, bool ok, bool good, const std::string& advice) {
    items.push_back({{"check", name},
                     {"ok", ok},
                     {"result", !ok    ? "fail"
                                : good ? "pass"
                                       : "warn"},
                     {"advice", ok && good ? "" : advice}});
  };
  auto check = [&](const char* name, bool ok, const std::string& advice) {
    judge(name, ok, ok, advice);
  };
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  judge("open files", files.rlim_cur >= 4096, files.rlim_cur >= 65536,
        "at most " + std::to_string(files.rlim_cur) + ": raise it with ulimit -n 65536");
  __builtin_cpu_init();
  check("SSE 4.2", __builtin_cpu_supports("sse4.2"), "checksums are slow on this processor");
  judge("AVX2", true, __builtin_cpu_supports("avx2"), "erasure coding is slow on this processor");
  SystemClock clock;
  check("clock", clock.wall_ms() > 1'700'000'000'000, "set it: signatures are refused");
  return Json{{"apiVersion", "kura/v1"}, {"items", items}};
}

}  // namespace kura::node
