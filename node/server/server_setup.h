// What a server holds before any of its threads starts: whatever is wrong with settings, address,
// certificate or drives is refused here.

#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "net/tcp.h"
#include "net/tls.h"
#include "node/server/config.h"
#include "node/server/drive_folders.h"
#include "node/server/process_log.h"
#include "node/server/view_folders.h"

namespace kura::node {

struct ServerSetup {
  Address address;
  std::shared_ptr<TlsServerContext> tls;  // Null: plain HTTP.
  TcpListener listener;
  std::unique_ptr<DriveFolders> folders;
  std::unique_ptr<ViewFolders> views;

  // Of io loop `i`. Once.
  std::unique_ptr<Acceptor> take_acceptor(size_t i);
};

// Listens on the loops `io`, which outlive the result. `log` does too. Errors: one line that says
// what to do.
Result<ServerSetup> set_up_server(const Config& config, const std::vector<AsioLoop*>& io,
                                  ProcessLog& log);

}  // namespace kura::node
