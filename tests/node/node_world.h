// A node on simulated loops and drives, without sessions: asked through its Store. The places of
// its view are the test's choice.

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/node.h"
#include "sim/sim_drive.h"
#include "sim/sim_loop.h"
#include "sim/sim_random.h"
#include "tests/sim/sim_fixture.h"

namespace kura::node {

class NodeWorld {
 public:
  explicit NodeWorld(size_t drives, sim::DiskOptions disk = {});
  ~NodeWorld() { crash(); }

  // One process. `views` outlives it.
  Result<void> start(ViewPlaces& views);
  // Begins a start and kills it on the way, once `when` holds. False: it ended before.
  bool start_and_kill(ViewPlaces& views, const std::function<bool()>& when);
  // Begins a task on the journal loop and kills the process on the way, once `when` holds. False:
  // it ended before.
  template <class T>
  bool run_and_kill(Task<T> task, const std::function<bool()>& when) {
    std::optional<T> result;
    spawn(*journal_, keep_result<T>(std::move(task), &result));
    world.run_until([&] { return when() || result; }, world.now_ns() + sim::kTaskMaxNs);
    crash();
    return !result;
  }
  // Without waiting for its end.
  template <class T>
  void begin(Task<T> task, std::optional<T>* result) {
    spawn(*journal_, keep_result<T>(std::move(task), result));
  }
  // The process is killed: what it wrote to drives stays. Views are the test's matter.
  void crash();

  // Runs a task on the journal loop to its end.
  template <class T>
  T run(Task<T> task) {
    return sim::run_task(world, *journal_, std::move(task));
  }

  BucketId create_bucket(const std::string& name);
  Result<Outcome> put(BucketId bucket, const std::string& key, const std::string& body);
  // In segment sets.
  Result<Outcome> put_large(BucketId bucket, const std::string& key, uint64_t bytes) {
    return run<Result<Outcome>>(write_and_commit(bucket, key, bytes));
  }
  Result<Outcome> remove(BucketId bucket, const std::string& key);
  Result<void> housekeep() { return run<Result<void>>(node->housekeep_now()); }
  uint64_t objects(BucketId bucket) { return node->store().view.counters(bucket)->objects; }
  std::string digest() { return node->store().view.digest()->value; }

  sim::SimWorld world{1};
  sim::SimClock clock{world};
  sim::SimRandom random{1};
  std::vector<std::unique_ptr<sim::SimDisk>> disks;
  NodeOptions options;  // Of the next start.
  std::unique_ptr<Node> node;
  std::vector<std::string> log;
  NodePorts::MountedAnew mounted_anew;
  bool drives_back = false;  // A node that only reads asks for another start.
  bool may_end = false;      // It may find that it cannot go on; `ended` says why it did.
  std::string ended;

 private:
  NodePorts ports(ViewPlaces& views);
  Task<Result<Outcome>> write_and_commit(BucketId bucket, std::string key, uint64_t bytes);
  std::vector<sim::SimLoop*> loops() const { return {io_.get(), journal_.get(), disk_.get()}; }

  std::unique_ptr<sim::SimLoop> io_, journal_, disk_;
};

}  // namespace kura::node
