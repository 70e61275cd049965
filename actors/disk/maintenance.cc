#include "actors/disk/maintenance.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/idle_sets.h"
#include "actors/disk/rebuild.h"
#include "actors/disk/set_condition.h"
#include "actors/disk/set_lifecycle.h"

namespace kura::disk {
namespace {

constexpr int64_t kNapNs = 50'000'000;    // How soon a sleeping task notices stop() and wake().
constexpr size_t kSetsPerInterval = 500;  // More sets are looked at less often.

Task<void> counted(std::shared_ptr<Maintenance> owner, size_t* tasks, Task<void> task) {
  co_await std::move(task);
  --*tasks;
}

}  // namespace

void Maintenance::start(Task<void> task) {
  ++tasks_;
  Task<void> run = counted(shared_from_this(), &tasks_, std::move(task));
  spawn(core_->loop, std::move(run));
}

void Maintenance::begin_checks() {
  if (core_->options.check_interval_ns > 0) start(check_drives());
}

void Maintenance::begin(const LiveBodies& live, BucketWriter& buckets) {
  live_ = &live;
  buckets_ = &buckets;
  if (core_->options.read_only) return;
  compaction_.emplace(core_, live, buckets);
  core_->repairs.enable();
  core_->write_sets.on_no_space = [this] { wake(); };
  const auto state = core_->ledger.state();
  for (const auto& [id, set] : state->sets)
    if (!set.sealed_bytes && !core_->write_sets.is_open(id)) start(seal_left_open(core_, live, id));
  if (core_->options.maintenance_interval_ns > 0) start(look_around());
}

Task<void> Maintenance::ended() {
  while (tasks_ > 0 || passing_ || core_->background > 0) co_await sleep_for(kNapNs);
  core_->write_sets.on_no_space = nullptr;
  live_ = nullptr;
}

void Maintenance::wake() { woken_ = true; }

Task<void> Maintenance::sleep(int64_t ns, bool ends_at_wake) {
  const int64_t until_ns = core_->loop.clock().monotonic_ns() + ns;
  for (;;) {
    const int64_t left_ns = until_ns - core_->loop.clock().monotonic_ns();
    if (left_ns <= 0 || core_->stopping || (ends_at_wake && woken_)) co_return;
    co_await sleep_for(std::min(left_ns, std::max(kNapNs, ns / 10)));
  }
}

Task<void> Maintenance::check_drives() {
  while (!core_->stopping) {
    co_await drive_check_.pass();
    co_await sleep(core_->options.check_interval_ns, false);
  }
}

Task<void> Maintenance::look_around() {
  while (!core_->stopping) {
    woken_ = false;
    (void)co_await pass();
    const auto sets = static_cast<int64_t>(core_->ledger.state()->sets.size() / kSetsPerInterval);
    co_await sleep(core_->options.maintenance_interval_ns * (1 + sets), true);
  }
}

Task<Result<void>> Maintenance::scrub() {
  ++tasks_;
  co_await drive_check_.pass();
  while (scrub_.running() && !core_->stopping) co_await sleep_for(kNapNs);
  const bool can = begun() && !core_->stopping;
  if (can) co_await scrub_.run(*live_);
  --tasks_;
  if (!can || core_->stopping) co_return fail(Errc::unavailable, "maintenance is not running");
  co_return Result<void>();
}

Task<Result<void>> Maintenance::pass() {
  while (passing_) co_await sleep_for(kNapNs);
  if (core_->stopping || !begun() || !compaction_)
    co_return fail(Errc::unavailable, "maintenance is not running");
  passing_ = true;
  Result<void> rebuilt = co_await rebuild_pass();
  Result<void> rested = co_await rest_idle_sets(core_, *live_);
  Result<void> compacted = co_await compaction_->pass();
  passing_ = false;
  if (!rebuilt) co_return rebuilt;
  co_return rested ? compacted : rested;
}

void Maintenance::give_up_offline() {
  for (const auto& entry : core_->drives.all())
    if (entry.state != DriveTable::State::online) lost_.insert(entry.id);
  wake();
}

std::set<DriveId> Maintenance::given_up() const {
  const int64_t now_ns = core_->loop.clock().monotonic_ns();
  const auto drives = core_->drives.all();
  std::set<DriveId> known, out;
  for (const auto& entry : drives) {
    known.insert(entry.id);
    if (entry.state == DriveTable::State::online) continue;
    if (entry.state == DriveTable::State::failed || lost_.contains(entry.id) ||
        now_ns - entry.since_ns >= core_->options.lost_after_ns)
      out.insert(entry.id);
  }
  for (const auto& [id, set] : core_->ledger.state()->sets)
    for (DriveId member : set.members)
      if (!known.contains(member)) out.insert(member);
  return out;
}

Task<Result<void>> Maintenance::rebuild_pass() {
  Result<void> outcome;
  std::erase_if(lost_, [&](DriveId id) { return core_->drives.online(id) != nullptr; });
  const std::set<DriveId> lost = given_up();
  const auto state = core_->ledger.state();
  for (const auto& [id, set] : state->sets) {
    if (core_->stopping) break;
    if (!set.sealed_bytes || missing_members(*core_, set).empty()) continue;
    auto live_bytes = live_bytes_in(*live_, *state, id);
    if (!live_bytes) co_return fail(live_bytes.error());
    // What is empty is dropped instead.
    if (*live_bytes == 0 && !core_->reservations.any_in(id)) continue;
    auto targets = rebuild_targets(*core_, set, lost);
    if (targets.empty()) continue;
    auto lost_stripes = co_await rebuild_members(core_, *live_, set, std::move(targets));
    if (!lost_stripes)
      outcome = fail(lost_stripes.error());
    else if (*lost_stripes > 0 && core_->lost_in.insert(id).second)
      lost_stripes_ += *lost_stripes;
  }
  co_return outcome;
}

}  // namespace kura::disk
