#include "actors/disk/disk_pool.h"

#include <algorithm>

#include "actors/disk/archived_bodies.h"
#include "actors/disk/blob_reader.h"
#include "actors/disk/blob_writer.h"
#include "actors/disk/core.h"
#include "actors/disk/destager.h"
#include "actors/disk/idle_sets.h"
#include "actors/disk/kept_snapshots.h"
#include "actors/disk/maintenance.h"
#include "actors/disk/removal_plan.h"
#include "actors/disk/set_condition.h"
#include "actors/disk/set_lifecycle.h"
#include "base/counted.h"

namespace kura::disk {
namespace {

// Refused before the first byte of the body is read.
Result<std::unique_ptr<BlobWriter>> begin_write(const std::shared_ptr<DiskCore>& core,
                                                Target target, uint64_t size_hint_bytes) {
  const size_t online = core->drives.all_online().size();
  if (core->stopping || online < target.parity + 1)
    return fail(Errc::unavailable, counted(online, "drive") + " " + is_or_are(online) + " online");
  return make_blob_writer(core, target, size_hint_bytes);
}

Task<uint64_t> room_on_loop(std::shared_ptr<DiskCore> core, uint64_t bytes_max) {
  co_return core->write_sets.room(reclaim_target(*core), bytes_max);
}

class SetBlobStore final : public BlobStore {
 public:
  explicit SetBlobStore(std::shared_ptr<DiskCore> core) : core_(std::move(core)) {}

  Task<Result<std::unique_ptr<BlobWriter>>> write(v1::StorageClass storage_class,
                                                  uint64_t size_hint_bytes) override {
    co_return begin_write(core_, {core_->parity(storage_class), Purpose::client}, size_hint_bytes);
  }

  Result<std::unique_ptr<BlobReader>> read(const v1::Body& body, ByteRange range) override {
    return make_blob_reader(core_, body, range);
  }

  void release(const v1::Reservation& reservation) override {
    core_->reservations.end(reservation);
  }

 private:
  const std::shared_ptr<DiskCore> core_;
};

Task<Result<void>> start_on_loop(std::shared_ptr<DiskCore> core,
                                 std::shared_ptr<Maintenance> maintenance) {
  const auto online = core->drives.all_online();
  for (const auto& entry : online) {
    Result<void> ours = co_await check_files(core, entry.drive);
    if (!ours && ours.error().code == Errc::corrupt) co_return ours;
  }
  for (const auto& entry : online) {
    if (core->options.read_only) break;
    Result<void> tidy = co_await tidy_drive(core, entry.id, entry.drive);
    if (!tidy) core->drive_failed(entry.id, tidy.error());
  }
  maintenance->begin_checks();
  co_return Result<void>();
}

Task<Result<void>> stop_on_loop(std::shared_ptr<DiskCore> core,
                                std::shared_ptr<Maintenance> maintenance) {
  core->stopping = true;
  co_await maintenance->ended();
  co_return Result<void>();
}

Task<Result<void>> add_on_loop(std::shared_ptr<DiskCore> core,
                               std::shared_ptr<Maintenance> maintenance, PoolDrive added) {
  if (core->drives.online(added.id))
    co_return fail(Errc::exists, "drive " + to_hex(added.id) + " is online already");
  Result<void> tidy = co_await tidy_drive(core, added.id, added.drive);
  if (!tidy) co_return tidy;
  core->files.forget_drive(added.id);
  const bool is_back = core->drives.known(added.id);
  core->drives.put(
      {added.id, added.drive, DriveTable::State::online, "", core->loop.clock().monotonic_ns()});
  if (!is_back) maintenance->give_up_offline();
  core->write_sets.placement_changed();
  co_return Result<void>();
}

Task<Result<void>> forget_on_loop(std::shared_ptr<DiskCore> core,
                                  std::shared_ptr<Maintenance> maintenance, DriveId drive) {
  if (core->drives.online(drive))
    co_return fail(Errc::exists, "drive " + to_hex(drive) + " is online");
  core->drives.erase(drive);
  core->files.forget_drive(drive);
  core->write_sets.placement_changed();
  maintenance->wake();
  co_return Result<void>();
}

Task<Result<void>> offline_on_loop(std::shared_ptr<DiskCore> core, DriveId drive,
                                   std::string reason) {
  core->drives.set_offline(drive, DriveTable::State::failed, std::move(reason),
                           core->loop.clock().monotonic_ns());
  co_return Result<void>();
}

Task<Result<void>> scrub_on_loop(std::shared_ptr<Maintenance> maintenance) {
  co_return co_await maintenance->scrub();
}

Task<Result<void>> maintain_on_loop(std::shared_ptr<Maintenance> maintenance) {
  co_return co_await maintenance->pass();
}

Task<Result<std::vector<SetId>>> garbage_on_loop(std::shared_ptr<DiskCore> core,
                                                 std::shared_ptr<Maintenance> maintenance) {
  if (!maintenance->begun() || core->stopping) co_return std::vector<SetId>();
  co_return garbage_under_snapshots(*core, maintenance->live());
}

Task<KeptSnapshots> kept_on_loop(std::shared_ptr<DiskCore> core,
                                 std::shared_ptr<Maintenance> maintenance) {
  co_return look_at_snapshots(*core, maintenance->given_up());
}

Task<Result<Offset>> destage_on_loop(std::shared_ptr<DiskCore> core,
                                     std::shared_ptr<Maintenance> maintenance,
                                     journal::Journal* journal, Loop* journal_loop, Offset from,
                                     Offset below, uint64_t bytes_max) {
  if (!maintenance->begun()) co_return fail(Errc::unavailable, "maintenance is not running");
  co_return co_await destage(core, maintenance->live(), maintenance->buckets(), *journal,
                             *journal_loop, from, below, bytes_max);
}

Task<Result<RemovalPlan>> plan_on_loop(std::shared_ptr<DiskCore> core,
                                       std::shared_ptr<Maintenance> maintenance, DriveId gone) {
  if (!maintenance->begun()) co_return fail(Errc::unavailable, "maintenance is not running");
  co_return plan_removal(*core, maintenance->live(), gone);
}

Task<Result<PoolStatus>> status_on_loop(std::shared_ptr<DiskCore> core,
                                        std::shared_ptr<Maintenance> maintenance) {
  PoolStatus out;
  for (const auto& entry : core->drives.all()) {
    DriveStatus& drive = out.drives.emplace_back();
    drive.id = entry.id;
    drive.label = entry.drive ? entry.drive->label() : std::string();
    drive.online = entry.state == DriveTable::State::online;
    drive.reason = entry.reason;
    auto space = drive.online ? entry.drive->space() : Result<DriveSpace>();
    if (space) drive.space = *space;
  }
  out.standard_parity = core->parity(v1::STANDARD);
  out.reduced_parity = core->parity(v1::REDUCED_REDUNDANCY);
  const auto state = core->ledger.state();
  for (const auto& [id, set] : state->sets) {
    ++(set.sealed_bytes ? out.sets_sealed : out.sets_open);
    const size_t missing = missing_members(*core, set).size();
    out.members_missing += missing;
    if (missing == 0 || !maintenance->begun()) continue;
    auto bytes = live_bytes_in(maintenance->live(), *state, id);
    if (!bytes) co_return fail(bytes.error());
    out.bytes_below_full_parity += *bytes;
    if (missing > set.parity_shards) out.bytes_unreadable += *bytes;
  }
  out.sets_dropped = core->counters.sets_dropped;
  out.members_rebuilt = core->counters.members_rebuilt;
  out.bodies_moved = core->counters.bodies_moved;
  out.reservations = core->reservations.active();
  out.scrub = maintenance->scrub_counters();
  out.scrub.next_run_bytes = maintenance->scrub_bytes();
  out.scrub.repaired_shards = core->counters.repaired_shards;
  out.scrub.repaired_identities = core->counters.repaired_identities;
  out.scrub.lost_stripes += maintenance->lost_stripes();
  co_return out;
}

}  // namespace

DiskPool::DiskPool(Loop& loop, SetLedger& ledger, DiskPoolOptions options,
                   std::vector<PoolDrive> drives)
    : core_(std::make_shared<DiskCore>(loop, ledger, options)),
      blobs_(std::make_unique<SetBlobStore>(core_)),
      maintenance_(std::make_shared<Maintenance>(core_)) {
  for (PoolDrive& drive : drives) {
    const bool here = drive.drive != nullptr;
    std::string reason = std::move(drive.reason);
    if (!here && reason.empty()) reason = "not there when the node last started";
    core_->drives.put({drive.id, std::move(drive.drive),
                       here ? DriveTable::State::online : DriveTable::State::away,
                       std::move(reason), loop.clock().monotonic_ns()});
  }
  std::weak_ptr<DiskCore> weak = core_;
  core_->drives.on_offline([weak](DriveId drive) {
    auto core = weak.lock();
    if (!core) return;
    core->loop.post([core, drive] {
      core->write_sets.drive_offline(drive);
      core->files.forget_drive(drive);
    });
  });
}

DiskPool::~DiskPool() {
  core_->stopping = true;
  core_->write_sets.on_no_space = nullptr;
}

Result<std::unique_ptr<BlobWriter>> DiskPool::write_snapshot() {
  return begin_write(core_, reclaim_target(*core_), 0);
}

Task<uint64_t> DiskPool::snapshot_room(uint64_t bytes_max) {
  Task<uint64_t> task = room_on_loop(core_, bytes_max);
  co_return co_await run_on(core_->loop, std::move(task));
}

BlobStore& DiskPool::blobs() { return *blobs_; }

std::unique_ptr<journal::InlineBodies> DiskPool::inline_bodies(journal::InlineBodies& log) {
  return std::make_unique<ArchivedBodies>(core_, log);
}

Task<Result<void>> DiskPool::start() {
  Task<Result<void>> task = start_on_loop(core_, maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

void DiskPool::begin_maintenance(const LiveBodies& live, BucketWriter& buckets) {
  maintenance_->begin(live, buckets);
}

Task<Result<void>> DiskPool::stop() {
  Task<Result<void>> task = stop_on_loop(core_, maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

void DiskPool::reservation_ended(const v1::Reservation& reservation) {
  core_->reservations.end(reservation);
}

Task<Result<void>> DiskPool::add_drive(PoolDrive drive) {
  Task<Result<void>> task = add_on_loop(core_, maintenance_, std::move(drive));
  co_return co_await run_on(core_->loop, std::move(task));
}

bool DiskPool::serves(DriveId drive) const { return core_->drives.online(drive) != nullptr; }

Task<Result<void>> DiskPool::forget_drive(DriveId drive) {
  Task<Result<void>> task = forget_on_loop(core_, maintenance_, drive);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<RemovalPlan>> DiskPool::plan_removal(DriveId drive) {
  Task<Result<RemovalPlan>> task = plan_on_loop(core_, maintenance_, drive);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<void>> DiskPool::take_offline(DriveId drive, std::string reason) {
  Task<Result<void>> task = offline_on_loop(core_, drive, std::move(reason));
  co_return co_await run_on(core_->loop, std::move(task));
}

void DiskPool::tell_why_offline(DriveId drive, std::string reason) {
  core_->drives.set_reason(drive, std::move(reason));
}

uint64_t DiskPool::reservations() const { return core_->reservations.active(); }

std::vector<DriveId> DiskPool::offline() const {
  std::vector<DriveId> out;
  for (const auto& entry : core_->drives.all())
    if (entry.state != DriveTable::State::online) out.push_back(entry.id);
  return out;
}

Task<Result<void>> DiskPool::scrub() {
  Task<Result<void>> task = scrub_on_loop(maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<void>> DiskPool::maintain_now() {
  Task<Result<void>> task = maintain_on_loop(maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<std::vector<SetId>>> DiskPool::garbage_under_snapshots() {
  Task<Result<std::vector<SetId>>> task = garbage_on_loop(core_, maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<KeptSnapshots> DiskPool::kept_snapshots() {
  Task<KeptSnapshots> task = kept_on_loop(core_, maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<PoolStatus>> DiskPool::status() {
  Task<Result<PoolStatus>> task = status_on_loop(core_, maintenance_);
  co_return co_await run_on(core_->loop, std::move(task));
}

Task<Result<Offset>> DiskPool::destage(journal::Journal& journal, Offset from, Offset below,
                                       uint64_t bytes_max) {
  Task<Result<Offset>> task =
      destage_on_loop(core_, maintenance_, &journal, Loop::current(), from, below, bytes_max);
  co_return co_await run_on(core_->loop, std::move(task));
}

}  // namespace kura::disk
