// Churn: drives that come and go. They are pulled, put back stale, replaced by empty ones or by
// those that were there before, removed and added, several at the same time.
//
// What the product has to bear is kept to by episodes. One begins when the node has said that
// everything has its full redundancy, and no other change was made since; it touches at most as
// many places as may be lost, whatever is done to each, and ends when the node says so again. Some
// episodes take more drives away than that, and then bring back every one as it was: nothing may be
// lost, and nothing may seem to be.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "sim/drive_admin.h"
#include "sim/sim_drive.h"
#include "sim/sim_node.h"
#include "sim/workload.h"

namespace kura::sim {

class Churn {
 public:
  // REQUIRES: the node has a drive_admin().
  Churn(SimWorld& world, std::vector<std::unique_ptr<SimDisk>>& disks, SimNode& node,
        Probes& probes);
  ~Churn() { cancel(); }
  Churn(const Churn&) = delete;

  void start();
  // The next step now, and not when it is due.
  void nudge();
  // No more changes. Drives answer; those that are away stay so, if so many may be away.
  void settle();
  // Brings every place in order, step by step, until whole().
  void mend();
  // Whether the node said, after the last change, that everything has its full redundancy.
  bool whole() const { return whole_; }
  // Takes as many drives away as may be lost. REQUIRES: whole().
  void take_spare_away();
  bool some_away() const;  // Of those that are counted.
  const std::string& last_seen() const { return seen_.text; }

 private:
  enum class Phase { idle, churning, beyond, mending };
  struct Place {
    std::vector<SimMedium> pile;  // What was there before, oldest first.
    bool out = false;             // Nothing is in it.
    bool touched = false;         // In this episode.
    std::set<uint32_t> counted;   // Devices that were there and that the cluster may count.
    bool unsure = false;          // It may count none of them.
    size_t away() const { return counted.size() - (out || counted.empty() ? 0 : 1); }
  };

  void cancel();
  void plan();
  void tick();
  void look();
  void on_seen(const DrivesSeen& seen);
  bool is_whole(const DrivesSeen& seen) const;
  void begin_episode();
  void begin_beyond();
  void go_beyond();
  void end_beyond();
  void act();
  void mend_one();

  bool bearable() const;
  bool try_it(const std::function<void()>& change);  // False: it would not be bearable.
  bool touch(size_t place);                          // As try_it().
  std::set<size_t> counted() const;
  std::optional<size_t> pick(const std::function<bool(size_t)>& fits);
  void say(const std::string& what, size_t place);
  void changed() { whole_ = false, ++changes_; }
  bool may_pull(size_t place);
  void pull(size_t place);
  void put_back(size_t place);
  bool may_fill(size_t place);
  void put_in(size_t place, SimMedium medium);
  void put_empty(size_t place);
  void put_old(size_t place);
  void add(size_t place);
  void remove(size_t place);
  void grow();
  void trouble(size_t place);
  void end_trouble();
  bool is_out(size_t place) const { return places_[place].out; }

  SimWorld& world_;
  std::vector<std::unique_ptr<SimDisk>>& disks_;
  SimNode& node_;
  DriveAdmin& admin_;
  Probes& probes_;
  SimRandom random_;
  int64_t mean_ns_;
  Phase phase_ = Phase::idle;
  bool ending_ = false;  // No episode begins any more.
  std::vector<Place> places_;
  uint32_t budget_ = 0;  // Places that this episode may touch.
  uint64_t actions_left_ = 0;
  uint64_t changes_ = 0;
  bool whole_ = false;
  DrivesSeen seen_;
  uint64_t seen_changes_ = 0;  // When it was asked for.
  SimWorld::Event next_;
};

}  // namespace kura::sim
