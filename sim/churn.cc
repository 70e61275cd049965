#include "sim/churn.h"

#include <algorithm>
#include <tuple>

namespace kura::sim {
namespace {

constexpr size_t kPileMax = 4;
constexpr int64_t kMendNs = 200 * kMillisecond;
constexpr size_t kDrivesMin = 2;

}  // namespace

Churn::Churn(SimWorld& world, std::vector<std::unique_ptr<SimDisk>>& disks, SimNode& node,
             Probes& probes)
    : world_(world),
      disks_(disks),
      node_(node),
      admin_(*node.drive_admin()),
      probes_(probes),
      random_(world.random("churn")),
      mean_ns_(random_.between(20, 400) * kMillisecond),
      places_(disks.size()) {}

void Churn::start() {
  phase_ = Phase::mending;
  plan();
}

void Churn::cancel() {
  if (phase_ != Phase::idle) world_.cancel(next_);
  phase_ = Phase::idle;
}

void Churn::plan() {
  next_ = world_.after(random_.exponential(mean_ns_), [this] { tick(); });
}

void Churn::tick() {
  plan();
  if (phase_ == Phase::churning && actions_left_-- > 0) return act();
  if (phase_ == Phase::beyond && actions_left_-- > 0) return go_beyond();
  if (phase_ == Phase::beyond) end_beyond();
  phase_ = Phase::mending;
  if (random_.pick(2) == 0) mend_one();
  look();
}

void Churn::settle() {
  ending_ = true;
  if (phase_ == Phase::beyond) end_beyond();
  end_trouble();
  cancel();
}

void Churn::mend() {
  ending_ = true;
  mean_ns_ = kMendNs;
  phase_ = Phase::mending;
  plan();
}

void Churn::look() {
  const uint64_t changes = changes_;
  admin_.look([this, changes](const DrivesSeen& seen) {
    seen_ = seen;
    seen_changes_ = changes;
    // Outside the loops of the node.
    if (changes == changes_)
      world_.after(0, [this, changes, seen] {
        if (changes == changes_ && phase_ == Phase::mending) on_seen(seen);
      });
  });
}

bool Churn::is_whole(const DrivesSeen& seen) const {
  if (!seen.redundant) return false;
  for (size_t i = 0; i < admin_.named(); ++i) {
    if (seen.known[i] ? !seen.serves[i] : !is_out(i)) return false;
    if (!is_out(i) && (disks_[i]->hung() || disks_[i]->dead())) return false;
  }
  return true;
}

void Churn::on_seen(const DrivesSeen& seen) {
  if (!is_whole(seen)) return;
  if (!whole_) ++probes_["churn: everything has its full redundancy again"];
  world_.say("churn: whole; " + std::to_string(seen.spare) + " may be lost");
  whole_ = true;
  for (size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    place.touched = place.unsure = false;
    place.counted.clear();
    if (seen_.known[i]) place.counted.insert(disks_[i]->device());
  }
  if (!ending_) begin_episode();
}

void Churn::begin_episode() {
  budget_ = seen_.spare;
  if (random_.pick(6) == 0) return begin_beyond();
  phase_ = Phase::churning;
  actions_left_ = random_.between(1, 10);
}

// More than may be lost, at once or one by one, and not always the same.
void Churn::begin_beyond() {
  phase_ = Phase::beyond;
  actions_left_ = random_.pick(12);
  ++probes_["churn: more drives away than may be lost"];
  if (actions_left_ > 3) return;
  const auto all = static_cast<int64_t>(counted().size());
  for (int64_t left = random_.between(budget_ + 1, all); left > 0; --left) go_beyond();
}

void Churn::go_beyond() {
  const bool back = actions_left_ > 3 && random_.pick(2) == 0;
  const auto i = pick([&](size_t p) { return !places_[p].counted.empty() && is_out(p) == back; });
  if (!i) return;
  if (back)
    put_back(*i);
  else
    pull(*i);
}

void Churn::nudge() {
  if (phase_ == Phase::idle) return;
  world_.cancel(next_);
  tick();
}

void Churn::end_beyond() {
  for (size_t i = 0; i < places_.size(); ++i)
    if (is_out(i) && !places_[i].counted.empty()) put_back(i);
  ++probes_["churn: all drives back after too many were away"];
}

bool Churn::some_away() const {
  return std::any_of(places_.begin(), places_.end(),
                     [](const Place& place) { return place.away() > 0; });
}

void Churn::say(const std::string& what, size_t place) {
  ++probes_["churn: " + what.substr(0, what.find_last_not_of("0123456789") + 1)];
  world_.say("churn: drive " + std::to_string(place + 1) + ": " + what);
}

std::set<size_t> Churn::counted() const {
  std::set<size_t> all;
  for (size_t i = 0; i < places_.size(); ++i)
    if (!places_[i].counted.empty()) all.insert(i);
  return all;
}

std::optional<size_t> Churn::pick(const std::function<bool(size_t)>& fits) {
  std::vector<size_t> all;
  for (size_t i = 0; i < places_.size(); ++i)
    if (fits(i)) all.push_back(i);
  if (all.empty()) return std::nullopt;
  return all[random_.pick(all.size())];
}

// A start has to see enough of the drives that are counted, whichever of those that may be are.
bool Churn::bearable() const {
  size_t touched = 0, certain = 0, away = 0;
  std::vector<size_t> unsure_away;
  for (const Place& place : places_) {
    touched += place.touched;
    if (place.unsure) {
      unsure_away.push_back(place.away());
    } else if (!place.counted.empty()) {
      ++certain;
      away += place.away();
    }
  }
  if (touched > budget_) return false;
  for (size_t subset = 0; subset < size_t{1} << unsure_away.size(); ++subset) {
    size_t drives = certain, gone = away;
    for (size_t i = 0; i < unsure_away.size(); ++i) {
      if (!(subset >> i & 1)) continue;
      ++drives;
      gone += unsure_away[i];
    }
    if (gone > std::min(budget_, admin_.parity(drives))) return false;
  }
  return true;
}

bool Churn::try_it(const std::function<void()>& change) {
  std::vector<std::tuple<bool, bool, std::set<uint32_t>, bool>> before;
  for (Place& p : places_) before.emplace_back(p.out, p.touched, p.counted, p.unsure);
  change();
  const bool good = bearable();
  for (size_t i = 0; !good && i < places_.size(); ++i)
    std::tie(places_[i].out, places_[i].touched, places_[i].counted, places_[i].unsure) = before[i];
  return good;
}

bool Churn::touch(size_t i) {
  return try_it([&] { places_[i].touched = true; });
}

bool Churn::may_pull(size_t i) {
  const bool good = try_it([&] { places_[i].touched = places_[i].out = true; });
  if (good) places_[i].out = false;
  return good;
}

// What is put into a place that no drive is counted in may be counted from now on.
bool Churn::may_fill(size_t i) {
  Place& place = places_[i];
  if (!place.counted.empty()) return true;
  return try_it([&] {
    place.counted.insert(0);
    place.unsure = true;
  });
}

void Churn::act() {
  const auto present = pick([this](size_t i) { return !places_[i].counted.empty() && !is_out(i); });
  const auto away = pick([this](size_t i) { return places_[i].touched && is_out(i); });
  const uint64_t kind = random_.pick(12);
  if (kind == 0) return grow();
  if (kind <= 4 || !away) {
    if (!present || !touch(*present)) return;
    if (kind == 1) return trouble(*present);
    if (random_.pick(4) == 0) return add(*present);  // By mistake, or because it was offline.
    if (!may_pull(*present)) return;
    pull(*present);
    if (kind == 2) put_back(*present);  // At once.
    return;
  }
  if (kind >= 10) return remove(*away);
  if (!may_fill(*away)) return;
  if (kind <= 6)
    put_back(*away);
  else if (kind <= 8)
    put_empty(*away);
  else
    put_old(*away);
  if (random_.pick(2) == 0) add(*away);
}

void Churn::pull(size_t i) {
  changed();
  Place& place = places_[i];
  place.pile.push_back(disks_[i]->take_out(static_cast<Unsynced>(random_.pick(4))));
  if (place.pile.size() > kPileMax) place.pile.erase(place.pile.begin());
  place.out = true;
  say("pulled", i);
}

void Churn::put_in(size_t i, SimMedium medium) {
  changed();
  places_[i].out = false;
  places_[i].counted.erase(0);
  places_[i].counted.insert(medium.device);
  say("put in device " + std::to_string(medium.device), i);
  disks_[i]->put_in(std::move(medium));
}

void Churn::put_back(size_t i) {
  std::vector<SimMedium>& pile = places_[i].pile;
  if (pile.empty()) return put_empty(i);
  SimMedium medium = std::move(pile.back());
  pile.pop_back();
  put_in(i, std::move(medium));
  ++probes_["churn: drive put back"];
}

void Churn::put_empty(size_t i) {
  put_in(i, disks_[i]->new_medium());
  ++probes_["churn: empty drive in the place of another"];
}

// One that was there before the last one.
void Churn::put_old(size_t i) {
  Place& place = places_[i];
  if (place.pile.size() < 2) return put_back(i);
  std::swap(place.pile[random_.pick(place.pile.size() - 1)], place.pile.back());
  put_back(i);
  ++probes_["churn: drive that was replaced put back"];
}

void Churn::add(size_t i) {
  changed();
  if (i >= admin_.named()) admin_.name(i + 1);
  say("add", i);
  const uint32_t insertion = disks_[i]->insertion();
  admin_.add(i, [this, i, insertion](bool done) {
    ++changes_;
    say(done ? "added" : "not added", i);
    // Whatever was there before is forgotten.
    if (!done || disks_[i]->insertion() != insertion) return;
    places_[i].counted = {disks_[i]->device()};
    places_[i].unsure = false;
  });
}

void Churn::remove(size_t i) {
  Place& place = places_[i];
  if (place.counted.size() != 1 || place.unsure || counted().size() <= kDrivesMin) return;
  if (!try_it([&] { place.unsure = true; })) return;
  changed();
  say("rm", i);
  const uint32_t insertion = disks_[i]->insertion();
  admin_.remove(i, [this, i, insertion](bool done) {
    ++changes_;
    say(done ? "removed" : "not removed", i);
    if (!done || disks_[i]->insertion() != insertion) return;
    places_[i].counted.clear();
    places_[i].unsure = false;
  });
}

// A drive in a new place: an empty one, or one that was removed elsewhere.
void Churn::grow() {
  const size_t i = admin_.named();
  if (i >= places_.size() || !touch(i) || !may_fill(i)) return;
  const auto removed = pick([this](size_t j) {
    return places_[j].counted.empty() && is_out(j) && !places_[j].pile.empty();
  });
  if (removed && random_.pick(2) == 0) {
    std::vector<SimMedium>& pile = places_[*removed].pile;
    SimMedium medium = std::move(pile.back());
    pile.pop_back();
    put_in(i, std::move(medium));
    ++probes_["churn: drive that was removed added elsewhere"];
  } else {
    put_in(i, disks_[i]->new_medium());
  }
  ++probes_["churn: drive in a new place"];
  add(i);
}

// It is there, and does not do what it should.
void Churn::trouble(size_t i) {
  changed();
  SimDisk& disk = *disks_[i];
  if (disk.hung() || disk.dead()) {
    disk.set_hung(false);
    disk.set_dead(false);
    say("answers again", i);
    return;
  }
  switch (random_.pick(3)) {
    case 0:
      disk.set_hung(true);
      say("hangs", i);
      break;
    case 1:
      disk.set_dead(true);
      say("gone", i);
      break;
    default:
      disk.set_slow(static_cast<uint32_t>(random_.between(1, 50)));
      say("slow", i);
      break;
  }
}

void Churn::end_trouble() {
  changed();
  for (size_t i = 0; i < places_.size(); ++i) {
    disks_[i]->set_slow(1);
    disks_[i]->set_hung(false);
    if (!is_out(i)) disks_[i]->set_dead(false);
  }
}

// What an operator does who wants every place in order. No place is touched that was not.
void Churn::mend_one() {
  const auto i = pick([this](size_t p) {
    const bool fine = seen_changes_ == changes_ && !seen_.serves.empty() && seen_.serves[p];
    return p < admin_.named() && !fine && (!places_[p].counted.empty() || !is_out(p));
  });
  if (!i) return;
  Place& place = places_[*i];
  if (!is_out(*i)) {
    if (disks_[*i]->hung() || disks_[*i]->dead()) return trouble(*i);
    disks_[*i]->set_slow(1);
    if (random_.pick(2) == 0) add(*i);
    return;
  }
  // One that hangs or fails may still be needed; but this one was touched, or all are as they were.
  if (place.touched && (place.pile.empty() || random_.pick(3) == 0))
    put_empty(*i);
  else
    put_back(*i);
}

void Churn::take_spare_away() {
  cancel();
  end_trouble();
  for (uint32_t left = seen_.spare; left > 0; --left)
    if (const auto i = pick([this](size_t p) { return seen_.serves[p] && !is_out(p); })) pull(*i);
}

}  // namespace kura::sim
