// Workload: the clients of a run, what they do, and what they saw.
//
// Several clients mix every operation on few hot keys, where they race, and many cold ones. Each
// write has a body of its own, so a read tells which write it saw. All answers go into the history,
// which the checker judges; what can be judged at once (bytes of a body, order of a listing, an
// error that nothing allows) is a violation at once.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/checker.h"
#include "sim/history.h"
#include "sim/sim_loop.h"
#include "sim/sim_node.h"
#include "sim/sim_stream.h"

namespace kura::sim {

struct WorkloadOptions {
  uint32_t clients = 6;
  uint32_t hot_keys = 3;
  uint32_t cold_keys = 40;
  uint64_t large_bytes = 600 * 1024;    // Of the largest plain PUT; most are far smaller.
  uint64_t part_bytes_min = 64 * 1024;  // What the node demands of all parts but the last.
  int64_t think_mean_ns = 5 * kMillisecond;
  uint32_t hot_percent = 50;        // Of the operations: on a hot key.
  uint32_t condition_percent = 25;  // Of the writes: conditional, where a condition can be drawn.
  uint32_t impatient_percent = 8;   // Of the attempts: given up early, and tried again at once.
  int64_t impatient_ns = kSecond;   // When, at most.
  uint32_t repeat_percent = 4;      // Of the acknowledged PUTs: sent once more, by a bad proxy.
  // How often each operation is chosen, relative to the others.
  struct Weights {
    uint32_t put = 34, get = 26, head = 6, remove = 12, remove_many = 2, list = 6, copy = 7,
             upload = 7, side_bucket = 9, race = 3;
  } weights;
  std::string access_key = "simulated";
  std::string secret = "simulated-secret-key";
};

// How often something worth reaching happened. A set of runs that never reaches one of them tests
// less than it claims.
using Probes = std::map<std::string, uint64_t>;

// What all clients of a run share.
struct Shared {
  SimWorld& world;
  SimNetwork& network;
  std::string address;
  WorkloadOptions options;
  SimRandom random;
  History history = {};
  Probes probes = {};
  std::optional<Violation> violation = {};                 // The first that was seen at once.
  std::map<std::string, std::set<std::string>> keys = {};  // By bucket: all that may exist.
  std::set<std::string> lasting = {};  // Buckets that exist from the first operation on.
  // By register and ETag: the values that have it. A copy has the ETag of its source.
  std::map<std::pair<std::string, std::string>, std::set<Value>> by_etag = {};
  std::map<Value, std::string> etags = {};
  std::string race_key;    // In "main": what everybody tries to create now.
  uint32_t race_left = 0;  // Clients that have not tried yet.
  bool stopping = false;
  bool at_rest = false;
  uint64_t answered = 0;

  void violate(std::string invariant, std::string name);
};

class SimClient;

class Workload {
 public:
  Workload(SimWorld& world, SimNetwork& network, std::string address, WorkloadOptions options);
  ~Workload();

  // Creates the buckets; the clients begin when they are there.
  void start();
  // No client begins another operation.
  void stop() { shared_.stopping = true; }
  bool ended() const { return ended_ == started_; }
  // Reads everything back; call it when ended() and no fault is active. Then read_back() turns
  // true.
  void start_read_back();
  bool read_back() const { return read_back_; }

  Shared& shared() { return shared_; }
  // What the last read-back found, by bucket.
  const std::map<std::string, CountedBucket>& found() const { return found_; }

 private:
  Task<void> begin();
  Task<void> run_client(SimClient* client);
  Task<void> read_all();

  Shared shared_;
  SimClock clock_;
  SimLoop loop_;
  std::vector<std::unique_ptr<SimClient>> clients_;
  uint32_t started_ = 1;
  uint32_t ended_ = 0;
  bool read_back_ = false;
  std::map<std::string, CountedBucket> found_;
};

}  // namespace kura::sim
