// WriteSets: which open set takes the next bytes. Opens sets, fails over from a set whose member
// failed, and seals what is full or failed. On the pool's loop only.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "actors/disk/open_set.h"
#include "actors/disk/placement.h"

namespace kura::disk {

// Where a body goes: how much parity, and whether it may use the reserve.
struct Target {
  uint32_t parity = 0;
  Purpose purpose = Purpose::client;
  auto operator<=>(const Target&) const = default;
};

// Keeps a set from being sealed as full while its holder may still write to it. Movable between
// loops; gives back on the pool's loop when it is destroyed.
class SetUse {
 public:
  SetUse() = default;
  SetUse(std::shared_ptr<DiskCore> core, std::shared_ptr<OpenSet> set);  // On the pool's loop.
  SetUse(SetUse&&) = default;
  SetUse& operator=(SetUse&& other) noexcept;
  ~SetUse() { reset(); }
  void reset();
  OpenSet* operator->() const { return set_.get(); }
  explicit operator bool() const { return set_ != nullptr; }
  const std::shared_ptr<OpenSet>& set() const { return set_; }

 private:
  std::shared_ptr<DiskCore> core_;
  std::shared_ptr<OpenSet> set_;
};

// Room for rows of one body.
struct Region {
  SetUse use;
  uint64_t offset = 0;      // Of its first stripe.
  uint64_t body_bytes = 0;  // It takes so many.
};

class WriteSets {
 public:
  explicit WriteSets(DiskCore& core) : core_(core) {}

  // The open set for `target`, opened if need be. Errors: unavailable, no_space.
  Task<Result<SetUse>> current(Target target);
  // Room for up to `body_bytes`, at least one row of it. The reservation uses the set from now on.
  Task<Result<Region>> striped_region(Target target, ReservationId reservation,
                                      uint64_t body_bytes);
  // How much of a body of so many bytes finds room now.
  uint64_t room(Target target, uint64_t bytes_max) const;
  // No more room is handed out in it; sealed when its writers are done.
  void retire(const std::shared_ptr<OpenSet>& set);
  // Fails the set over, and takes drives offline that did more than run full.
  void members_failed(const std::shared_ptr<OpenSet>& set, std::vector<MemberError> errors);
  // Every open set with a member there fails over.
  void drive_offline(DriveId drive);
  void released(const std::shared_ptr<OpenSet>& set);
  void sealed(SetId set);  // Its seal is recorded, or it was dropped.

  // Open sets without a writer for at least so long.
  std::vector<std::shared_ptr<OpenSet>> idle(int64_t idle_ns) const;
  // Cuts the files of an idle set to what they hold. It stays open: the next writer has their room
  // reserved again, so a trickle of writes makes neither sets nor copies.
  Task<void> rest(std::shared_ptr<OpenSet> set);

  // A drive came or was forgotten: the sets in use are retired, for the next ones may be wider.
  void placement_changed();
  bool is_open(SetId set) const { return open_.contains(set); }
  // Below it everything is durable on every member; 0: not open here.
  uint64_t good_end(SetId set) const {
    auto it = open_.find(set);
    return it == open_.end() ? 0 : it->second->good_end();
  }

  // Called when a set could not open for lack of space.
  std::function<void()> on_no_space;

 private:
  struct Slot {
    std::shared_ptr<OpenSet> set;
    bool opening = false;  // Or cut, or reserved again: its set is none to use.
    std::vector<Resolver<std::optional<Error>>> waiting;
  };
  static void give(Slot& slot, std::optional<Error> error);  // To those who wait.
  PlacementRules rules_for(Target target) const;
  std::vector<Candidate> candidates() const;
  // One that takes more as it is; else null.
  std::shared_ptr<OpenSet> awake(Target target) const;
  bool can_wake(Target target, const OpenSet& set) const;
  Task<bool> reserve_again(Target target, std::shared_ptr<OpenSet> set);
  // Whether all members did it and the set is still one to use.
  Task<bool> resize(std::shared_ptr<OpenSet> set, uint64_t bytes);
  Task<Result<std::shared_ptr<OpenSet>>> open_or_wake(Target target, std::shared_ptr<OpenSet> set);
  Task<Result<std::shared_ptr<OpenSet>>> open(Target target);
  Task<Result<std::shared_ptr<OpenSet>>> create_files(const SegmentSet& set,
                                                      std::set<DriveId>& full);
  void seal_when_idle(const std::shared_ptr<OpenSet>& set);
  void fail_set(const std::shared_ptr<OpenSet>& set);

  DiskCore& core_;
  std::map<Target, Slot> slots_;
  std::map<SetId, std::shared_ptr<OpenSet>> open_;  // Written by this process and not yet sealed.
};

}  // namespace kura::disk
