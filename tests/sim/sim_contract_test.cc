// The contracts of the ports, run against the simulated ones.

#include <gtest/gtest.h>

#include "sim/sim_drive.h"
#include "sim/sim_stream.h"
#include "tests/base/loop_contract.h"
#include "tests/base/stream_contract.h"
#include "tests/sim/sim_fixture.h"

namespace kura::testing {
namespace {

struct SimHost {
  explicit SimHost(uint64_t seed)
      : world(seed), clock(world), loop(world, "loop", clock), network(world, {}) {}
  ~SimHost() {
    network.crash(host);
    loop.stop();
    destroy_spawned_tasks(loop);
  }
  sim::SimWorld world;
  sim::SimClock clock;
  sim::SimLoop loop;
  sim::SimNetwork network;
  sim::HostId host = network.new_host();
};

struct SimLoopSubject final : LoopSubject {
  explicit SimLoopSubject(uint64_t seed) : host(seed) {}
  Loop& loop() override { return host.loop; }
  void run(Task<void> task) override { sim::run_task(host.world, host.loop, std::move(task)); }
  SimHost host;
};

std::unique_ptr<LoopSubject> loop_1() { return std::make_unique<SimLoopSubject>(1); }
std::unique_ptr<LoopSubject> loop_2() { return std::make_unique<SimLoopSubject>(2); }
INSTANTIATE_TEST_SUITE_P(Sim, LoopContract, ::testing::Values(loop_1, loop_2));

struct SimStreamSubject final : StreamSubject {
  explicit SimStreamSubject(uint64_t seed)
      : host(seed), listening(host.network.listen(host.host, "server:1")) {}
  void run(Task<void> task) override { sim::run_task(host.world, host.loop, std::move(task)); }
  Acceptor& acceptor() override { return *listening; }
  Task<Result<std::unique_ptr<Stream>>> connect() override {
    return host.network.connect(host.host, "server:1");
  }
  SimHost host;
  std::unique_ptr<Acceptor> listening;
};

std::unique_ptr<StreamSubject> stream_1() { return std::make_unique<SimStreamSubject>(1); }
std::unique_ptr<StreamSubject> stream_2() { return std::make_unique<SimStreamSubject>(2); }
INSTANTIATE_TEST_SUITE_P(Sim, StreamContract, ::testing::Values(stream_1, stream_2));

}  // namespace
}  // namespace kura::testing
