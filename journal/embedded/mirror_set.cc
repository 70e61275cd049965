#include "journal/embedded/mirror_set.h"

#include <algorithm>

#include "base/counted.h"
#include "base/joined.h"

namespace kura::journal {
namespace {

template <class Id>
bool contains(const std::vector<Id>& ids, const Id& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

size_t count_of(const std::vector<DriveId>& drives, const std::vector<DriveId>& on) {
  return std::count_if(on.begin(), on.end(),
                       [&drives](const DriveId& drive) { return contains(drives, drive); });
}

// Without the drives `on`, those of `drives` are too few either for a start (n - m) or for the
// mirrors of an append (m + 1).
bool binds(const std::vector<DriveId>& drives, uint32_t parity, const std::vector<DriveId>& on) {
  return count_of(drives, on) >= std::min(parity + size_t{1}, drives.size() - parity);
}

bool is_of(const MirrorSet& set, const Sighting& seen) {
  return seen.set && seen.set->journal == set.journal;
}

// Whether the process that wrote `later` cannot have gone on from `set`: it had to have a promise
// on so many of its drives first, and too many of them hold `set`, or what that was built on, and
// know of no promise. Where `set` changes the drives it may have got half-way: then those before
// count.
bool refutes(const MirrorSet& set, const MirrorSet& later, const std::vector<Sighting>& sightings) {
  if (set.knows(later.writer)) return false;
  std::vector<DriveId> may_have_promised = set.drives;
  for (const DriveId& drive : set.drives_before)
    if (!set.has_drive(drive)) may_have_promised.push_back(drive);
  for (const Sighting& seen : sightings) {
    if (!is_of(set, seen) || is_other_history(set, seen)) continue;
    if (!seen.set->knows(later.writer)) std::erase(may_have_promised, seen.drive);
  }
  std::vector<DriveId> holders;
  for (const Sighting& seen : sightings)
    if (seen.set && same_set(*seen.set, set)) holders.push_back(seen.drive);
  return !binds(set.drives, set.parity, may_have_promised) &&
         (set.drives_before.empty() || suffices(set, holders) ||
          !binds(set.drives_before, set.parity_before, may_have_promised));
}

bool is_refuted(const MirrorSet& set, const std::vector<Sighting>& sightings) {
  return std::any_of(sightings.begin(), sightings.end(), [&](const Sighting& seen) {
    return is_of(set, seen) && refutes(*seen.set, set, sightings);
  });
}

// Those that hold a set on which `set` was built, or itself.
std::vector<DriveId> witnesses_of(const MirrorSet& set, const std::vector<Sighting>& sightings,
                                  std::vector<std::string>* labels = nullptr) {
  std::vector<DriveId> witnesses;
  for (const Sighting& seen : sightings) {
    const bool begun = set.generation == 0 && !seen.problem;
    if (!begun && (!is_of(set, seen) || is_other_history(set, seen))) continue;
    witnesses.push_back(seen.drive);
    if (labels) labels->push_back(seen.label);
  }
  return witnesses;
}

bool has_enough(const MirrorSet& set, const std::vector<DriveId>& witnesses) {
  return count_of(set.drives, witnesses) >= set.drives.size() - set.parity;
}

Result<void> check_one_journal(const std::vector<Sighting>& sightings) {
  const Sighting* first = nullptr;
  for (const Sighting& seen : sightings) {
    if (seen.problem && seen.problem->code == Errc::unsupported)
      return fail(Errc::unsupported, seen.label + ": " + seen.problem->detail);
    if (!seen.set || seen.set->generation == 0) continue;
    if (!first) first = &seen;
    if (!is_of(*first->set, seen))
      return fail(Errc::exists, seen.label + " holds another journal (" +
                                    to_hex(seen.set->journal) + ") than " + first->label + " (" +
                                    to_hex(first->set->journal) +
                                    "); start with the drives of one cluster");
  }
  return {};
}

// The one of the highest generation of which nothing says that it is of another history.
Result<const MirrorSet*> newest(const std::vector<Sighting>& sightings) {
  const MirrorSet* best = nullptr;
  std::vector<std::string> damaged, holders;
  for (const Sighting& seen : sightings) {
    if (seen.problem) damaged.push_back(seen.label + ": " + seen.problem->detail);
    if (!seen.set) continue;
    holders.push_back(seen.label);
    if (best && seen.set->generation <= best->generation) continue;
    if (!is_refuted(*seen.set, sightings)) best = &*seen.set;
  }
  if (best) return best;
  if (!holders.empty())
    return fail(Errc::corrupt, "the drives hold more than one history of this store (" +
                                   joined(holders) +
                                   "): copies of it went on by themselves; start with the drives "
                                   "of one of them");
  if (!damaged.empty())
    return fail(Errc::unavailable,
                "no drive has a readable journal record (" + joined(damaged) + ")");
  return fail(Errc::not_found, "no drive has a journal");
}

// With half of the drives able to go on without the others (n = 2m) two halves may have done so.
Result<void> check_one_history(const MirrorSet& best, const std::vector<Sighting>& sightings) {
  for (const Sighting& seen : sightings) {
    if (!is_other_history(best, seen)) continue;
    std::vector<std::string> ours, theirs;
    const std::vector<DriveId> witnesses = witnesses_of(*seen.set, sightings, &theirs);
    if (is_refuted(*seen.set, sightings) || !has_enough(*seen.set, witnesses)) continue;
    witnesses_of(best, sightings, &ours);
    return fail(Errc::corrupt, "the drives hold two histories of this store, one on " +
                                   joined(ours) + " and one on " + joined(theirs) +
                                   ": start with those of one of them");
  }
  return {};
}

// Which drives show sets of the same process.
std::string histories(const std::vector<Sighting>& sightings) {
  std::vector<WriterId> writers;
  std::vector<std::vector<std::string>> labels;
  for (const Sighting& seen : sightings) {
    if (!seen.set || seen.set->generation == 0) continue;
    auto at = std::find(writers.begin(), writers.end(), seen.set->writer) - writers.begin();
    if (at == std::ssize(writers)) {
      writers.push_back(seen.set->writer);
      labels.emplace_back();
    }
    labels[static_cast<size_t>(at)].push_back(seen.label);
  }
  std::string out;
  for (const auto& of_one : labels) out += (out.empty() ? "" : "; ") + joined(of_one);
  return out;
}

// Why drives that are here are no witnesses of `set`; empty: all are.
std::string useless_ones(const MirrorSet& set, const std::vector<Sighting>& sightings) {
  std::vector<std::string> why;
  bool others = false;
  for (const Sighting& seen : sightings) {
    if (seen.problem) why.push_back(seen.label + ": " + seen.problem->detail);
    if (!seen.problem && !seen.set) why.push_back(seen.label + ": none");
    others = others || is_other_history(set, seen);
  }
  if (others) why.push_back("different histories of this store: " + histories(sightings));
  return why.empty() ? "" : " (" + joined(why) + ")";
}

Result<void> check_enough(const MirrorSet& set, const std::vector<Sighting>& sightings) {
  const std::vector<DriveId> witnesses = witnesses_of(set, sightings);
  const size_t seen = count_of(set.drives, witnesses);
  if (!has_enough(set, witnesses)) {
    return fail(Errc::unavailable, "the journal needs " +
                                       std::to_string(set.drives.size() - set.parity) + " of its " +
                                       counted(set.drives.size(), "drive") +
                                       " to be sure of its newest records, and " +
                                       std::to_string(seen) + (seen == 1 ? " has" : " have") +
                                       " a readable record" + useless_ones(set, sightings));
  }
  std::vector<DriveId> holders;
  for (const Sighting& one : sightings)
    if (one.set && one.set->generation == set.generation && contains(witnesses, one.drive))
      holders.push_back(one.drive);
  // What changes the drives may have got half-way: then those before it count as well.
  const size_t seen_before = count_of(set.drives_before, witnesses);
  const size_t need_before = set.drives_before.size() - set.parity_before;
  if (suffices(set, holders) || seen_before >= need_before) return {};
  return fail(Errc::unavailable, "the journal's drives were being changed, and it needs " +
                                     std::to_string(need_before) + " of the " +
                                     std::to_string(set.drives_before.size()) +
                                     " before to be sure of its newest records; " +
                                     std::to_string(seen_before) +
                                     (seen_before == 1 ? " has" : " have") + " a readable record");
}

// One generation is one set, in one history.
Result<void> check_one_of_generation(const MirrorSet& set, const std::vector<Sighting>& sightings) {
  std::vector<std::string> ours, theirs;
  for (const Sighting& seen : sightings) {
    if (!is_of(set, seen) || seen.set->generation != set.generation) continue;
    if (is_other_history(set, seen)) continue;
    (same_set(*seen.set, set) ? ours : theirs).push_back(seen.label);
  }
  if (theirs.empty()) return {};
  return fail(Errc::corrupt, "two different journal records of generation " +
                                 std::to_string(set.generation) + ", on " + theirs.front() +
                                 " and " + ours.front() +
                                 ": two kura went on with different drives; start with those of "
                                 "one of them");
}

}  // namespace

bool MirrorSet::has_member(const DriveId& drive) const { return contains(members, drive); }
bool MirrorSet::has_drive(const DriveId& drive) const { return contains(drives, drive); }
bool MirrorSet::has_removed(const DriveId& drive) const {
  return std::any_of(removed.begin(), removed.end(),
                     [&drive](const Removed& one) { return one.drive == drive; });
}
bool MirrorSet::knows(const WriterId& process) const {
  return process == writer || contains(writers, process);
}

void MirrorSet::announce(const WriterId& process) {
  if (!knows(process)) writers.push_back(process);
}

void MirrorSet::sign(const WriterId& process) {
  if (process == writer) return;
  std::erase(writers, process);
  writers.push_back(writer);
  writer = process;
  lagging = drives;
  // What the set removes still counts until it is in force, and is shown it too. It lags as well,
  // and the writers are forgotten once the others do no more.
  for (const DriveId& drive : drives_before) {
    if (has_drive(drive)) continue;
    for (const WriterId& before : writers) remember_removed(drive, before);
    remember_removed(drive, process);
  }
}

void MirrorSet::note_removed(const DriveId& drive) {
  std::erase_if(removed, [&drive](const Removed& one) { return one.drive == drive; });
  if (contains(lagging, drive))
    for (const WriterId& before : writers) remember_removed(drive, before);
  remember_removed(drive, writer);
}

void MirrorSet::remember_removed(const DriveId& drive, const WriterId& shown) {
  const Removed one{drive, shown};
  if (!contains(removed, one)) removed.push_back(one);
  if (removed.size() > kRemovedMax) removed.erase(removed.begin());
}

bool is_other_history(const MirrorSet& set, const Sighting& seen) {
  if (!is_of(set, seen) || seen.set->generation == 0) return false;
  if (seen.set->generation > set.generation) return true;
  if (seen.set->writer == set.writer) return false;
  if (set.has_drive(seen.drive))
    return !set.knows(seen.set->writer) || !contains(set.lagging, seen.drive);
  // What joined half-way holds nothing of its own.
  const std::vector<DriveId>& before = seen.set->drives_before;
  const bool joined =
      before.empty() ? seen.set->has_drive(seen.drive) : contains(before, seen.drive);
  const MirrorSet::Removed shown{seen.drive, seen.set->writer};
  return joined && !set.knows(shown.writer) && !contains(set.removed, shown);
}

void note_writers(MirrorSet& set, const std::vector<Sighting>& sightings) {
  std::vector<WriterId> shown, known = set.writers;
  std::vector<DriveId> here;
  auto add = [&set](std::vector<WriterId>& writers, const WriterId& writer) {
    if (writer != set.writer && !contains(writers, writer)) writers.push_back(writer);
  };
  for (const Sighting& seen : sightings) {
    const bool counts = set.has_drive(seen.drive) || contains(set.drives_before, seen.drive);
    if (!counts || !is_of(set, seen) || is_other_history(set, seen)) continue;
    here.push_back(seen.drive);
    add(shown, seen.set->writer);
    for (const WriterId& writer : seen.set->writers) add(known, writer);
  }
  const bool all = count_of(set.drives, here) == set.drives.size() &&
                   count_of(set.drives_before, here) == set.drives_before.size();
  // With so many starts since a drive was here, nobody needs what it holds.
  const size_t room = kWritersMax - 2 - std::min(kWritersMax - 2, shown.size());
  std::erase_if(known, [&shown](const WriterId& one) { return contains(shown, one); });
  if (all) known.clear();
  if (known.size() > room) known.erase(known.begin(), known.end() - static_cast<ptrdiff_t>(room));
  set.writers = std::move(known);
  set.writers.insert(set.writers.end(), shown.begin(), shown.end());
}

bool same_set(const MirrorSet& a, const MirrorSet& b) {
  MirrorSet as_b = a;
  as_b.promised = b.promised;
  as_b.writers = b.writers;
  as_b.lagging = b.lagging;
  as_b.removed = b.removed;
  return as_b == b;
}

bool binds(const MirrorSet& set, const std::vector<DriveId>& on) {
  return binds(set.drives, set.parity, on) &&
         (set.drives_before.empty() || binds(set.drives_before, set.parity_before, on));
}

bool suffices(const MirrorSet& set, const std::vector<DriveId>& on) {
  return count_of(set.drives, on) > set.parity && binds(set, on);
}

Result<MirrorSet> choose_mirror_set(const std::vector<Sighting>& sightings) {
  if (auto one = check_one_journal(sightings); !one) return fail(one.error());
  auto best = newest(sightings);
  if (!best) return fail(best.error());
  const MirrorSet& set = **best;
  for (auto check : {check_one_of_generation, check_one_history, check_enough})
    if (auto right = check(set, sightings); !right) return fail(right.error());
  if (set.generation == 0) return fail(Errc::not_found, "the journal's creation was interrupted");
  return set;
}

}  // namespace kura::journal
