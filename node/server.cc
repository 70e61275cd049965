#include "node/server.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "admin/admin_handler.h"
#include "admin/request_metrics.h"
#include "net/asio_loop.h"
#include "net/kernel.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "node/admin_backend.h"
#include "node/end_signals.h"
#include "node/environment.h"
#include "node/exit_code.h"
#include "node/fail_point_setting.h"
#include "node/node.h"
#include "node/process_log.h"
#include "node/view_folders.h"
#include "node/waiting_handler.h"

namespace kura::node {
namespace {

// All below Kubernetes' 30 s of grace. The second is for a drive that hangs in the end, what is
// then left for a log that is read slowly.
constexpr int64_t kDrainNs = 25'000'000'000, kStopNs = 28'500'000'000;
constexpr int64_t kFlushNs = 1'000'000'000;
constexpr int kScanNice = 10;
constexpr int64_t kTlsReloadNs = 5'000'000'000;
constexpr int64_t kWaitForDrivesNs = 2'000'000'000;

int refuse(ProcessLog& log, const Error& error) {
  log.say(error.detail.empty() ? "cannot start" : error.detail);
  log.flush(kFlushNs);
  return exit_code_of(error.code);
}

NodeOptions options_of(const Config& config) {
  NodeOptions options;
  options.root_access_key = config.root_access_key;
  options.root_secret_key = config.root_secret_key;
  options.s3.region = config.region;
  options.s3.region_strict = config.region_strict;
  options.s3.domains = config.domains;
  options.s3.test_transform = config.test_transform;
  options.parity_standard = config.parity_standard;
  options.parity_reduced = config.parity_reduced;
  options.journal_segment_bytes = config.journal_segment_bytes;
  options.member_bytes = config.member_bytes;
  options.connections_max = config.connections_max;
  options.requests_max = config.requests_max;
  options.request_memory_bytes = config.request_memory_bytes;
  return options;
}

// Set for the process that starts over, so that it waits where a first start would be refused.
constexpr char kStartedOver[] = "KURA_STARTED_OVER";
// And the drives that were added since the command line was written, one in a line.
constexpr char kAddedDrives[] = "KURA_ADDED_DRIVES";

std::vector<std::string> drive_paths(const Config& config) {
  std::vector<std::string> paths = config.drives;
  std::istringstream added(environment_variable(kAddedDrives).value_or(""));
  for (std::string path; std::getline(added, path);) paths.push_back(path);
  return paths;
}

[[noreturn]] void execute_again(char** argv, const char* why, const DriveFolders& folders,
                                ProcessLog& log) {
  log.flush(kFlushNs);
  ::setenv(kStartedOver, why, 1);
  std::string added;
  for (const std::string& path : folders.added()) added += path + "\n";
  if (!added.empty()) {
    const auto before = environment_variable(kAddedDrives);
    ::setenv(kAddedDrives, (before.value_or("") + added).c_str(), 1);
  }
  // The sockets, above all the one that listens: Asio opens them without O_CLOEXEC.
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    for (int fd = 3; fd < ::getdtablesize(); ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::execv("/proc/self/exe", argv);
  ::_exit(exit_code_of(Errc::unavailable));
}

// The view died with its drive, or the outcome of an append is not known. What is acknowledged is
// in the journal, so a fresh process rebuilds the view elsewhere and finds out what was appended;
// clients retry meanwhile.
[[noreturn]] void start_over(char** argv, const Error& error, const DriveFolders& folders,
                             ProcessLog& log) {
  if (error.code == Errc::unknown)
    log.say("no journal mirror is left (" + error.detail + "); starting over");
  else
    log.say("the metadata view failed (" + error.detail + "); starting over with another one");
  execute_again(argv, "lost", folders, log);
}

Task<void> reload_certificates(std::shared_ptr<TlsServerContext> tls, ProcessLog& log) {
  for (;;) {
    co_await sleep_for(kTlsReloadNs);
    auto changed = tls->reload();
    if (!changed)
      log.say("the certificate cannot be used: " + changed.error().detail);
    else if (*changed)
      log.say("new certificate in use");
  }
}

Task<Done> stop(Node& node) {
  co_await node.stop(kDrainNs);
  co_return Done{};
}

// The end of a process whose loops have run. Nothing is taken apart: what still runs there, and the
// threads of the drives, point into it. An end at any point is safe, as kill -9 is.
[[noreturn]] void end_process(ProcessLog& log, int code) {
  log.flush(kFlushNs);
  ::_exit(code);
}

}  // namespace

int run_server(const Config& config, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  const EndSignals signals;
  SystemClock clock;
  AsioLoop log_loop(clock);
  ProcessLog log(STDERR_FILENO, log_loop, config.io_threads);
  if (config.root_access_key.empty())
    return refuse(log,
                  Error{Errc::invalid_argument,
                        "set KURA_ROOT_ACCESS_KEY and KURA_ROOT_SECRET_KEY (or their _FILE twins); "
                        "there is no default"});
  auto address = parse_address(config.listen);
  if (!address)
    return refuse(log, Error{Errc::invalid_argument, "--listen: " + address.error().detail});
  std::shared_ptr<TlsServerContext> tls;
  if (!config.tls_cert.empty()) {
    auto loaded = TlsServerContext::load(config.tls_cert, config.tls_key);
    if (!loaded)
      return refuse(log, Error{Errc::invalid_argument,
                               "--tls-cert, --tls-key: " + std::move(loaded.error().detail)});
    tls = std::move(*loaded);
  }

  auto armed = arm_fail_point_of_environment();
  if (!armed) return refuse(log, armed.error());
  if (!armed->empty()) log.say("will kill itself at fail point " + *armed);

  KernelRandom random;
  AsioLoop journal_loop(clock), disk_loop(clock), scan_loop(clock);
  std::vector<std::unique_ptr<AsioLoop>> io_loops;
  for (uint32_t i = 0; i < config.io_threads; ++i)
    io_loops.push_back(std::make_unique<AsioLoop>(clock));
  std::vector<AsioLoop*> io;
  for (auto& loop : io_loops) io.push_back(loop.get());
  auto listener = tcp_listen(*address, io);
  if (!listener) {
    Error error = listener.error();
    if (error.code == Errc::exists)
      error.detail = config.listen + " is taken: stop what listens there, or give another --listen";
    return refuse(log, error);
  }
  const auto say = [&log](const std::string& line) { log.say(line); };
  auto folders = DriveFolders::open(drive_paths(config), say);
  if (!folders) return refuse(log, folders.error());

  NodePorts ports{.clock = clock, .random = random};
  ports.io.assign(io.begin(), io.end());
  ports.journal = &journal_loop;
  ports.disk = &disk_loop;
  ports.drives = (*folders)->drives();
  RocksKvOptions view_options;
  view_options.cache_bytes = config.cache_bytes;
  ViewFolders views((*folders)->paths(), view_options, config.row_cache_bytes);
  ports.views = &views;
  ports.mounted_anew = [all = folders->get()](std::shared_ptr<Drive> away) {
    return all->mounted_anew(std::move(away));
  };
  ports.log = say;
  ports.on_fatal = [argv, all = folders->get(), &log](Error error) {
    start_over(argv, error, *all, log);
  };

  admin::RequestMetrics metrics(config.io_threads);
  NodeOptions options = options_of(config);
  options.request_log = [&metrics, &log](size_t i, const s3::RequestLogEntry& entry) {
    metrics.count(i, entry);
    log.add(i, admin::log_text(entry));
  };

  log.write_at_crash();
  log_loop.start("log");
  scan_loop.start("scan");
  // Passes wait while those who serve need the processor. In Linux it is this thread's priority
  // alone.
  scan_loop.post([] { ::setpriority(PRIO_PROCESS, 0, kScanNice); });
  journal_loop.start("journal");
  disk_loop.start("disk");
  for (size_t i = 0; i < io.size(); ++i) io[i]->start("io" + std::to_string(i));
  const auto options_log = options.request_log;
  Node node(std::move(ports), std::move(options));
  const auto ran = signals.run(journal_loop, node.start(), INT64_MAX);
  if (!ran) end_process(log, 0);  // Asked to end before anything was served.
  const Result<void>& started = *ran;
  auto accept_with = [&](size_t i) {
    std::unique_ptr<Acceptor> acceptor = std::move(listener->acceptors[i]);
    return tls ? make_tls_acceptor(std::move(acceptor), tls) : std::move(acceptor);
  };
  const std::optional<std::string> again = environment_variable(kStartedOver);
  if (!started && again && started.error().code == Errc::unavailable) {
    if (*again != "waiting")
      log.say(started.error().detail + "; answering 503 until they are back");
    WaitingHandler waiting;
    std::vector<std::unique_ptr<s3::HttpServer>> servers;
    for (size_t i = 0; i < io.size(); ++i) {
      servers.push_back(std::make_unique<s3::HttpServer>(
          *io[i], waiting, random, s3::SessionOptions{}, size_t{1024},
          [&options_log, i](const s3::RequestLogEntry& entry) { options_log(i, entry); }));
      auto handed = std::make_shared<std::unique_ptr<Acceptor>>(accept_with(i));
      io[i]->post([server = servers[i].get(), handed] { server->start(std::move(*handed)); });
    }
    if (!signals.within(kWaitForDrivesNs)) execute_again(argv, "waiting", **folders, log);
    end_process(log, 0);
  }
  if (!started) end_process(log, refuse(log, started.error()));
  NodeBackend backend(node, config, **folders, journal_loop, scan_loop, metrics, log);
  admin::AdminHandler admin_handler(backend, node.authenticator());
  AdminSide side(admin_handler);
  node.set_side_handler(&side);
  for (size_t i = 0; i < io.size(); ++i) {
    auto handed = std::make_shared<std::unique_ptr<Acceptor>>(accept_with(i));
    io[i]->post([&node, i, handed] { node.serve(i, std::move(*handed)); });
  }
  if (tls) spawn(journal_loop, reload_certificates(tls, log));
  log.say("serving " + std::string(tls ? "https" : "http") + "://" +
          to_string(Address{address->host, listener->port}) + " on " +
          std::to_string((*folders)->drives().size()) + " drives");
  signals.wait();
  log.say("draining");
  if (signals.run(journal_loop, stop(node), kStopNs)) end_process(log, 0);
  log.say("ending at once");
  end_process(log, kExitGeneric);
}

}  // namespace kura::node
