#include "actors/disk/write_sets.h"

#include <algorithm>

#include "actors/disk/core.h"
#include "actors/disk/geometry.h"
#include "actors/disk/set_lifecycle.h"
#include "actors/disk/set_reader.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"

namespace kura::disk {
namespace {

Task<Result<std::shared_ptr<File>>> create_member(std::shared_ptr<Drive> drive, std::string name,
                                                  uint64_t bytes, std::string header) {
  before_step("set.member.create");
  auto file = co_await drive->create(std::move(name), bytes);
  if (!file) co_return file;
  std::vector<std::string_view> pieces{header};
  Result<void> written = co_await (*file)->write(0, std::move(pieces));
  if (!written) co_return fail(written.error());
  after_step("set.member.create");
  co_return file;
}

}  // namespace

SetUse::SetUse(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set)
    : core_(std::move(core)), set_(std::move(set)) {
  ++set_->users;
}

SetUse& SetUse::operator=(SetUse&& other) noexcept {
  if (this == &other) return *this;
  reset();
  core_ = std::move(other.core_);
  set_ = std::move(other.set_);
  return *this;
}

void SetUse::reset() {
  if (!set_) return;
  auto give_back = [core = core_, set = set_] { core->write_sets.released(set); };
  set_.reset();
  std::shared_ptr<DiskCore> core = std::move(core_);
  core->loop.post(std::move(give_back));
}

Task<Result<SetUse>> WriteSets::current(Target target) {
  for (;;) {
    Slot& slot = slots_[target];
    if (auto set = awake(target)) co_return SetUse(core_.shared_from_this(), set);
    if (slot.opening) {
      std::optional<Error> error = co_await suspend<std::optional<Error>>(
          [&slot](Resolver<std::optional<Error>> resolve) { slot.waiting.push_back(resolve); });
      if (error) co_return fail(*error);
      continue;
    }
    slot.opening = true;
    auto opened = co_await open_or_wake(target, slot.set);
    slot.opening = false;
    if (opened) slot.set = *opened;
    give(slot, opened ? std::nullopt : std::optional<Error>(opened.error()));
    if (!opened) co_return fail(opened.error());
  }
}

std::shared_ptr<OpenSet> WriteSets::awake(Target target) const {
  std::vector<Target> targets{target};
  // Copies that free space use the clients' set while there is one.
  if (target.purpose == Purpose::reclaim)
    targets.insert(targets.begin(), {target.parity, Purpose::client});
  for (const Target& each : targets) {
    auto slot = slots_.find(each);
    if (slot != slots_.end() && slot->second.set && !slot->second.set->resting)
      return slot->second.set;
  }
  return nullptr;
}

uint64_t WriteSets::room(Target target, uint64_t bytes_max) const {
  auto fitting = [bytes_max](const OpenSet& set, uint64_t room) {
    return Striping::fitting(set.set().data_shards, kPieceBytes, bytes_max, room);
  };
  const auto set = awake(target);
  const uint64_t here = set ? fitting(*set, set->room()) : 0;
  const uint64_t in_new = body_room(candidates(), rules_for(target), bytes_max - here);
  if (set) return here + in_new;
  auto slot = slots_.find(target);
  if (slot == slots_.end() || !slot->second.set || !can_wake(target, *slot->second.set))
    return in_new;
  const OpenSet& resting = *slot->second.set;  // It would take room that new ones would.
  return std::max(in_new, fitting(resting, resting.set().member_bytes - resting.good_end()));
}

void WriteSets::give(Slot& slot, std::optional<Error> error) {
  auto waiting = std::move(slot.waiting);
  slot.waiting.clear();
  for (const auto& resolve : waiting) resolve(error);
}

PlacementRules WriteSets::rules_for(Target target) const {
  PlacementRules rules;
  rules.parity = target.parity;
  rules.rotation = core_.ledger.state()->next_set;
  rules.member_bytes_max = core_.options.member_bytes_max;
  rules.reserve_extra_bytes = core_.options.reserve_extra_bytes;
  rules.purpose = target.purpose;
  return rules;
}

Task<Result<std::shared_ptr<OpenSet>>> WriteSets::open_or_wake(Target target,
                                                               std::shared_ptr<OpenSet> set) {
  if (!set) co_return co_await open(target);
  const bool awake = co_await reserve_again(target, set);
  if (awake) co_return set;
  retire(set);
  co_return co_await open(target);
}

bool WriteSets::can_wake(Target target, const OpenSet& set) const {
  const uint64_t bytes = set.set().member_bytes - set.good_end();
  for (DriveId member : set.set().members) {
    std::shared_ptr<Drive> drive = core_.drives.online(member);
    auto space = drive ? drive->space() : fail(Errc::unavailable, "a drive went offline");
    if (!space || space->free_bytes < bytes + reserve_bytes(*space, rules_for(target)))
      return false;
  }
  return true;
}

// False: somebody else took the room meanwhile, or a member failed.
Task<bool> WriteSets::reserve_again(Target target, std::shared_ptr<OpenSet> set) {
  if (!can_wake(target, *set)) co_return false;
  const bool reserved = co_await resize(set, set->set().member_bytes);
  if (reserved) set->resting = false;
  co_return reserved;
}

Task<bool> WriteSets::resize(std::shared_ptr<OpenSet> set, uint64_t bytes) {
  set->resizing = true;
  std::vector<MemberError> errors = co_await set->resize(bytes);
  set->resizing = false;
  members_failed(set, std::move(errors));
  seal_when_idle(set);  // If it was retired meanwhile.
  co_return !set->retired;
}

std::vector<std::shared_ptr<OpenSet>> WriteSets::idle(int64_t idle_ns) const {
  const int64_t now_ns = core_.loop.clock().monotonic_ns();
  std::vector<std::shared_ptr<OpenSet>> out;
  for (const auto& [target, slot] : slots_)
    if (slot.set && !slot.opening && slot.set->users == 0 &&
        now_ns - slot.set->unused_since_ns >= idle_ns)
      out.push_back(slot.set);
  return out;
}

Task<void> WriteSets::rest(std::shared_ptr<OpenSet> set) {
  auto it = std::find_if(slots_.begin(), slots_.end(),
                         [&](const auto& entry) { return entry.second.set == set; });
  if (it == slots_.end() || it->second.opening || set->users > 0 || set->resting) co_return;
  Slot& slot = it->second;
  slot.opening = set->resting = true;
  (void)co_await resize(set, set->good_end());
  slot.opening = false;
  give(slot, std::nullopt);
}

std::vector<Candidate> WriteSets::candidates() const {
  std::vector<Candidate> out;
  for (const auto& entry : core_.drives.all_online())
    if (auto space = entry.drive->space()) out.push_back({entry.id, *space});
  return out;
}

Task<Result<std::shared_ptr<OpenSet>>> WriteSets::open(Target target) {
  std::set<DriveId> full;
  // Each further attempt has one drive less.
  for (size_t attempt = 0; attempt <= core_.drives.size(); ++attempt) {
    std::vector<Candidate> online = candidates();
    for (Candidate& drive : online)
      if (full.contains(drive.id)) drive.space.free_bytes = 0;
    auto draft = place_set(std::move(online), rules_for(target));
    if (!draft) {
      if (draft.error().code == Errc::no_space && on_no_space) on_no_space();
      co_return fail(draft.error());
    }
    SegmentSet copy = *draft;
    copy.incarnation = core_.options.incarnation;
    before_step("set.open");
    auto set = co_await core_.ledger.open_set(std::move(copy));
    if (!set) co_return fail(set.error());
    after_step("set.open");
    auto opened = co_await create_files(*set, full);
    if (opened) {
      (*opened)->unused_since_ns = core_.loop.clock().monotonic_ns();
      open_[set->id] = *opened;
      co_return opened;
    }
    spawn_on(core_.shared_from_this(), drop_unused(core_.shared_from_this(), set->id));
  }
  co_return fail(Errc::no_space, "no set of drives could take a new set");
}

Task<Result<std::shared_ptr<OpenSet>>> WriteSets::create_files(const SegmentSet& set,
                                                               std::set<DriveId>& full) {
  std::vector<Task<Result<std::shared_ptr<File>>>> calls;
  for (uint32_t i = 0; i < set.members.size(); ++i) {
    std::shared_ptr<Drive> drive = core_.drives.online(set.members[i]);
    if (!drive) co_return fail(Errc::unavailable, "a drive went offline");
    std::string header = encode(expected_file_header(core_.options.cluster, set, i));
    calls.push_back(create_member(std::move(drive), set_file_name(set.id), set.member_bytes,
                                  std::move(header)));
  }
  auto files =
      co_await all_within<std::shared_ptr<File>>(std::move(calls), core_.options.drive_timeout_ns);
  std::vector<std::shared_ptr<File>> opened;
  std::optional<Error> error;
  for (uint32_t i = 0; i < files.size(); ++i) {
    if (files[i]) {
      opened.push_back(*files[i]);
      continue;
    }
    error = files[i].error();
    if (error->code == Errc::no_space)
      full.insert(set.members[i]);
    else
      core_.drive_failed(set.members[i], *error);
  }
  if (error) co_return fail(*error);
  for (uint32_t i = 0; i < opened.size(); ++i)
    core_.files.adopt(set.id, i, set.members[i], opened[i]);
  co_return std::make_shared<OpenSet>(core_.loop, core_.options.drive_timeout_ns, set, opened);
}

Task<Result<Region>> WriteSets::striped_region(Target target, ReservationId reservation,
                                               uint64_t body_bytes) {
  for (;;) {
    auto use = co_await current(target);
    if (!use) co_return fail(use.error());
    const uint32_t k = (*use)->set().data_shards;
    const uint64_t fitting = Striping::fitting(k, kPieceBytes, body_bytes, (*use)->room());
    if (fitting == 0) {
      retire(use->set());
      continue;
    }
    Region region;
    region.body_bytes = fitting;
    region.offset = (*use)->allocate(Striping{k, kPieceBytes, fitting}.member_bytes());
    core_.reservations.uses(reservation, (*use)->id());
    region.use = std::move(*use);
    co_return region;
  }
}

void WriteSets::retire(const std::shared_ptr<OpenSet>& set) {
  set->retired = true;
  for (auto& [target, slot] : slots_)
    if (slot.set == set) slot.set.reset();
  seal_when_idle(set);
}

void WriteSets::fail_set(const std::shared_ptr<OpenSet>& set) {
  set->mark_failed();
  retire(set);
}

void WriteSets::members_failed(const std::shared_ptr<OpenSet>& set,
                               std::vector<MemberError> errors) {
  if (errors.empty()) return;
  for (const MemberError& error : errors)
    if (error.error.code != Errc::no_space)
      core_.drive_failed(set->set().members[error.member], error.error);
  fail_set(set);
}

void WriteSets::drive_offline(DriveId drive) {
  std::vector<std::shared_ptr<OpenSet>> affected;
  for (const auto& [id, set] : open_)
    if (std::count(set->set().members.begin(), set->set().members.end(), drive) > 0)
      affected.push_back(set);
  for (const auto& set : affected) fail_set(set);
}

void WriteSets::placement_changed() {
  std::vector<std::shared_ptr<OpenSet>> sets;
  for (auto& [target, slot] : slots_)
    if (slot.set) sets.push_back(slot.set);
  for (const auto& set : sets) retire(set);
}

void WriteSets::released(const std::shared_ptr<OpenSet>& set) {
  --set->users;
  set->unused_since_ns = core_.loop.clock().monotonic_ns();
  seal_when_idle(set);
}

void WriteSets::seal_when_idle(const std::shared_ptr<OpenSet>& set) {
  if (!set->retired || set->sealing || set->resizing) return;
  // A failed set takes nothing more that counts, so its writers need not be waited for.
  if (set->users > 0 && !set->failed()) return;
  if (core_.stopping) return;  // The next process seals it.
  set->sealing = true;
  auto core = core_.shared_from_this();
  spawn_on(core, seal_open_set(core, set));
}

void WriteSets::sealed(SetId set) { open_.erase(set); }

}  // namespace kura::disk
