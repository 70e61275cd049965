// SimNetwork: byte connections between the hosts of a world (base/stream.h has the contract).
//
// Bytes travel in pieces of drawn size and delay, in order; buffers are bounded, so a writer waits
// for its reader. A connection may be cut at any piece: what is under way is lost, and each end
// learns of it later, by itself. A host that crashed does nothing more: its tasks are never
// resumed.

#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/stream.h"
#include "sim/sim_world.h"

namespace kura::sim {

// One incarnation of a machine; never used again after its crash.
using HostId = uint64_t;

struct NetworkOptions {
  int64_t latency_min_ns = 50 * kMicrosecond;
  int64_t latency_mean_ns =
      200 * kMicrosecond;                // On top; one piece in a thousand takes 20 times as long.
  uint64_t buffer_bytes = 64 * 1024;     // Sent and not yet read, per direction.
  uint64_t piece_bytes_max = 64 * 1024;  // Some pieces are a single byte all the same.
  uint32_t cut_per_million = 0;          // Of the pieces.
  uint32_t black_hole_per_million = 100'000;  // Connects to nobody that are not refused at once.
};

struct Connection;

class SimNetwork {
 public:
  SimNetwork(SimWorld& world, NetworkOptions options);
  ~SimNetwork();
  SimNetwork(const SimNetwork&) = delete;

  HostId new_host() { return next_host_++; }
  // Several may listen at one address, as loops of one node do; the seed picks who gets a
  // connection. The acceptor must not outlive the network.
  std::unique_ptr<Acceptor> listen(HostId host, std::string address);
  // Errors: closed (refused), timed_out (no answer).
  Task<Result<std::unique_ptr<Stream>>> connect(HostId host, std::string address);
  // Both ends of the connection within this process, for tests: no acceptor takes part.
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> pair(HostId a, HostId b);

  // Call it before the frames that wait for the network are destroyed. Peers learn of it later.
  void crash(HostId host);
  NetworkOptions& options() { return options_; }
  uint64_t cuts() const { return cuts_; }

 private:
  friend class SimStream;
  friend class SimAcceptor;
  struct Listener;

  std::shared_ptr<Listener> pick_listener(const std::string& address);
  std::shared_ptr<Connection> make_connection(HostId client, HostId server);
  int64_t delay();
  void send(const std::shared_ptr<Connection>& connection, int side, std::string bytes);
  void send_end(const std::shared_ptr<Connection>& connection, int side);
  void cut(const std::shared_ptr<Connection>& connection);
  void arrive_break(const std::shared_ptr<Connection>& connection, int side);
  bool dead(HostId host) const { return dead_hosts_.contains(host); }

  SimWorld& world_;
  NetworkOptions options_;
  SimRandom random_;
  SimRandom fault_random_;
  HostId next_host_ = 1;
  uint64_t next_connection_ = 1;
  uint64_t cuts_ = 0;
  std::set<HostId> dead_hosts_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::map<uint64_t, std::weak_ptr<Connection>> connections_;
};

}  // namespace kura::sim
