#include "sim/workload.h"

#include "sim/sim_client.h"

namespace kura::sim {
namespace {

const std::vector<std::string>& lasting_buckets() {
  static const std::vector<std::string> names{"main", "other"};
  return names;
}

// Buckets that come and go.
const std::vector<std::string>& side_buckets() {
  static const std::vector<std::string> names{"side-0", "side-1"};
  return names;
}

std::string cold_key(uint32_t i) {
  const std::string n = std::to_string(i);
  switch (i % 4) {
    case 0:
      return "cold/" + std::to_string(i % 3) + "/" + n;
    case 1:
      return "odd \xc3\xa4 &<>\"'+%20=?#/" + n;
    case 2:
      return "flat-" + n;
    default:
      return "cold/" + n + "/a/b/";
  }
}

}  // namespace

void Shared::violate(std::string invariant, std::string name) {
  world.trace("violation");
  if (violation) return;
  violation = Violation{std::move(invariant), std::move(name), {}};
  auto it = history.registers().find(violation->name);
  if (it == history.registers().end()) return;
  const auto& operations = it->second.operations;
  const size_t from = operations.size() > 20 ? operations.size() - 20 : 0;
  for (size_t i = from; i < operations.size(); ++i)
    violation->events.push_back(describe(operations[i]));
}

Workload::Workload(SimWorld& world, SimNetwork& network, std::string address,
                   WorkloadOptions options)
    : shared_{.world = world,
              .network = network,
              .address = std::move(address),
              .options = options,
              .random = world.random("workload")},
      clock_(world),
      loop_(world, "clients", clock_) {
  for (const std::string& bucket : lasting_buckets()) shared_.lasting.insert(bucket);
  for (uint32_t i = 0; i < options.hot_keys; ++i)
    shared_.keys["main"].insert("0-hot/" + std::to_string(i));
  for (uint32_t i = 0; i < options.cold_keys; ++i)
    shared_.keys[i % 5 == 4 ? "other" : "main"].insert(cold_key(i));
  for (const std::string& bucket : side_buckets()) shared_.keys[bucket] = {"a", "b/c"};
  for (uint32_t i = 0; i < options.clients; ++i)
    clients_.push_back(std::make_unique<SimClient>(shared_, i));
}

Workload::~Workload() {
  loop_.stop();
  for (auto& client : clients_) shared_.network.crash(client->host());
  destroy_spawned_tasks(loop_);
}

void Workload::start() { spawn(loop_, begin()); }

Task<void> Workload::begin() {
  for (const std::string& bucket : lasting_buckets()) co_await clients_[0]->ensure_bucket(bucket);
  started_ += static_cast<uint32_t>(clients_.size());
  for (auto& client : clients_) spawn(loop_, run_client(client.get()));
  ++ended_;
}

Task<void> Workload::run_client(SimClient* client) {
  SimRandom random = shared_.random.fork("pace", client->host());
  while (!shared_.stopping) {
    co_await client->step();
    co_await sleep_for(random.exponential(shared_.options.think_mean_ns));
  }
  ++ended_;
}

void Workload::start_read_back() {
  shared_.at_rest = true;
  read_back_ = false;
  found_.clear();
  spawn(loop_, read_all());
}

Task<void> Workload::read_all() {
  SimClient& client = *clients_[0];
  for (const auto& [bucket, keys] : shared_.keys) {
    CountedBucket& counted = found_[bucket];
    counted = co_await client.list(bucket, true);
    counted.uploads = co_await client.count_uploads(bucket);
    for (const std::string& key : keys) {
      co_await client.get(bucket, key);
      co_await client.head(bucket, key);
    }
  }
  read_back_ = true;
}

Task<void> SimClient::start_race() {
  const std::string bucket = "main", key = draw_key(bucket);
  co_await remove(bucket, key);
  shared_.race_key = key;
  shared_.race_left = shared_.options.clients;
  probe("race to create a key");
}

Task<void> SimClient::step() {
  if (shared_.race_left > 0) {
    --shared_.race_left;
    const std::string bucket = "main", key = shared_.race_key;
    co_await put(bucket, key, true);
    co_return;
  }
  const WorkloadOptions::Weights& w = shared_.options.weights;
  const uint32_t weights[] = {w.put,  w.get,  w.head,   w.remove, w.remove_many,
                              w.list, w.copy, w.upload, w.race,   w.side_bucket};
  uint64_t sum = 0;
  for (uint32_t weight : weights) sum += weight;
  uint64_t drawn = random_.pick(sum);
  size_t kind = 0;
  while (drawn >= weights[kind]) drawn -= weights[kind++];
  const std::string bucket = lasting_buckets()[random_.pick(5) == 0 ? 1 : 0];
  const std::string key = draw_key(bucket);
  switch (kind) {
    case 0:
      co_return co_await put(bucket, key);
    case 1:
      co_return co_await get(bucket, key);
    case 2:
      co_return co_await head(bucket, key);
    case 3:
      co_return co_await remove(bucket, key);
    case 4:
      co_return co_await remove_many(bucket);
    case 5:
      co_await list(bucket, false);
      co_return;
    case 6: {
      const std::string to = draw_key(bucket);
      co_return co_await copy(bucket, key, to);
    }
    case 7:
      co_return co_await upload(bucket, key);
    case 8:
      co_return co_await start_race();
    default:
      co_return co_await side_bucket_step();
  }
}

Task<void> SimClient::side_bucket_step() {
  const std::string bucket = side_buckets()[random_.pick(2)];
  const std::string key = draw_key(bucket);
  switch (random_.pick(10)) {
    case 0:
    case 1:
      co_return co_await create_bucket(bucket);
    case 2:
    case 3:
      co_return co_await delete_bucket(bucket);
    case 4:
      co_return co_await head_bucket(bucket);
    case 5:
      co_await list(bucket, false);
      co_return;
    case 6:
    case 7:
      co_return co_await put(bucket, key);
    case 8:
      co_return co_await get(bucket, key);
    default:
      co_return co_await remove(bucket, key);
  }
}

}  // namespace kura::sim
