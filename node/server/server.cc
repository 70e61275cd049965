#include "node/server/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "admin/admin_handler.h"
#include "admin/request_metrics.h"
#include "base/counted.h"
#include "net/kernel.h"
#include "node/node.h"
#include "node/server/admin_backend.h"
#include "node/server/certificate_watch.h"
#include "node/server/end_signals.h"
#include "node/server/exit_code.h"
#include "node/server/held_aborts.h"
#include "node/server/process_log.h"
#include "node/server/server_loops.h"
#include "node/server/server_setup.h"
#include "node/server/stand_in.h"
#include "node/server/start_over.h"
#include "node/server/waiting_handler.h"

namespace kura::node {
namespace {

// All below Kubernetes' 30 s of grace. The second is for a drive that hangs in the end, what is
// then left for a log that is read slowly.
constexpr int64_t kDrainNs = 25'000'000'000, kStopNs = 28'500'000'000;
constexpr int64_t kFlushNs = 1'000'000'000;
constexpr int64_t kWaitForDrivesNs = 2'000'000'000;
// To whom this process accepted: the last ones get time to send what they ask.
constexpr int64_t kLastAcceptedNs = 100'000'000, kAnswerAllNs = 2'000'000'000;

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

// Names of buckets and keys are in the view, whose files RocksDB creates for everybody to read. And
// what is opened next must not become a standard stream that was closed: log lines would go there.
void prepare_process() {
  ::umask(S_IRWXG | S_IRWXO);
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0; fd = ::dup(fd)) {
    if (fd <= STDERR_FILENO) continue;
    ::close(fd);
    break;
  }
}

Task<Done> stop(Node& node) {
  co_await node.stop(kDrainNs);
  co_return Done{};
}

Task<Done> answer_all(s3::HttpServer& server) {
  co_await server.drain(kAnswerAllNs);
  co_return Done{};
}

// What a server is made of, in the order of construction. Nothing of it is destroyed once its loops
// run, see end_process().
class Server {
 public:
  // `config` and `argv` outlive it. Before any thread starts.
  Server(const Config& config, char** argv)
      : config_(config),
        argv_(argv),
        loops_(clock_, config.io_threads),
        log_(STDERR_FILENO, loops_.log, config.io_threads),
        metrics_(config.io_threads) {}

  // Returns the exit code of a server that is refused before its loops run, else never.
  int run();

 private:
  int refuse(const Error& error);
  NodePorts ports();
  NodeOptions options();
  std::function<void(size_t, const s3::RequestLogEntry&)> request_log();
  [[noreturn]] void serve();
  void report_sealed_keys();
  [[noreturn]] void drain();
  [[noreturn]] void end_without_node(const Error& error);
  [[noreturn]] void wait_for_drives(const Error& error);
  [[noreturn]] void end_failed_node(const Error& error);
  [[noreturn]] void end_waiting_node();
  [[noreturn]] void execute_again(StartOver why, int listener);
  [[noreturn]] void end_process(int code);

  const Config& config_;
  char** const argv_;
  const EndSignals signals_;
  SystemClock clock_;
  KernelRandom random_;
  ServerLoops loops_;
  ProcessLog log_;
  admin::RequestMetrics metrics_;
  ServerSetup setup_;
  std::unique_ptr<Node> node_;
};

int Server::run() {
  // The process before it has said what it waits for; only what comes of it is new.
  if (started_over() == StartOver::waiting) log_.hold();
  auto setup = set_up_server(config_, loops_.io(), log_);
  if (!setup) return refuse(setup.error());
  setup_ = std::move(*setup);
  log_.write_at_crash();
  loops_.start();
  node_ = std::make_unique<Node>(ports(), options());
  const auto started = signals_.run(loops_.journal, node_->start(), INT64_MAX);
  if (!started) end_process(0);  // Asked to end before anything was served.
  if (!*started) end_without_node(started->error());
  log_.let_go(true);
  serve();
}

int Server::refuse(const Error& error) {
  log_.let_go(true);
  log_.say(error.detail.empty() ? "cannot start" : error.detail);
  log_.flush(kFlushNs);
  return exit_code_of(error.code);
}

NodePorts Server::ports() {
  NodePorts ports{.clock = clock_, .random = random_};
  for (AsioLoop* loop : loops_.io()) ports.io.push_back(loop);
  ports.journal = &loops_.journal;
  ports.disk = &loops_.disk;
  ports.drives = setup_.folders->drives();
  ports.views = setup_.views.get();
  ports.mounted_anew = [this](std::shared_ptr<Drive> away) {
    return DriveFolders::mounted_anew(std::move(away));
  };
  ports.claim = [this](const Drive& drive) { return setup_.folders->claim(drive.label()); };
  ports.release = [this](const Drive& drive) { setup_.folders->release(drive.label()); };
  ports.used = [this](ClusterId cluster, const std::string& label, DriveId drive) {
    setup_.folders->used(cluster, label, drive);
  };
  ports.log = [this](const std::string& line) { log_.say(line); };
  ports.on_fatal = [this](Error error) { end_failed_node(error); };
  ports.on_may_write = [this] { end_waiting_node(); };
  return ports;
}

NodeOptions Server::options() {
  NodeOptions options = options_of(config_);
  options.request_log = request_log();
  options.starts_over = started_over().has_value();
  options.before = drives_known_before();
  return options;
}

std::function<void(size_t, const s3::RequestLogEntry&)> Server::request_log() {
  return [this](size_t io, const s3::RequestLogEntry& entry) {
    metrics_.count(io, entry);
    log_.add(io, admin::log_text(entry));
  };
}

void Server::serve() {
  NodeBackend backend(*node_, config_, *setup_.folders, loops_.journal, loops_.scan, metrics_,
                      log_);
  if (setup_.tls) backend.set_certificate(setup_.tls);
  admin::AdminHandler admin_handler(backend, node_->authenticator());
  AdminSide side(admin_handler);
  node_->set_side_handler(&side);
  report_sealed_keys();
  const std::vector<AsioLoop*> io = loops_.io();
  for (size_t i = 0; i < io.size(); ++i) {
    auto handed = std::make_shared<std::unique_ptr<Acceptor>>(setup_.take_acceptor(i));
    io[i]->post([this, i, handed] { node_->serve(i, std::move(*handed)); });
  }
  if (setup_.tls)
    spawn(loops_.journal, watch_certificate(setup_.tls, clock_,
                                            [this](const std::string& line) { log_.say(line); }));
  log_.say("serving " + std::string(setup_.tls ? "https" : "http") + "://" +
           to_string(Address{setup_.address.host, setup_.listener.port}) + " on " +
           counted(setup_.folders->drives().size(), "folder"));
  signals_.wait();
  drain();
}

// Secrets of access keys are sealed with the root secret.
void Server::report_sealed_keys() {
  const auto state = node_->tenants().state();
  const auto sealed = std::count_if(
      state->keys.begin(), state->keys.end(),
      [this](const auto& key) { return !key.second.disabled && !node_->keys().find(key.first); });
  if (sealed > 0)
    log_.say(counted(static_cast<uint64_t>(sealed), "access key") +
             " made under another root secret " + is_or_are(static_cast<uint64_t>(sealed)) +
             " refused: start with that secret, or make new ones");
}

void Server::drain() {
  log_.say("draining");
  if (signals_.run(loops_.journal, stop(*node_), kStopNs)) end_process(0);
  log_.say("ending at once");
  end_process(kExitGeneric);
}

void Server::end_without_node(const Error& error) {
  const std::optional<StartOver> again = started_over();
  const bool full = error.code == Errc::no_space;
  if (!again || (error.code != Errc::unavailable && !full)) end_process(refuse(error));
  log_.let_go(false);
  if (*again != StartOver::waiting)
    log_.say(error.detail + "; answering 503 until " + (full ? "there is room" : "they are back"));
  wait_for_drives(error);
}

void Server::wait_for_drives(const Error& error) {
  const RootKey root(config_.root_access_key, config_.root_secret_key);
  s3::Authenticator authenticator(root, clock_,
                                  s3::AuthSettings{config_.region, config_.region_strict});
  WaitingHandler waiting(error.detail, authenticator);
  const auto log = request_log();
  const std::vector<AsioLoop*> io = loops_.io();
  std::vector<std::unique_ptr<s3::HttpServer>> servers;
  for (size_t i = 0; i < io.size(); ++i) {
    servers.push_back(std::make_unique<s3::HttpServer>(
        *io[i], waiting, random_, s3::SessionOptions{}, size_t{1024},
        [&log, i](const s3::RequestLogEntry& entry) { log(i, entry); }));
    auto handed = std::make_shared<std::unique_ptr<Acceptor>>(setup_.take_acceptor(i));
    io[i]->post([server = servers[i].get(), handed] { server->start(std::move(*handed)); });
  }
  if (signals_.within(kWaitForDrivesNs)) end_process(0);
  setup_.listener.pause();
  if (signals_.within(kLastAcceptedNs)) end_process(0);
  const int kept = ::dup(setup_.listener.socket);  // Draining closes the other one.
  for (size_t i = 0; i < io.size(); ++i)
    (void)signals_.run(*io[i], answer_all(*servers[i]), kAnswerAllNs);
  if (asked_to_end()) end_process(0);
  execute_again(StartOver::waiting, kept);
}

// From any thread. The view died with its drive, or the outcome of an append is not known. What is
// acknowledged is in the journal, so a fresh process rebuilds the view elsewhere and finds out what
// was appended.
void Server::end_failed_node(const Error& error) {
  hold_aborts();
  log_.let_go(true);
  if (error.code == Errc::unknown)
    log_.say("no journal mirror is left (" + error.detail + "); starting over");
  else
    log_.say("the metadata view failed (" + error.detail + "); starting over with another one");
  execute_again(StartOver::lost, setup_.listener.socket);
}

// From any thread.
void Server::end_waiting_node() {
  hold_aborts();
  log_.say("drives are back; starting over to take writes");
  execute_again(StartOver::lost, setup_.listener.socket);
}

void Server::execute_again(StartOver why, int listener) {
  setup_.listener.pause();
  log_.flush(kFlushNs);
  keep_settings(config_);
  start_over(argv_, why, {setup_.folders->added(), setup_.folders->known()},
             {listener, config_.listen});
}

// The end of a process whose loops have run. Nothing is taken apart: what still runs there, and the
// threads of the drives, point into it. An end at any point is safe, as kill -9 is.
void Server::end_process(int code) {
  log_.flush(kFlushNs);
  release_drives_and_sockets();
  ::_exit(code);
}

}  // namespace

int run_server(const Config& config, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  prepare_process();
  Server server(config, argv);
  return server.run();
}

}  // namespace kura::node
