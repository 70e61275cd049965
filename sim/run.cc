#include "sim/run.h"

#include "sim/faults.h"
#include "sim/sim_chance.h"

namespace kura::sim {
namespace {

constexpr char kAddress[] = "kura:9000";
constexpr size_t kDisks = 6;
constexpr size_t kNewDisks = 4;  // That may join, where drives come and go.
// Generous: what takes longer than this after all faults are over will never end.
constexpr int64_t kProgressNs = 120 * kSecond;

struct Run {
  Run(const RunOptions& run_options, const NodeFactory& make_node);
  ~Run() { node.reset(); }

  std::optional<Violation> go();
  std::optional<Violation> read_back(const std::string& when);
  std::optional<Violation> mend(Churn& churn, const std::string& when);
  std::optional<Violation> try_drives(Churn& churn);
  std::optional<Violation> stuck(const std::string& what) const;

  const RunOptions& options;
  SimWorld world;
  SimRandom random;
  ChanceSites chances;
  std::vector<std::unique_ptr<SimDisk>> disks;
  SimNetwork network;
  Workload workload;
  std::unique_ptr<SimNode> node;
};

Schedule draw_schedule(uint64_t seed) {
  SimRandom random = SimRandom(seed).fork("schedule policy");
  return random.pick(2) == 0 ? Schedule::random : static_cast<Schedule>(random.pick(4));
}

NetworkOptions draw_network(SimRandom random) {
  NetworkOptions options;
  options.latency_min_ns = random.between(20, 500) * kMicrosecond;
  options.latency_mean_ns = random.between(50, 3000) * kMicrosecond;
  options.buffer_bytes = uint64_t{4096} << random.pick(7);
  options.piece_bytes_max = uint64_t{1024} << random.pick(7);
  return options;
}

DiskOptions draw_disk(SimRandom random) {
  DiskOptions options;
  options.sector_bytes = random.pick(2) == 0 ? 512 : 4096;
  options.read_ns = random.between(20, 400) * kMicrosecond;
  options.write_ns = random.between(5, 200) * kMicrosecond;
  options.sync_ns = random.between(50, 3000) * kMicrosecond;
  return options;
}

WorkloadOptions draw_workload(SimRandom random) {
  WorkloadOptions options;
  options.clients = static_cast<uint32_t>(random.between(2, 10));
  options.hot_keys = static_cast<uint32_t>(random.between(1, 5));
  options.cold_keys = static_cast<uint32_t>(random.between(10, 60));
  options.think_mean_ns = random.between(1, 30) * kMillisecond;
  options.hot_percent = static_cast<uint32_t>(random.between(20, 95));
  options.condition_percent = static_cast<uint32_t>(random.between(0, 60));
  options.impatient_percent = static_cast<uint32_t>(random.between(0, 30));
  options.impatient_ns = random.between(2, 1000) * kMillisecond;
  options.repeat_percent = random.pick(2) == 0 ? 0 : static_cast<uint32_t>(random.between(1, 20));
  // Some operations are rare in this run, some frequent.
  WorkloadOptions::Weights& w = options.weights;
  for (uint32_t* weight : {&w.put, &w.get, &w.head, &w.remove, &w.remove_many, &w.list, &w.copy,
                           &w.upload, &w.race, &w.side_bucket}) {
    const uint64_t kind = random.pick(4);
    if (kind == 0) *weight = (*weight + 2) / 3;
    if (kind == 1) *weight *= 3;
  }
  return options;
}

Run::Run(const RunOptions& run_options, const NodeFactory& make_node)
    : options(run_options),
      world(run_options.seed, draw_schedule(run_options.seed)),
      random(world.random("run")),
      chances(world.random("chance")),
      network(world, draw_network(random.fork("network"))),
      workload(world, network, kAddress, draw_workload(random.fork("workload"))) {
  world.watch(options.watch_first, options.watch_last);
  world.keep_log(options.log);
  const DiskOptions disk = draw_disk(random.fork("disk"));
  const bool come_and_go = options.profile == Profile::drives;
  const size_t drives =
      come_and_go ? static_cast<size_t>(random.fork("drives").between(2, 9)) : kDisks;
  for (uint32_t i = 0; i < drives + (come_and_go ? kNewDisks : 0); ++i)
    disks.push_back(std::make_unique<SimDisk>(world, i + 1, disk));
  node = make_node({world, network, disks, drives, kAddress, workload.shared().options.access_key,
                    workload.shared().options.secret, workload.shared().options.part_bytes_min,
                    world.random("node"), options.planted, workload.shared().probes});
}

std::optional<Violation> Run::stuck(const std::string& what) const {
  std::string why = "No progress: " + what;
  if (!node->failure().empty()) why += "; the node says: " + node->failure();
  return Violation{why, "", {}};
}

std::optional<Violation> Run::go() {
  Shared& shared = workload.shared();
  node->start();
  workload.start();
  Faults faults(world, network, disks, *node, options.profile, shared.probes);
  // The node begins its life undisturbed: what a crash leaves of a drive that is being formatted is
  // a matter for the tests of the node's start.
  const auto begun = [&] { return shared.answered >= 2 || shared.violation; };
  if (!world.run_until(begun, world.now_ns() + kProgressNs)) return stuck("the node never served");
  faults.start();
  const auto seen = [&] { return shared.violation.has_value(); };
  world.run_until(seen, world.now_ns() + options.virtual_ns);
  if (shared.violation) return shared.violation;

  faults.heal();
  chances.set_enabled(false);
  workload.stop();
  const auto ended = [&] { return workload.ended() || shared.violation; };
  if (!world.run_until(ended, world.now_ns() + kProgressNs))
    return stuck("a client waits for its answer although all faults are over");
  if (faults.churn())
    if (auto violation = try_drives(*faults.churn())) return violation;
  world.run_for(2 * kSecond);  // What a dead connection left behind ends.
  const auto released = [&] { return node->reservations() == uint64_t{0}; };
  if (!world.run_until(released, world.now_ns() + kProgressNs))
    return stuck("blocks are kept for uploads that are over");
  if (auto violation = read_back("at the end")) return violation;
  // Nothing is under way: a loss of power now costs nothing.
  node->crash(Unsynced::dropped);
  node->start();
  if (auto violation = read_back("after a last crash")) return violation;
  return check_history(shared.history);
}

std::optional<Violation> Run::mend(Churn& churn, const std::string& when) {
  churn.mend();
  if (world.run_until([&] { return churn.whole(); }, world.now_ns() + kProgressNs))
    return std::nullopt;
  return stuck("full redundancy never comes back " + when + ":" + churn.last_seen());
}

// Clients have ended, and some drives may be away or not yet rebuilt. Then none is; then as many
// are away as may be, which shows whether what was rebuilt is there.
std::optional<Violation> Run::try_drives(Churn& churn) {
  if (auto violation = read_back("with drives away")) return violation;
  if (auto violation = mend(churn, "at the end")) return violation;
  churn.take_spare_away();
  if (random.fork("start without").pick(2) == 0) {
    node->crash(Unsynced::dropped);
    node->start();
  }
  if (auto violation = read_back("with as many drives away as may be")) return violation;
  return mend(churn, "after that");
}

std::optional<Violation> Run::read_back(const std::string& when) {
  Shared& shared = workload.shared();
  workload.start_read_back();
  const auto done = [&] { return workload.read_back() || shared.violation; };
  if (!world.run_until(done, world.now_ns() + 5 * kProgressNs))
    return stuck("reading back " + when + " never ends");
  if (shared.violation) return shared.violation;
  for (const auto& [bucket, found] : workload.found()) {
    const auto counted = node->count(bucket);
    if (!counted || *counted == found) continue;
    return Violation{"The counters of a bucket differ from its listing " + when + ": " +
                         std::to_string(counted->objects) + " objects, " +
                         std::to_string(counted->bytes) + " bytes, " +
                         std::to_string(counted->uploads) +
                         " uploads; listed: " + std::to_string(found.objects) + ", " +
                         std::to_string(found.bytes) + ", " + std::to_string(found.uploads),
                     bucket,
                     {}};
  }
  return std::nullopt;
}

}  // namespace

RunResult run_once(const RunOptions& options, const NodeFactory& make_node) {
  Run run(options, make_node);
  RunResult result;
  result.violation = run.go();
  result.seed = options.seed;
  result.hash = run.world.hash();
  result.steps = run.world.steps();
  result.virtual_ns = run.world.now_ns();
  result.prefixes = run.world.prefixes();
  result.window = run.world.window();
  result.operations = run.workload.shared().history.size();
  result.answered = run.workload.shared().answered;
  result.probes = run.workload.shared().probes;
  for (const auto& [site, fired] : run.chances.fired())
    if (fired) result.probes["chance: " + site] += fired;
  result.probes["connection cut"] += run.network.cuts();
  return result;
}

const std::vector<std::string>& required_probes(Profile profile) {
  static const std::vector<std::string> quiet{"If-Match refused",
                                              "If-None-Match refused",
                                              "LIST went on to another page",
                                              "body abandoned",
                                              "bucket created",
                                              "bucket deleted",
                                              "bucket not empty",
                                              "copied",
                                              "part replaced",
                                              "acknowledged request repeated",
                                              "several keys deleted at once",
                                              "upload aborted",
                                              "upload completed",
                                              "upload of several parts"};
  static const std::vector<std::string> crash = [] {
    std::vector<std::string> all = quiet;
    for (const char* probe :
         {"crash", "crash with unsynced writes", "restart", "view deleted",
          "view rebuilt from a snapshot", "crash in a rebuild of the view", "connection cut",
          "pause", "outcome unknown", "started with archived log", "chance: archive.clean",
          "acknowledged after a doubtful attempt", "crash at a fail point"})
      all.push_back(probe);
    return all;
  }();
  static const std::vector<std::string> swarm = [] {
    std::vector<std::string> all = crash;
    for (const char* probe :
         {"slow drive", "bit rot", "read errors", "drive gone", "drive back", "drive replaced",
          "drive hangs", "drive answers again", "journal goes on without a drive that hangs"})
      all.push_back(probe);
    return all;
  }();
  static const std::vector<std::string> drives = [] {
    std::vector<std::string> all = crash;
    for (const char* probe :
         {"pulled", "put in device ", "drive put back", "empty drive in the place of another",
          "drive that was replaced put back", "drive in a new place",
          "drive that was removed added elsewhere", "added", "not added", "removed", "hangs",
          "gone", "slow", "start with a drive away", "members rebuilt",
          "set wider than the drives that are left", "more drives away than may be lost",
          "all drives back after too many were away", "everything has its full redundancy again"})
      all.push_back("churn: " + std::string(probe));
    all.push_back("started to read only");
    return all;
  }();
  if (profile == Profile::quiet) return quiet;
  if (profile == Profile::drives) return drives;
  return profile == Profile::swarm ? swarm : crash;
}

}  // namespace kura::sim
