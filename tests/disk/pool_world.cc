#include "pool_world.h"

#include <algorithm>

#include "actors/disk/drive_identity.h"
#include "projections/metadata/accounts.h"

namespace kura::disk {
namespace {

constexpr uint64_t kBucket = 7;

ClusterId test_cluster() { return uuid_from<ClusterId>("a test's cluster"); }

v1::BodiesMoved_Move place_of(const std::string& key, const v1::Body& body) {
  v1::BodiesMoved_Move place;
  place.set_bucket(kBucket);
  place.set_key(key);
  *place.mutable_from() = body;
  return place;
}

}  // namespace

DriveId drive_id(size_t i) {
  DriveId id;
  id.bytes.fill(0xd0);
  id.bytes[15] = static_cast<uint8_t>(i);
  return id;
}

std::string content_of(const std::string& key, uint64_t bytes) {
  std::string out(bytes, '\0');
  uint64_t x = sim::hash_bytes(key, bytes);
  for (uint64_t i = 0; i < bytes; i += 8) {
    x = sim::mix64(x + 0x9e3779b97f4a7c15ULL);
    for (uint64_t j = i; j < bytes && j < i + 8; ++j)
      out[j] = static_cast<char>(x >> (8 * (j - i)));
  }
  return out;
}

MemoryLedger::MemoryLedger(size_t drives) : state_(std::make_shared<ControlState>()) {
  for (size_t i = 0; i < drives; ++i) add_drive(drive_id(i));
}

void MemoryLedger::add_drive(DriveId id) {
  v1::Event event;
  event.mutable_drive_added()->set_drive_id(std::string(id.view()));
  ASSERT_TRUE(record(event));
}

Result<void> MemoryLedger::record(const v1::Event& event) {
  auto next = std::make_shared<ControlState>(*state());
  Result<void> applied = apply(*next, Offset(++offset_), event);
  std::lock_guard lock(mutex_);
  if (applied) state_ = next;
  return applied;
}

Task<Result<void>> MemoryLedger::reach() {
  co_await sleep_for(300 * sim::kMicrosecond);
  if (refuse_next > 0) {
    --refuse_next;
    co_return fail(Errc::unavailable, "the control partition has no owner");
  }
  co_return Result<void>{};
}

Task<Result<void>> MemoryLedger::record_later(v1::Event event) {
  Result<void> reached = co_await reach();
  if (!reached) co_return reached;
  co_return record(event);
}

Task<Result<SegmentSet>> MemoryLedger::open_set(SegmentSet draft) {
  Result<void> reached = co_await reach();
  if (!reached) co_return fail(reached.error());
  v1::Event event;
  v1::SetOpened& opened = *event.mutable_set_opened();
  draft.id = SetId(state()->next_set);  // Behind the wait: others may open sets meanwhile.
  opened.set_set(draft.id.value);
  opened.set_data_shards(draft.data_shards);
  opened.set_parity_shards(draft.parity_shards);
  opened.set_member_bytes(draft.member_bytes);
  opened.set_incarnation(std::string(draft.incarnation.view()));
  for (DriveId id : draft.members) opened.add_drive_ids(std::string(id.view()));
  Result<void> recorded = record(event);
  if (!recorded) co_return fail(recorded.error());
  if (auto then = std::exchange(after_open, nullptr)) then();
  co_return draft;
}

Task<Result<void>> MemoryLedger::seal_set(SetId set, uint64_t length_bytes) {
  v1::Event event;
  event.mutable_set_sealed()->set_set(set.value);
  event.mutable_set_sealed()->set_length(length_bytes);
  co_return co_await record_later(std::move(event));
}

Task<Result<void>> MemoryLedger::replace_member(SetId set, uint32_t member, DriveId drive) {
  v1::Event event;
  v1::SetMemberReplaced& replaced = *event.mutable_set_member_replaced();
  replaced.set_set(set.value);
  replaced.set_member(member);
  replaced.set_drive_id(std::string(drive.view()));
  co_return co_await record_later(std::move(event));
}

Task<Result<void>> MemoryLedger::archive_log(ArchivedLog piece, bool again) {
  v1::Event event;
  v1::LogArchived& archived = *event.mutable_log_archived();
  archived.set_from(piece.from.value);
  archived.set_to(piece.to.value);
  *archived.mutable_body() = std::move(piece.body);
  Result<void> reached = co_await reach();
  if (!reached) co_return reached;
  if ((state()->find_archived(piece.from) != nullptr) != again)
    co_return fail(again ? Errc::not_found : Errc::exists);
  co_return record(event);
}

Task<Result<void>> MemoryLedger::drop_archive(Offset from) {
  v1::Event event;
  event.mutable_log_archive_dropped()->set_from(from.value);
  co_return co_await record_later(std::move(event));
}

Task<Result<void>> MemoryLedger::drop_set(SetId set) {
  v1::Event event;
  event.mutable_set_dropped()->set_set(set.value);
  co_return co_await record_later(std::move(event));
}

Result<uint64_t> MemoryBodies::live_log_bytes(uint64_t piece) const {
  uint64_t out = 0;
  for (const auto& [key, body] : bodies)
    if (count_log_bytes && body.has_journal() &&
        log_piece(Offset(body.journal().offset())) == piece)
      out += body.journal().length();
  return out;
}

Result<LivePage> MemoryBodies::bodies_in_log(Offset from, Offset to, const std::string&) const {
  LivePage page;
  for (const auto& [key, body] : bodies) {
    const Offset at(body.journal().offset());
    if (body.has_journal() && from <= at && at < to) page.bodies.push_back(place_of(key, body));
  }
  return page;
}

Result<uint64_t> MemoryBodies::live_bytes(SetId set) const {
  uint64_t bytes = 0;
  for (const auto& [key, body] : bodies)
    for (const v1::Extent& extent : body.extents())
      if (extent.set() == set.value) bytes += extent.stored_bytes();
  return bytes;
}

Result<LivePage> MemoryBodies::bodies_in(SetId set, const std::string& after,
                                         uint32_t bodies_max) const {
  LivePage page;
  for (auto it = bodies.upper_bound(after); it != bodies.end(); ++it) {
    bool touches = false;
    for (const v1::Extent& extent : it->second.extents()) touches |= extent.set() == set.value;
    if (!touches) continue;
    page.bodies.push_back(place_of(it->first, it->second));
    if (page.bodies.size() < bodies_max) continue;
    page.next = it->first;
    break;
  }
  return page;
}

Result<bool> MemoryBodies::is_live(const v1::BodiesMoved_Move& place) const {
  auto it = bodies.find(place.key());
  return it != bodies.end() && it->second.SerializeAsString() == place.from().SerializeAsString();
}

Task<Result<Outcome>> MemoryBodies::submit(Command command) {
  co_await sleep_for(200 * sim::kMicrosecond);
  if (refuse) co_return fail(*refuse, "refused by the test");
  const auto& action = std::get<MoveBodies>(command.action);
  ++events_of_moves;
  for (const auto& move : action.moves) {
    EXPECT_EQ(partition_of(BucketId(move.bucket()), move.key()),
              partition_of(command.bucket, action.moves.front().key()));
    auto live = is_live(move);
    if (!*live) continue;
    bodies[move.key()] = move.to();
    ++moves;
  }
  co_return Outcome{};
}

PoolWorld::PoolWorld(size_t drives, uint64_t seed, sim::DiskOptions disk, sim::Schedule schedule)
    : world(seed, schedule), clock(world), ledger(drives) {
  for (size_t i = 0; i < drives; ++i) {
    disks.push_back(std::make_unique<sim::SimDisk>(world, static_cast<uint32_t>(i), disk));
    ids.push_back(drive_id(i));
  }
  options.cluster = test_cluster();
  options.member_bytes_max = 4 * kMiB;
  options.check_interval_ns = 0;
  options.maintenance_interval_ns = 0;
  options.scrub_bytes_per_second = 0;
}

PoolWorld::~PoolWorld() {
  if (loop) end_process();
}

Result<void> PoolWorld::start(const std::vector<size_t>& without) {
  loop = std::make_unique<sim::SimLoop>(world, "pool", clock);
  options.incarnation.bytes.fill(history);
  options.incarnation.bytes[0] = static_cast<uint8_t>(++incarnation_);
  std::vector<PoolDrive> drives;
  mounts.assign(disks.size(), nullptr);
  for (size_t i = 0; i < disks.size(); ++i) {
    PoolDrive drive{ids[i], nullptr};
    if (std::find(without.begin(), without.end(), i) == without.end()) {
      drive.drive = mounts[i] = disks[i]->mount();
      auto written = run<Result<void>>(write_identity(*drive.drive, {options.cluster, ids[i]}));
      if (!written) return written;
    }
    drives.push_back(std::move(drive));
  }
  pool = std::make_unique<DiskPool>(*loop, ledger, options, std::move(drives));
  auto started = run<Result<void>>(pool->start());
  if (started) pool->begin_maintenance(bodies, bodies);
  return started;
}

void PoolWorld::end_process() {
  loop->stop();
  destroy_spawned_tasks(*loop);
  pool.reset();
  mounts.clear();
  loop.reset();
}

void PoolWorld::crash(sim::Unsynced policy) {
  for (auto& disk : disks) disk->crash(policy);
  end_process();
}

void PoolWorld::restart(const std::vector<size_t>& without) {
  ASSERT_TRUE(run<Result<void>>(pool->stop()));
  crash(sim::Unsynced::dropped);
  ASSERT_TRUE(start(without));
}

Task<Result<void>> PoolWorld::put(std::string key, uint64_t bytes, uint64_t piece,
                                  v1::StorageClass storage_class, bool hint) {
  const std::string content = content_of(key, bytes);
  auto writer = co_await pool->blobs().write(storage_class, hint ? bytes : 0);
  if (!writer) co_return fail(writer.error());
  for (uint64_t at = 0; at < bytes; at += piece) {
    std::string part = content.substr(at, piece);
    Result<void> appended = co_await (*writer)->append(std::move(part));
    if (!appended) co_return appended;
  }
  auto body = co_await (*writer)->finish();
  if (!body) co_return fail(body.error());
  // The commit: an event that is folded some time later.
  co_await sleep_for(200 * sim::kMicrosecond);
  bodies.content[key] = content;
  bodies.bodies[key] = *body;
  pool->reservation_ended((*writer)->reservation());
  co_return Result<void>();
}

Task<Result<std::string>> PoolWorld::get(v1::Body body, ByteRange range) {
  auto reader = pool->blobs().read(body, range);
  if (!reader) co_return fail(reader.error());
  std::string out;
  for (;;) {
    auto bytes = co_await (*reader)->next();
    if (!bytes) co_return bytes;
    if (bytes->empty()) co_return out;
    out += *bytes;
  }
}

Result<std::string> PoolWorld::get_now(const std::string& key) {
  const v1::Body& body = bodies.bodies.at(key);
  return run<Result<std::string>>(get(body, {0, bodies.content.at(key).size()}));
}

void PoolWorld::expect_all() {
  for (const auto& [key, body] : bodies.bodies) {
    auto read = get_now(key);
    ASSERT_TRUE(read) << key << ": " << read.error().detail;
    ASSERT_TRUE(*read == bodies.content.at(key)) << key << " reads back wrong";
  }
}

void PoolWorld::forget(std::string key) {
  bodies.bodies.erase(key);
  bodies.content.erase(key);
}

void PoolWorld::seal_all() {
  restart();
  const bool sealed = world.run_until(
      [&] {
        for (const auto& [id, set] : ledger.state()->sets)
          if (!set.sealed_bytes) return false;
        return true;
      },
      world.now_ns() + 60 * sim::kSecond);
  ASSERT_TRUE(sealed);
  settle();
}

PoolStatus PoolWorld::status() {
  auto status = run<Result<PoolStatus>>(pool->status());
  EXPECT_TRUE(status);
  return status ? *status : PoolStatus{};
}

void PoolWorld::maintain(int passes) {
  for (int i = 0; i < passes; ++i) (void)run<Result<void>>(pool->maintain_now());
}

SegmentSet PoolWorld::set_of(const std::string& key) {
  return ledger.state()->sets.at(SetId(bodies.bodies.at(key).extents(0).set()));
}

void PoolWorld::keep_snapshot(uint64_t bytes) {
  auto writer = pool->write_snapshot();
  ASSERT_TRUE(writer);
  ASSERT_TRUE(run<Result<void>>((*writer)->append(std::string(bytes, 's'))));
  auto body = run<Result<v1::Body>>((*writer)->finish());
  ASSERT_TRUE(body);
  v1::Event event;
  event.mutable_snapshot_taken()->set_offset(100);
  event.mutable_snapshot_taken()->set_size_bytes(bytes);
  *event.mutable_snapshot_taken()->mutable_body() = *body;
  ASSERT_TRUE(ledger.record(event));
  pool->blobs().release((*writer)->reservation());
}

Result<void> PoolWorld::add_new_drive(size_t place, size_t id) {
  ids.resize(std::max(ids.size(), place + 1));
  mounts.resize(ids.size());
  ids[place] = drive_id(id);
  std::shared_ptr<Drive> drive = disks[place]->mount();
  mounts[place] = drive;
  auto written = run<Result<void>>(write_identity(*drive, {options.cluster, drive_id(id)}));
  if (!written) return written;
  ledger.add_drive(drive_id(id));
  return run<Result<void>>(pool->add_drive({drive_id(id), drive}));
}

namespace {

Task<Result<void>> flip_byte(std::shared_ptr<Drive> drive, std::string name, uint64_t offset) {
  auto file = co_await drive->open(std::move(name));
  if (!file) co_return fail(file.error());
  auto byte = co_await (*file)->read(offset, 1);
  if (!byte) co_return fail(byte.error());
  (*byte)[0] = static_cast<char>((*byte)[0] ^ 0x10);
  std::vector<std::string_view> pieces{*byte};
  co_return co_await (*file)->write_and_sync(offset, std::move(pieces));
}

Task<Result<void>> write_whole(std::shared_ptr<Drive> drive, std::string name,
                               std::string content) {
  co_return co_await replace_file(*drive, std::move(name), std::move(content));
}

Task<Result<std::string>> take_whole(std::shared_ptr<Drive> drive, std::string name) {
  auto content = co_await read_file(*drive, name);
  Result<void> removed = co_await drive->remove(name);
  if (!removed) co_return fail(removed.error());
  co_return content;
}

}  // namespace

void PoolWorld::flip(size_t place, const std::string& name, uint64_t offset) {
  ASSERT_TRUE(run<Result<void>>(flip_byte(mounts[place], name, offset)));
}

void PoolWorld::write_file(size_t place, const std::string& name, const std::string& content) {
  ASSERT_TRUE(run<Result<void>>(write_whole(mounts[place], name, content)));
}

std::string PoolWorld::take_file(size_t place, const std::string& name) {
  auto content = run<Result<std::string>>(take_whole(mounts[place], name));
  EXPECT_TRUE(content);
  return content ? *content : std::string();
}

}  // namespace kura::disk
