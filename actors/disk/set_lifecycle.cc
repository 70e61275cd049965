#include "actors/disk/set_lifecycle.h"

#include <algorithm>
#include <map>

#include "actors/disk/core.h"
#include "actors/disk/live_ranges.h"
#include "actors/disk/set_reader.h"
#include "actors/disk/stripe.h"
#include "base/bounded_drive.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

constexpr int64_t kRetryNs = 1'000'000'000;

Task<Result<void>> cut(std::shared_ptr<File> file, uint64_t bytes) {
  before_step("set.cut");
  Result<void> cut = co_await file->truncate(bytes);
  if (cut) after_step("set.cut");
  co_return cut;
}

Task<Result<void>> cut_member(std::shared_ptr<DiskCore> core, SetId set, uint32_t member,
                              uint64_t bytes) {
  auto file = co_await core->files.open(set, member);
  if (!file) co_return fail(file.error());
  co_return co_await cut(*file, bytes);
}

// Of a drive that does not serve yet.
Task<Result<void>> cut_member_on(std::shared_ptr<Drive> drive, SetId set, uint64_t bytes) {
  std::string name = set_file_name(set);
  auto file = co_await drive->open(std::move(name));
  if (!file) co_return fail(file.error());
  co_return co_await cut(*file, bytes);
}

Task<Result<void>> remove_member(std::shared_ptr<Drive> drive, std::string name) {
  before_step("set.member.remove");
  Result<void> removed = co_await drive->remove(std::move(name));
  if (removed) after_step("set.member.remove");
  co_return removed;
}

// Gives the room behind the end of a sealed set back. Failures cost room until the next start only.
Task<void> cut_members(std::shared_ptr<DiskCore> core, SegmentSet set, uint64_t bytes) {
  std::vector<Task<Result<void>>> calls;
  for (uint32_t i = 0; i < set.members.size(); ++i)
    calls.push_back(cut_member(core, set.id, i, bytes));
  (void)co_await all_within<void>(std::move(calls), core->options.drive_timeout_ns);
}

// Records the seal, however long it takes. False: the pool stops, or the set is gone.
Task<bool> record_seal(std::shared_ptr<DiskCore> core, SetId set, uint64_t bytes) {
  while (!core->stopping) {
    const auto state = core->ledger.state();
    auto known = state->sets.find(set);
    if (known == state->sets.end()) co_return false;
    if (known->second.sealed_bytes) co_return true;
    before_step("set.seal");
    Result<void> sealed = co_await core->ledger.seal_set(set, bytes);
    if (sealed) after_step("set.seal");
    if (sealed) co_return true;
    co_await sleep_for(kRetryNs);
  }
  co_return false;
}

// Behind everything in the set that counts or may count.
Task<Result<uint64_t>> find_end(std::shared_ptr<DiskCore> core, const LiveBodies& live,
                                SegmentSet set) {
  auto ranges = LiveRanges::of(live, *core->ledger.state(), set);
  if (!ranges) co_return fail(ranges.error());
  uint64_t end = kFirstStripeOffset;
  // Its process is gone, so what was not committed never will be. It may not even have its files.
  if (ranges->empty()) co_return end;
  while (end < set.member_bytes) {
    auto stripe = co_await find_stripe(core, set.id, end, set.member_bytes);
    if (!stripe) co_return fail(stripe.error());
    if (!*stripe) break;
    end = (*stripe)->end();
  }
  // The headers of the last stripes may be readable in none of the members that are here now. Of a
  // packed stripe the fold knows only a part.
  if (ranges->end() > end)
    end = std::min(align_up(ranges->end() + kPackedBodyMax, kBlockBytes), set.member_bytes);
  co_return end;
}

}  // namespace

Task<void> seal_open_set(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set) {
  const uint64_t bytes = set->good_end();
  const bool sealed = co_await record_seal(core, set->id(), bytes);
  if (sealed) co_await cut_members(core, set->set(), bytes);
  core->write_sets.sealed(set->id());
  // Nothing in it was ever acknowledged to a writer.
  if (sealed && bytes == kFirstStripeOffset) co_await drop_set(core, set->id());
}

Task<void> drop_unused(std::shared_ptr<DiskCore> core, SetId id) {
  const bool sealed = co_await record_seal(core, id, kFirstStripeOffset);
  if (sealed) co_await drop_set(core, id);
}

Task<void> seal_left_open(std::shared_ptr<DiskCore> core, const LiveBodies& live, SetId id) {
  while (!core->stopping) {
    const auto state = core->ledger.state();
    auto known = state->sets.find(id);
    if (known == state->sets.end() || known->second.sealed_bytes) co_return;
    const SegmentSet set = known->second;
    auto end = co_await find_end(core, live, set);
    if (end) {
      const bool sealed = co_await record_seal(core, id, *end);
      if (sealed) co_await cut_members(core, set, *end);
      co_return;
    }
    co_await sleep_for(kRetryNs);  // Too few drives to see where it ends.
  }
}

Task<void> drop_set(std::shared_ptr<DiskCore> core, SetId id) {
  const auto state = core->ledger.state();
  auto known = state->sets.find(id);
  if (known == state->sets.end()) co_return;
  const SegmentSet set = known->second;
  if (!core->files.begin_drop(id)) co_return;
  before_step("set.drop");
  Result<void> dropped = co_await core->ledger.drop_set(id);
  if (!dropped) co_return;  // Compaction comes by again.
  after_step("set.drop");
  ++core->counters.sets_dropped;
  core->files.forget(id);
  std::vector<Task<Result<void>>> calls;
  for (DriveId member : set.members)
    if (auto drive = core->drives.online(member))
      calls.push_back(remove_member(drive, set_file_name(id)));
  (void)co_await all_within<void>(std::move(calls), core->options.drive_timeout_ns);
}

Task<Result<void>> check_files(std::shared_ptr<DiskCore> core, std::shared_ptr<Drive> drive) {
  drive = bounded(std::move(drive), core->options.drive_timeout_ns);
  std::string folder = "sets";
  auto files = co_await drive->list(std::move(folder));
  if (!files) co_return fail(files.error());
  const uint32_t next_set = core->ledger.state()->next_set;
  for (const FileInfo& file : *files) {
    auto set = set_of_file_name(file.name);
    if (set && set->value >= next_set)
      co_return fail(Errc::corrupt, drive->label() + " holds set " + std::to_string(set->value) +
                                        ", which the journal has not opened yet");
  }
  co_return Result<void>();
}

Task<Result<void>> tidy_drive(std::shared_ptr<DiskCore> core, DriveId id,
                              std::shared_ptr<Drive> drive) {
  Result<void> ours = co_await check_files(core, drive);
  if (!ours) co_return ours;
  drive = bounded(std::move(drive), core->options.drive_timeout_ns);
  std::string folder = "sets";
  auto files = co_await drive->list(std::move(folder));
  if (!files) co_return fail(files.error());
  const auto state = core->ledger.state();
  std::map<SetId, uint64_t> here;  // Sizes.
  std::vector<std::string> leftovers;
  for (const FileInfo& file : *files) {
    auto set = set_of_file_name(file.name);
    if (set) here[*set] = file.size_bytes;
    if (is_unfinished(file.name)) leftovers.push_back("sets/" + file.name);
  }
  for (const auto& [set, bytes] : here) {
    auto known = state->sets.find(set);
    if (known == state->sets.end() ||
        std::count(known->second.members.begin(), known->second.members.end(), id) == 0)
      leftovers.push_back(set_file_name(set));
  }
  for (const std::string& name : leftovers) {
    Result<void> removed = co_await drive->remove(name);
    if (!removed && removed.error().code != Errc::not_found) co_return removed;
  }
  for (const auto& [set_id, set] : state->sets) {
    for (uint32_t i = 0; i < set.members.size(); ++i) {
      if (set.members[i] != id) continue;
      auto file = here.find(set_id);
      if (file == here.end()) {
        core->files.note_absent(set_id, i);
        continue;
      }
      core->files.note_present(set_id, i);
      if (!set.sealed_bytes || file->second <= *set.sealed_bytes) continue;
      Result<void> cut = co_await cut_member_on(drive, set_id, *set.sealed_bytes);
      if (!cut && cut.error().code == Errc::timed_out) co_return cut;
    }
  }
  co_return Result<void>();
}

}  // namespace kura::disk
