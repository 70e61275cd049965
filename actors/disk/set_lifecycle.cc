#include "actors/disk/set_lifecycle.h"

#include <algorithm>
#include <map>

#include "actors/disk/core.h"
#include "actors/disk/drive_calls.h"
#include "actors/disk/set_reader.h"
#include "actors/disk/stripe.h"

namespace kura::disk {
namespace {

constexpr int64_t kRetryNs = 1'000'000'000;

Task<Result<void>> cut_member(std::shared_ptr<DiskCore> core, SetId set, uint32_t member,
                              uint64_t bytes) {
  auto file = co_await core->files.open(set, member);
  if (!file) co_return fail(file.error());
  co_return co_await (*file)->truncate(bytes);
}

Task<Result<void>> remove_member(std::shared_ptr<Drive> drive, std::string name) {
  co_return co_await drive->remove(std::move(name));
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
    Result<void> sealed = co_await core->ledger.seal_set(set, bytes);
    if (sealed) co_return true;
    co_await sleep_for(kRetryNs);
  }
  co_return false;
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

Task<void> seal_left_open(std::shared_ptr<DiskCore> core, SetId id) {
  while (!core->stopping) {
    const auto state = core->ledger.state();
    auto known = state->sets.find(id);
    if (known == state->sets.end() || known->second.sealed_bytes) co_return;
    const SegmentSet set = known->second;
    uint64_t end = kFirstStripeOffset;
    bool readable = true;
    while (readable && end < set.member_bytes) {
      auto stripe = co_await find_stripe(core, id, end, set.member_bytes);
      readable = stripe.has_value() || stripe.error().code == Errc::not_found;
      if (!stripe || !*stripe) break;
      end = (*stripe)->end();
    }
    if (readable) {
      const bool sealed = co_await record_seal(core, id, end);
      if (sealed) co_await cut_members(core, set, end);
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
  Result<void> dropped = co_await core->ledger.drop_set(id);
  if (!dropped) co_return;  // Compaction comes by again.
  ++core->counters.sets_dropped;
  core->files.forget(id);
  std::vector<Task<Result<void>>> calls;
  for (DriveId member : set.members)
    if (auto drive = core->drives.online(member))
      calls.push_back(remove_member(drive, set_file_name(id)));
  (void)co_await all_within<void>(std::move(calls), core->options.drive_timeout_ns);
}

Task<Result<void>> tidy_drive(std::shared_ptr<DiskCore> core, DriveId id,
                              std::shared_ptr<Drive> drive) {
  std::string folder = "sets";
  auto files = co_await drive->list(std::move(folder));
  if (!files && files.error().code != Errc::not_found) co_return fail(files.error());
  const auto state = core->ledger.state();
  std::map<SetId, FileInfo> here;
  std::vector<std::string> leftovers;
  for (FileInfo& file : files ? *files : std::vector<FileInfo>()) {
    const size_t slash = file.name.rfind('/');
    const std::string base = slash == std::string::npos ? file.name : file.name.substr(slash + 1);
    if (auto set = set_of_file_name(base))
      here[*set] = std::move(file);
    else if (base.ends_with(".new"))
      leftovers.push_back("sets/" + base);  // A rebuild that did not come to its end.
  }
  for (const auto& [set, file] : here) {
    if (set.value >= state->next_set)
      co_return fail(Errc::corrupt, drive->label() + " holds set " + std::to_string(set.value) +
                                        ", which the journal has not opened yet");
    auto known = state->sets.find(set);
    const bool member = known != state->sets.end() &&
                        std::find(known->second.members.begin(), known->second.members.end(),
                                  id) != known->second.members.end();
    if (!member) leftovers.push_back(set_file_name(set));
  }
  for (std::string& name : leftovers) {
    Result<void> removed = co_await drive->remove(std::move(name));
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
      if (!set.sealed_bytes || file->second.size_bytes <= *set.sealed_bytes) continue;
      (void)co_await cut_member(core, set_id, i, *set.sealed_bytes);
    }
  }
  co_return Result<void>();
}

}  // namespace kura::disk
