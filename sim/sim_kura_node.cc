#include "sim/sim_kura_node.h"

#include <algorithm>
#include <set>
#include <vector>

#include "actors/disk/geometry.h"
#include "node/node.h"
#include "sim/drive_admin.h"
#include "sim/sim_view.h"

namespace kura::sim {
namespace {

constexpr int64_t kRestartNs = 200 * kMillisecond;  // What a supervisor waits.
constexpr int64_t kDrainNs = 5 * kSecond;

class SimKuraNode final : public SimNode, public DriveAdmin {
 public:
  explicit SimKuraNode(NodeParts parts);
  ~SimKuraNode() override;

  void start() override;
  void crash(Unsynced policy) override;
  void lose_view() override { views_.remove(); }
  bool stop() override;
  bool running() const override { return journal_loop_ != nullptr; }
  void set_paused(bool paused) override;
  void step_wall(int64_t by_ms) override { clock_.step_wall(by_ms); }
  std::string failure() const override { return failure_; }
  std::optional<uint64_t> reservations() override {
    if (!node_ || !node_->ready()) return std::nullopt;
    return node_->disks().reservations();
  }
  std::optional<CountedBucket> count(const std::string& bucket) override;
  DriveAdmin* drive_admin() override { return this; }
  void name(size_t places) override { named_ = places; }
  size_t named() const override { return named_; }
  uint32_t parity(size_t drives) const override;
  void add(size_t place, Done then) override;
  void remove(size_t place, Done then) override;
  void look(std::function<void(const DrivesSeen&)> then) override;

 private:
  bool serving() const { return node_ && node_->ready(); }
  Task<void> adding(size_t place, Done then);
  Task<void> removing(size_t place, Done then);
  Task<void> looking(std::function<void(const DrivesSeen&)> then);
  DrivesSeen seen_by(const disk::PoolStatus& pool);
  Task<void> run();
  void serve();
  Task<void> drain();
  node::NodePorts ports();
  Task<Result<std::shared_ptr<Drive>>> mounted_anew(std::shared_ptr<Drive> away);
  void end_process(const std::string& why);
  std::vector<SimLoop*> loops() const;

  NodeParts parts_;
  SimRandom random_;
  SimClock clock_;
  node::NodeOptions options_;
  size_t io_loops_;
  SimViews views_;
  size_t named_;  // Places.
  std::string failure_;
  uint64_t incarnation_ = 0;

  // Of one incarnation.
  HostId host_ = 0;
  std::unique_ptr<SimRandom> node_random_;
  std::vector<std::unique_ptr<SimLoop>> io_;
  std::unique_ptr<SimLoop> journal_loop_, disk_loop_;
  std::unique_ptr<node::Node> node_;
  bool drained_ = false;
  std::multiset<size_t> adding_;  // Places whose drives may not be the node's yet.
};

std::string label_of(const SimDisk& disk) { return "drive " + std::to_string(disk.number()); }

node::NodeOptions draw_options(const NodeParts& parts) {
  SimRandom random = parts.random.fork("options");
  node::NodeOptions options;
  options.root_access_key = parts.access_key;
  options.root_secret_key = parts.secret;
  options.s3.test_transform = random.pick(3) == 0;
  options.part_bytes_min = parts.part_bytes_min;
  // Small, so that segments roll, sets fill and records are truncated within seconds.
  options.journal_segment_bytes = kMiB << random.pick(3);
  options.member_bytes = kMiB << random.pick(4);
  options.journal_segments_max = 2 << random.pick(3);
  options.housekeeping_ns = random.between(20, 1000) * kMillisecond;
  options.maintenance_ns = random.between(20, 1000) * kMillisecond;
  options.drive_check_ns = random.between(100, 2000) * kMillisecond;
  // Short enough for a run, and far longer than what a slow operation of a healthy drive takes.
  SimRandom patience = parts.random.fork("patience");
  if (patience.pick(4) != 0) options.drive_timeout_ns = patience.between(500, 1500) * kMillisecond;
  // A view of a run fits one chunk; a real one is loaded chunk by chunk, and may be left half done.
  options.snapshot_chunk_bytes = uint64_t{256} << 2 * random.pick(6);
  if (parts.random.fork("archive").pick(2) == 0)
    options.archive = {.bytes_min = 1, .live_percent_min = 0};
  options.set_idle_ns = parts.random.fork("idle sets").between(100, 5000) * kMillisecond;
  // Now and then so little that requests wait and are refused.
  SimRandom load = parts.random.fork("load");
  if (load.pick(4) == 0) options.requests_max = static_cast<uint32_t>(load.between(1, 4));
  if (load.pick(4) == 0) options.request_memory_bytes = 32 * kMiB;
  options.ack_before_sync = parts.planted == kAckBeforeSync;
  return options;
}

// Of a large row cache nothing is ever forgotten, of a small one nearly everything. What is
// gathered is one batch, some, or all until something has to see it in the map.
SimViewOptions draw_view_options(const NodeParts& parts) {
  SimViewOptions options;
  SimRandom random = parts.random.fork("row cache");
  constexpr size_t kSizes[] = {0, 128 * kKiB, kMiB, 64 * kMiB};
  options.row_cache_bytes = kSizes[random.pick(std::size(kSizes))];
  constexpr size_t kRows[] = {1, 16, 128, WriteBehindLimits().rows_max};
  options.write_behind.rows_max = kRows[parts.random.fork("write behind").pick(std::size(kRows))];
  return options;
}

SimKuraNode::SimKuraNode(NodeParts parts)
    : parts_(std::move(parts)),
      random_(parts_.random.fork("node")),
      clock_(parts_.world, random_.between(-200, 200), random_.between(-500, 500)),
      options_(draw_options(parts_)),
      io_loops_(1 + random_.pick(3)),
      views_(parts_.disks, draw_view_options(parts_)),
      named_(parts_.drives) {}

SimKuraNode::~SimKuraNode() {
  if (running()) crash(Unsynced::kept);
}

std::vector<SimLoop*> SimKuraNode::loops() const {
  std::vector<SimLoop*> out;
  for (const auto& loop : io_) out.push_back(loop.get());
  if (journal_loop_) out.push_back(journal_loop_.get());
  if (disk_loop_) out.push_back(disk_loop_.get());
  return out;
}

node::NodePorts SimKuraNode::ports() {
  node::NodePorts ports{.clock = clock_, .random = *node_random_};
  for (auto& loop : io_) ports.io.push_back(loop.get());
  ports.journal = journal_loop_.get();
  ports.disk = disk_loop_.get();
  for (size_t place = 0; place < named_; ++place)
    ports.drives.push_back(parts_.disks[place]->mount());
  ports.mounted_anew = [this](std::shared_ptr<Drive> away) { return mounted_anew(away); };
  ports.views = &views_;
  ports.log = [this](const std::string& line) {
    parts_.world.say(line);
    const bool hangs = std::any_of(parts_.disks.begin(), parts_.disks.end(),
                                   [](const auto& disk) { return disk->hung(); });
    if (hangs && line.starts_with("journal: goes on without"))
      ++parts_.probes["journal goes on without a drive that hangs"];
  };
  ports.on_fatal = [this](Error error) { end_process(error.detail); };
  ports.on_may_write = [this] { end_process("drives are back"); };
  return ports;
}

// As of a folder: what is there by now, if it has the identity of a drive.
Task<Result<std::shared_ptr<Drive>>> SimKuraNode::mounted_anew(std::shared_ptr<Drive> away) {
  for (auto& disk : parts_.disks) {
    if (away->label() != label_of(*disk)) continue;
    if (disk->dead() || disk->is_current(*away) || !disk->has("drive")) break;
    co_return disk->mount_again();
  }
  co_return std::shared_ptr<Drive>();
}

void SimKuraNode::start() {
  ++incarnation_;
  adding_.clear();
  host_ = parts_.network.new_host();
  node_random_ = std::make_unique<SimRandom>(random_.fork("incarnation", incarnation_));
  for (size_t i = 0; i < io_loops_; ++i)
    io_.push_back(std::make_unique<SimLoop>(parts_.world, "io " + std::to_string(i), clock_));
  journal_loop_ = std::make_unique<SimLoop>(parts_.world, "journal", clock_);
  disk_loop_ = std::make_unique<SimLoop>(parts_.world, "disk", clock_);
  spawn(*journal_loop_, run());
}

Task<void> SimKuraNode::run() {
  node_ = std::make_unique<node::Node>(ports(), options_);
  auto started = co_await node_->start();
  if (!started) {
    end_process(started.error().detail);
    co_return;
  }
  failure_.clear();
  parts_.world.say("serves");
  if (!node_->started_read_only().empty()) ++parts_.probes["started to read only"];
  if (!node_->tenants().state()->archived.empty()) ++parts_.probes["started with archived log"];
  if (node_->view_recovery().from_snapshot) ++parts_.probes["view rebuilt from a snapshot"];
  serve();
}

void SimKuraNode::serve() {
  for (size_t i = 0; i < io_.size(); ++i) {
    io_[i]->post([this, i] { node_->serve(i, parts_.network.listen(host_, parts_.address)); });
  }
}

// The process ends by itself; whoever supervises it starts another.
void SimKuraNode::end_process(const std::string& why) {
  failure_ = why.empty() ? "it ended" : why;
  parts_.world.say("process ends: " + failure_);
  const uint64_t incarnation = incarnation_;
  parts_.world.after(kMicrosecond, [this, incarnation] {
    if (incarnation == incarnation_ && running()) crash(Unsynced::kept);
  });
  parts_.world.after(kRestartNs, [this, incarnation] {
    if (incarnation == incarnation_ && !running()) start();
  });
}

void SimKuraNode::crash(Unsynced policy) {
  if (!running()) return;
  parts_.network.crash(host_);
  for (SimLoop* loop : loops()) loop->stop();
  for (auto& disk : parts_.disks) disk->crash(policy);
  if (views_.crash(policy, random_)) ++parts_.probes["crash in a rebuild of the view"];
  for (SimLoop* loop : loops()) destroy_spawned_tasks(*loop);
  node_ = nullptr;
  io_.clear();
  journal_loop_ = nullptr;
  disk_loop_ = nullptr;
}

Task<void> SimKuraNode::drain() {
  co_await node_->stop(kDrainNs);
  drained_ = true;
}

bool SimKuraNode::stop() {
  if (!running() || !node_ || !node_->ready()) return false;
  drained_ = false;
  spawn(*journal_loop_, drain());
  const bool ended =
      parts_.world.run_until([this] { return drained_; }, parts_.world.now_ns() + 60 * kSecond);
  crash(Unsynced::kept);
  return ended;
}

void SimKuraNode::set_paused(bool paused) {
  for (SimLoop* loop : loops()) loop->set_paused(paused);
}

uint32_t SimKuraNode::parity(size_t drives) const {
  return disk::parity_for(static_cast<uint32_t>(drives), v1::STANDARD, options_.parity_standard);
}

void SimKuraNode::add(size_t place, Done then) {
  if (serving()) spawn(*journal_loop_, adding(place, std::move(then)));
}

void SimKuraNode::remove(size_t place, Done then) {
  if (serving()) spawn(*journal_loop_, removing(place, std::move(then)));
}

void SimKuraNode::look(std::function<void(const DrivesSeen&)> then) {
  if (serving()) spawn(*journal_loop_, looking(std::move(then)));
}

Task<void> SimKuraNode::adding(size_t place, Done then) {
  std::shared_ptr<Drive> drive = parts_.disks[place]->mount_again();
  adding_.insert(place);
  auto id = co_await node_->add_drive(std::move(drive));
  adding_.erase(adding_.find(place));
  if (!id) parts_.world.say("drive add: " + id.error().detail);
  then(id.has_value());
}

Task<void> SimKuraNode::removing(size_t place, Done then) {
  bool removed = false;
  const std::string label = label_of(*parts_.disks[place]);
  const auto state = node_->tenants().state();
  for (const auto& [id, known_label] : state->drives) {
    if (known_label != label || node_->disks().serves(id)) continue;
    const DriveId gone = id;
    auto forgotten = co_await node_->remove_drive(gone);
    if (!forgotten) parts_.world.say("drive rm: " + forgotten.error().detail);
    removed = forgotten.has_value();
    break;
  }
  then(removed);
}

Task<void> SimKuraNode::looking(std::function<void(const DrivesSeen&)> then) {
  auto status = co_await node_->disks().status();
  if (status && serving()) then(seen_by(*status));
}

DrivesSeen SimKuraNode::seen_by(const disk::PoolStatus& pool) {
  const auto state = node_->tenants().state();
  const journal::JournalStatus log = node_->journal().status();
  DrivesSeen seen;
  seen.bytes_below_full_parity = pool.bytes_below_full_parity;
  // What is not committed yet counts as soon as it is, and its set may be short of a member.
  seen.redundant = pool.bytes_below_full_parity == 0 &&
                   (pool.members_missing == 0 || pool.reservations == 0) && !log.degraded &&
                   node_->started_read_only().empty() && log.mirrors.size() == log.mirrors_wanted;
  seen.spare = std::min(parity(state->drives.size()), log.mirrors_wanted - 1);
  for (const auto& [id, set] : state->sets) {
    seen.spare = std::min(seen.spare, set.parity_shards);
    if (set.members.size() > state->drives.size())
      ++parts_.probes["churn: set wider than the drives that are left"];
  }
  if (pool.members_rebuilt > 0) ++parts_.probes["churn: members rebuilt"];
  for (auto& disk : parts_.disks) {
    const std::string label = label_of(*disk);
    const auto here = [&](const auto& known) { return known.second == label; };
    const auto counted = std::count_if(state->drives.begin(), state->drives.end(), here);
    const auto online = std::find_if(pool.drives.begin(), pool.drives.end(), [&](const auto& d) {
      return d.label == label && d.online && state->drives.contains(d.id);
    });
    seen.known.push_back(counted > 0);
    seen.serves.push_back(counted == 1 && online != pool.drives.end() && disk->in_use() &&
                          !adding_.contains(seen.serves.size()));
    seen.text += " " + label + (seen.serves.back() ? " serves;" : counted ? " is away;" : " none;");
  }
  seen.text += " " + std::to_string(pool.bytes_below_full_parity) + " bytes below full parity, " +
               std::to_string(pool.members_missing) + " members missing, " +
               std::to_string(pool.reservations) + " reservations, " +
               std::to_string(log.mirrors.size()) + " of " + std::to_string(log.mirrors_wanted) +
               " mirrors " + node_->why_read_only();
  return seen;
}

std::optional<CountedBucket> SimKuraNode::count(const std::string& bucket) {
  if (!node_ || !node_->ready()) return std::nullopt;
  Store& store = node_->store();
  const auto state = store.tenants.state();
  const Bucket* found = state->find_bucket(bucket);
  if (!found) return std::nullopt;
  const auto counters = store.view.counters(found->id);
  if (!counters) return std::nullopt;
  return CountedBucket{counters->objects, counters->bytes, counters->uploads};
}

}  // namespace

std::unique_ptr<SimNode> make_kura_node(NodeParts parts) {
  return std::make_unique<SimKuraNode>(std::move(parts));
}

}  // namespace kura::sim
