// The loops of a server, each of which gets a thread of its own.

#pragma once

#include <memory>
#include <vector>

#include "net/asio_loop.h"

namespace kura::node {

struct ServerLoops {
  ServerLoops(Clock& clock, uint32_t io_threads);

  void start();
  std::vector<AsioLoop*> io() const;

  AsioLoop log;      // Writes what the process says, and may wait for its reader.
  AsioLoop journal;  // Journal, committer, control, housekeeping.
  AsioLoop disk;     // The pool of drives.
  AsioLoop scan;     // Passes over many rows of the view.

 private:
  std::vector<std::unique_ptr<AsioLoop>> io_;  // Sessions and bucket actors.
};

}  // namespace kura::node
