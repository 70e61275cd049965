// The contracts of the ports, run against the simulated ones.

#include <gtest/gtest.h>

#include "sim/sim_drive.h"
#include "sim/sim_stream.h"
#include "tests/base/drive_contract.h"
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

struct SimDriveSubject final : DriveSubject {
  explicit SimDriveSubject(sim::Unsynced unsynced) : host(7), policy(unsynced) {
    mounted = disk.mount();
  }
  ~SimDriveSubject() override {
    host.loop.stop();
    disk.crash(policy);
    destroy_spawned_tasks(host.loop);
  }
  void run(Task<void> task) override {
    sim::run_task(host.world, again ? *again : host.loop, std::move(task));
  }
  Drive& drive() override { return *mounted; }
  void crash() override {
    (again ? *again : host.loop).stop();
    disk.crash(policy);
    destroy_spawned_tasks(again ? *again : host.loop);
    again.emplace(host.world, "again", host.clock);
    mounted = disk.mount();
  }

  static constexpr sim::DiskOptions kSmall{.capacity_bytes = 1 << 30};
  SimHost host;
  sim::Unsynced policy;
  std::optional<sim::SimLoop> again;
  sim::SimDisk disk{host.world, 1, kSmall};
  std::unique_ptr<Drive> mounted;
};

template <sim::Unsynced kPolicy>
std::unique_ptr<DriveSubject> drive() {
  return std::make_unique<SimDriveSubject>(kPolicy);
}
INSTANTIATE_TEST_SUITE_P(Sim, DriveContract,
                         ::testing::Values(drive<sim::Unsynced::kept>,
                                           drive<sim::Unsynced::dropped>,
                                           drive<sim::Unsynced::torn>,
                                           drive<sim::Unsynced::mixed>));

}  // namespace
}  // namespace kura::testing
