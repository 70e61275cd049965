#include "node/server/server_setup.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "node/server/fail_point_setting.h"
#include "node/server/start_over.h"

namespace kura::node {
namespace {

constexpr int64_t kFlushNs = 1'000'000'000;

Result<void> check_settings(const Config& config, ProcessLog& log, ServerSetup& setup) {
  if (config.root_access_key.empty())
    return kura::fail(Errc::invalid_argument,
                      "set KURA_ROOT_ACCESS_KEY and KURA_ROOT_SECRET_KEY (or their _FILE twins); "
                      "there is no default");
  auto address = parse_address(config.listen);
  if (!address)
    return kura::fail(Errc::invalid_argument,
                      place_of(config, "listen") + ": " + address.error().detail);
  setup.address = std::move(*address);
  if (config.tls_cert.empty()) return {};
  auto loaded = TlsServerContext::load(config.tls_cert, config.tls_key);
  // They are being replaced. The process before this one had the old ones; who connects waits.
  for (bool told = false; !loaded && started_over(); told = true) {
    if (!told) {
      log.say("waiting for --tls-cert, --tls-key: " + loaded.error().detail);
      log.flush(kFlushNs);
    }
    if (asked_to_end_within_a_second()) ::_exit(0);
    loaded = TlsServerContext::load(config.tls_cert, config.tls_key);
  }
  if (!loaded)
    return kura::fail(Errc::invalid_argument, place_of(config, "tls-cert") + ", " +
                                                  place_of(config, "tls-key") + ": " +
                                                  loaded.error().detail);
  setup.tls = std::move(*loaded);
  return {};
}

Result<void> arm_fail_point(ProcessLog& log) {
  auto armed = arm_fail_point_of_environment();
  if (!armed) return kura::fail(armed.error());
  if (!armed->empty()) log.say("will kill itself at fail point " + *armed);
  return {};
}

Result<void> listen(const Config& config, const std::vector<AsioLoop*>& io, ServerSetup& setup) {
  auto listener = tcp_listen(setup.address, io, listener_of_before(config.listen));
  if (!listener) {
    Error error = listener.error();
    if (error.code == Errc::exists)
      error.detail = place_of(config, "listen") + ": " + config.listen +
                     " is taken: stop what listens there, or give another --listen";
    return kura::fail(std::move(error));
  }
  setup.listener = std::move(*listener);
  return {};
}

Result<void> open_drives(const Config& config, ProcessLog& log, ServerSetup& setup) {
  std::vector<std::string> paths = config.drives;
  // One that took a lost drive's place is named already.
  for (std::string& path : drives_added_before())
    if (std::none_of(paths.begin(), paths.end(),
                     [&path](const std::string& named) { return absolute_folder(named) == path; }))
      paths.push_back(std::move(path));
  const KnownDrives before = drives_known_before();
  auto folders = DriveFolders::open(paths, started_over() ? &before : nullptr);
  if (!folders) return kura::fail(folders.error());
  setup.folders = std::move(*folders);
  RocksKvOptions options;
  options.cache_bytes = config.cache_bytes;
  options.log = [&log](const std::string& line) { log.say(line); };
  setup.views =
      std::make_unique<ViewFolders>(setup.folders->paths(), options, config.row_cache_bytes);
  return {};
}

// For a client that speaks HTTP on a port with TLS.
std::string answer_without_tls() {
  const std::string body =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidRequest</Code>"
      "<Message>This port speaks HTTPS only</Message></Error>";
  return "HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

}  // namespace

std::unique_ptr<Acceptor> ServerSetup::take_acceptor(size_t i) {
  std::unique_ptr<Acceptor> acceptor = std::move(listener.acceptors[i]);
  if (!tls) return acceptor;
  return make_tls_acceptor(std::move(acceptor), tls, answer_without_tls());
}

Result<ServerSetup> set_up_server(const Config& config, const std::vector<AsioLoop*>& io,
                                  ProcessLog& log) {
  ServerSetup setup;
  Result<void> done = check_settings(config, log, setup);
  if (done) done = arm_fail_point(log);
  if (done) done = listen(config, io, setup);
  if (done) done = open_drives(config, log, setup);
  if (!done) return kura::fail(done.error());
  return setup;
}

}  // namespace kura::node
