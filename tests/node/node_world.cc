#include "node_world.h"

namespace kura::node {

NodeWorld::NodeWorld(size_t drives, sim::DiskOptions disk) {
  for (size_t i = 0; i < drives; ++i)
    disks.push_back(std::make_unique<sim::SimDisk>(world, static_cast<uint32_t>(i + 1), disk));
  options.root_access_key = "test";
  options.root_secret_key = "a test's secret";
  options.journal_segment_bytes = kMiB;
  options.member_bytes = 4 * kMiB;
  // Only when the test asks.
  options.housekeeping_ns = options.maintenance_ns = options.drive_check_ns = 0;
}

NodePorts NodeWorld::ports(ViewPlaces& views) {
  io_ = std::make_unique<sim::SimLoop>(world, "io", clock);
  journal_ = std::make_unique<sim::SimLoop>(world, "journal", clock);
  disk_ = std::make_unique<sim::SimLoop>(world, "disk", clock);
  NodePorts ports{.clock = clock, .random = random};
  ports.io = {io_.get()};
  ports.journal = journal_.get();
  ports.disk = disk_.get();
  for (auto& disk : disks) ports.drives.push_back(disk->mount());
  ports.views = &views;
  ports.mounted_anew = mounted_anew;
  ports.log = [this](const std::string& line) { log.push_back(line); };
  ports.on_fatal = [this](Error error) {
    EXPECT_TRUE(may_end) << "the node ends: " << error.detail;
    ended = error.detail;
  };
  ports.on_may_write = [this] { drives_back = true; };
  return ports;
}

Result<void> NodeWorld::start(ViewPlaces& views) {
  drives_back = false;
  node = std::make_unique<Node>(ports(views), options);
  Result<void> started = run<Result<void>>(node->start());
  if (!started) crash();
  return started;
}

bool NodeWorld::start_and_kill(ViewPlaces& views, const std::function<bool()>& when) {
  node = std::make_unique<Node>(ports(views), options);
  std::optional<Result<void>> started;
  spawn(*journal_, keep_result<Result<void>>(node->start(), &started));
  world.run_until([&] { return when() || started; }, world.now_ns() + sim::kTaskMaxNs);
  crash();
  return !started;
}

void NodeWorld::crash() {
  if (!journal_) return;
  for (sim::SimLoop* loop : loops()) loop->stop();
  for (auto& disk : disks) disk->crash(sim::Unsynced::kept);
  for (sim::SimLoop* loop : loops()) destroy_spawned_tasks(*loop);
  node = nullptr;
  io_.reset();
  journal_.reset();
  disk_.reset();
}

BucketId NodeWorld::create_bucket(const std::string& name) {
  auto bucket = run<Result<Bucket>>(node->store().tenants.create_bucket(name, "test", ""));
  EXPECT_TRUE(bucket) << bucket.error().detail;
  return bucket ? bucket->id : BucketId{};
}

Result<Outcome> NodeWorld::put(BucketId bucket, const std::string& key, const std::string& body) {
  CommitPut action;
  action.version.set_size_bytes(body.size());
  action.version.set_stored_bytes(body.size());
  action.version.set_etag(std::string(16, 'e'));
  action.inline_body = body;
  Command command{.bucket = bucket, .key = key, .action = std::move(action)};
  return run<Result<Outcome>>(node->store().buckets.submit(std::move(command)));
}

Task<Result<Outcome>> NodeWorld::write_and_commit(BucketId bucket, std::string key,
                                                  uint64_t bytes) {
  auto writer = co_await node->store().blobs.write(v1::STANDARD, bytes);
  if (!writer) co_return fail(writer.error());
  std::string content(bytes, 'l');
  Result<void> appended = co_await (*writer)->append(std::move(content));
  if (!appended) co_return fail(appended.error());
  auto body = co_await (*writer)->finish();
  if (!body) co_return fail(body.error());
  CommitPut action;
  action.version.set_size_bytes(bytes);
  action.version.set_stored_bytes(bytes);
  action.version.set_etag(std::string(16, 'e'));
  *action.version.mutable_body() = std::move(*body);
  action.reservation = (*writer)->reservation();
  Command command;
  command.bucket = bucket;
  command.key = std::move(key);
  command.action = std::move(action);
  co_return co_await node->store().buckets.submit(std::move(command));
}

Result<Outcome> NodeWorld::remove(BucketId bucket, const std::string& key) {
  Command command{.bucket = bucket, .key = key, .action = DeleteObject{}};
  return run<Result<Outcome>>(node->store().buckets.submit(std::move(command)));
}

}  // namespace kura::node
