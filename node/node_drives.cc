// Drives that join a running node, are lost, come back or are forgotten, and how many mirrors the
// journal has.

#include <algorithm>

#include "actors/disk/geometry.h"
#include "base/bounded_drive.h"
#include "base/counted.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"
#include "node/node_parts.h"

namespace kura::node {
namespace {

bool is_used(const journal::JournalStatus& journal, DriveId id) {
  auto same = [id](const auto& drive) { return drive.drive == id; };
  return std::any_of(journal.mirrors.begin(), journal.mirrors.end(), same) ||
         std::any_of(journal.other_drives.begin(), journal.other_drives.end(), same);
}

// After an attempt that may have read or copied the log in vain.
constexpr int64_t kFitAgainNs = 60'000'000'000;

}  // namespace

// So many of the cluster's drives may be lost.
uint32_t Node::Parts::parity() const {
  const auto drives = static_cast<uint32_t>(control->state()->drives.size());
  return disk::parity_for(drives, v1::STANDARD, options.parity_standard);
}

// The journal is to survive what new segment sets survive, also when drives were added or removed.
Task<void> Node::Parts::fit_journal() {
  const uint32_t wanted = parity() + 1;
  if (journal->status().mirrors_wanted == wanted) {
    journal_misfit.clear();
    co_return;
  }
  auto done = co_await journal->set_mirror_count(wanted);
  std::string misfit;
  if (!done)
    misfit = "the journal cannot have " + counted(wanted, "mirror") + ": " + done.error().detail;
  const bool in_vain = !done && done.error().code != Errc::no_space;
  fit_again_ns = ports.clock.monotonic_ns() + (in_vain ? kFitAgainNs : 0);
  const std::string before = std::exchange(journal_misfit, misfit);
  if (done)
    ports.log("the journal has " + counted(wanted, "mirror") + " now");
  else if (misfit != before)
    ports.log(misfit);
}

// A drive that serves, and on which the journal could not write or read: a start counts it as one
// that is away.
std::string Node::Parts::drive_without_journal() const {
  const journal::JournalStatus status = journal->status();
  for (const DrivePlace& place : places) {
    if (!serves(place.id) || is_used(status, place.id)) continue;
    std::string which = place.drive->label();
    const std::string begin = which + ": ";
    for (const std::string& failed : status.failed)
      if (failed.starts_with(begin))
        which = failed;  // The last one: others may be of another drive.
    return "the journal does not use " + which;
  }
  return {};
}

// Also for a journal that takes writes: after drives were added it may still have the mirrors of
// before.
std::string Node::Parts::journal_degraded_reason() const {
  const journal::JournalStatus status = journal->status();
  if (const auto& room = journal->lacks_room()) return room->detail;
  if (status.in_doubt)
    return "a change of the journal's mirrors may have got to some drives only, and the record "
           "that undoes it cannot be written yet; nothing is written meanwhile";
  const size_t mirrors = status.mirrors.size();
  if (mirrors >= mirrors_wanted()) return drive_without_journal();
  if (mirrors >= status.mirrors_wanted && !journal_misfit.empty()) return journal_misfit;
  return "the journal has " + std::to_string(mirrors) + " of " +
         counted(mirrors_wanted(), "mirror");
}

uint32_t Node::Parts::mirrors_wanted() const {
  return std::max(journal->status().mirrors_wanted, parity() + 1);
}

// Whether a drive that nobody asked for may be taken where `away` is missing: one that the cluster
// counts, or one in the place of none. A drive that was forgotten, by whatever process, or replaced
// by one that is away, comes back by drive add.
Task<bool> Node::Parts::may_rejoin(std::shared_ptr<Drive> drive, DriveId away) {
  const std::shared_ptr<Drive> answering = bounded(drive, options.drive_timeout_ns);
  const DriveSighting seen = co_await look_at(*answering);
  if (!seen.identity || seen.identity->cluster != membership.cluster) co_return false;
  const DriveId id = seen.identity->drive;
  const auto state = control->state();
  if (state->drives.count(id) && !serves(id)) co_return true;
  const std::string place = drive->label();
  const bool taken = std::any_of(state->drives.begin(), state->drives.end(),
                                 [&](const auto& known) { return known.second == place; });
  if (away.is_nil() && !taken && !journal->was_removed(id) && !serves(id)) co_return true;
  if (strangers.insert(id).second)
    ports.log(drive->label() + (serves(id) ? " holds a copy of a drive that is here already"
                                           : " holds a drive that the cluster does not count; add "
                                             "it to have it"));
  co_return false;
}

Task<Result<DriveId>> Node::Parts::rejoin(std::shared_ptr<Drive> drive) {
  if (ports.claim) {
    auto claimed = ports.claim(*drive);
    if (!claimed) co_return fail(claimed.error());
  }
  co_return co_await join(drive);
}

namespace {

using Mounted = Result<std::shared_ptr<Drive>>;

// Owns all that it uses: it may outlive whoever waits for it.
Task<Mounted> ask_anew(NodePorts::MountedAnew mounted_anew, std::shared_ptr<Drive> away,
                       std::shared_ptr<std::set<std::string>> asked) {
  const std::string place = away->label();
  Mounted anew = co_await mounted_anew(std::move(away));
  asked->erase(place);
  co_return anew;
}

}  // namespace

Task<Mounted> Node::Parts::mounted_anew(std::shared_ptr<Drive> away) {
  if (!ports.mounted_anew || !asked_anew->insert(away->label()).second) co_return nullptr;
  Task<Mounted> asking = ask_anew(ports.mounted_anew, std::move(away), asked_anew);
  co_return co_await within(std::move(asking), options.drive_timeout_ns);
}

// What has a place already and is mounted there anew, with what it held.
Task<void> Node::Parts::take_back() {
  if (!ports.mounted_anew) co_return;
  TurnQueue::Turn turn = co_await drive_turns.enter();
  const std::vector<DriveId> offline = disks->offline();
  for (size_t i = 0; i < places.size(); ++i) {
    const DriveId before = places[i].id;
    const bool away =
        before.is_nil() || std::find(offline.begin(), offline.end(), before) != offline.end();
    if (!away) continue;
    std::shared_ptr<Drive> old = places[i].drive;
    auto anew = co_await mounted_anew(std::move(old));
    if (!anew || !*anew) continue;
    std::shared_ptr<Drive> drive = *anew;
    const bool ours = co_await may_rejoin(drive, before);
    if (!ours) continue;
    auto id = co_await rejoin(drive);
    if (id) {
      use(drive, *id);
      ports.log(drive->label() + " is back");
    } else if (std::exchange(places[i].refusal, id.error().detail) != id.error().detail) {
      ports.log(drive->label() + " is not taken back: " + id.error().detail);
      disks->tell_why_offline(before, id.error().detail);
    }
  }
}

// The pool judges drives. What it takes offline is lost to the journal too, and replaced at once;
// what is back is given back. Whatever else cost a mirror is made up for here.
Task<void> Node::Parts::tell_journal() {
  TurnQueue::Turn turn = co_await drive_turns.enter();
  const std::vector<DriveId> offline = disks->offline();
  const journal::JournalStatus before = journal->status();
  for (DriveId id : offline) {
    journal_lacks.insert(id);
    if (!is_used(before, id)) continue;
    std::string reason = "the drive is offline";
    auto replaced = co_await journal->drive_failed(id, std::move(reason));
    if (!replaced) ports.log("journal: " + replaced.error().detail);
  }
  for (size_t i = 0; i < places.size(); ++i) {
    const DriveId id = places[i].id;
    const bool away = std::find(offline.begin(), offline.end(), id) != offline.end();
    if (id.is_nil() || away || !journal_lacks.contains(id)) continue;
    if (is_used(before, id)) {
      journal_lacks.erase(id);
      continue;
    }
    journal::JournalDrive drive{id, places[i].drive};
    auto added = co_await journal->add_drive(std::move(drive));
    if (added) ports.log("journal: " + places[i].drive->label() + " is back");
  }
  if (journal->lacks_mirrors() || journal->is_in_doubt())
    (void)co_await journal->replace_lost();
  else if (ports.clock.monotonic_ns() >= fit_again_ns)
    co_await fit_journal();
  const journal::JournalStatus now = journal->status();
  for (; journal_losses < now.failed.size(); ++journal_losses)
    ports.log("journal: goes on without " + now.failed[journal_losses]);
  // Also if nobody writes meanwhile: the start that follows waits for the drives.
  if (now.fatal) fatal(Error{Errc::unknown, "all drives that had one are away"});
}

Task<Result<DriveId>> Node::Parts::add_drive(std::shared_ptr<Drive> drive) {
  TurnQueue::Turn turn = co_await drive_turns.enter();
  Task<Result<DriveId>> joining = read_only.empty() ? join(drive) : admit(drive);
  auto id = co_await std::move(joining);
  if (!id) co_return id;
  if (!read_only.empty()) drive_admitted = true;
  use(drive, *id);
  co_return id;
}

void Node::Parts::use(std::shared_ptr<Drive> drive, DriveId id) {
  places.put(std::move(drive), id);
  tell_of_use(*places.of(id));
}

bool Node::Parts::serves(DriveId id) const { return disks && disks->serves(id); }

bool Node::Parts::uses(const std::string& label) const {
  const DrivePlace* place = places.at(label);
  return place && serves(place->id);
}

Result<void> Node::Parts::check_removal(DriveId gone) const {
  if (!control->state()->drives.count(gone)) return fail(Errc::not_found, "no such drive");
  if (serves(gone)) return fail(Errc::exists, "the drive is online");
  if (places[view.drive].id == gone)
    return fail(Errc::unavailable, "the view is still on this drive; try again in some seconds");
  const journal::JournalStatus log = journal->status();
  auto is_left = [gone](const auto& drive) { return drive.drive != gone; };
  const auto mirrors = std::count_if(log.mirrors.begin(), log.mirrors.end(), is_left);
  const auto others = std::count_if(log.other_drives.begin(), log.other_drives.end(), is_left);
  if (mirrors + others < log.mirrors_wanted)
    return fail(Errc::unavailable, "the journal has " + std::to_string(mirrors) + " of " +
                                       counted(log.mirrors_wanted, "mirror") +
                                       " and no drive to add");
  return {};
}

Task<Result<void>> Node::Parts::remove_drive(DriveId gone) {
  TurnQueue::Turn turn = co_await drive_turns.enter();
  auto may = check_removal(gone);
  if (!may) co_return may;
  auto forgotten = co_await forget_drive(gone);
  if (forgotten) co_await fit_journal();
  co_return forgotten;
}

// A drive that is away for good: what it held is rebuilt, and no start waits for it. REQUIRES: it
// does not serve.
Task<Result<void>> Node::Parts::forget_drive(DriveId gone) {
  // From here on it comes back only as one that is added.
  std::string reason = "forgotten";
  if (disks) (void)co_await disks->take_offline(gone, std::move(reason));
  before_step("drive.leave");
  // The journal first: after it the drive can be asked for again, before it a start would count a
  // drive that nobody knows.
  auto left = co_await journal->remove_drive(gone);
  if (!left) co_return left;
  after_step("drive.leave");
  before_step("drive.forget");
  ControlCommand remove = RemoveDrive{gone};
  auto removed = co_await control->record(std::move(remove));
  if (!removed) co_return fail(removed.error());
  after_step("drive.forget");
  journal_lacks.erase(gone);
  strangers.erase(gone);
  if (DrivePlace* place = places.of(gone)) {
    place->id = DriveId{};
    if (ports.release) ports.release(*place->drive);
  }
  if (disks) co_return co_await disks->forget_drive(gone);
  co_return Result<void>();
}

// Drives of the cluster that were where an unrecorded one is now: it replaces them. Before it is
// recorded, so that a start after a crash in between sees the same.
Task<Result<void>> Node::Parts::forget_predecessors(std::string label) {
  const auto state = control->state();
  for (const auto& [id, recorded_label] : state->drives) {
    const DrivePlace* placed = places.of(id);
    const std::string place = placed ? placed->drive->label() : recorded_label;
    if (place != label || serves(id)) continue;
    const DriveId gone = id;
    auto forgotten = co_await forget_drive(gone);
    if (!forgotten) co_return forgotten;
    ports.log(label + ": the drive that was there is replaced");
  }
  co_return Result<void>();
}

// Whether it may be one of this cluster's: its identity there; nil: it is empty and would get one.
Task<Result<DriveId>> Node::Parts::check_drive(std::shared_ptr<Drive> drive) {
  const std::shared_ptr<Drive> answering = bounded(drive, options.drive_timeout_ns);
  const DriveSighting sighting = co_await look_at(*answering);
  if (sighting.problem) co_return fail(*sighting.problem);
  const DriveId found = sighting.identity ? sighting.identity->drive : DriveId{};
  if (!sighting.identity && !sighting.empty)
    co_return fail(Errc::invalid_argument, drive->label() + " is not empty");
  const DrivePlace* place = places.at(drive->label());
  if (place && place->id != found && serves(place->id))
    co_return fail(Errc::unavailable, drive->label() +
                                          ": the drive that was there still serves; add this "
                                          "one when kura drive ls shows that one offline");
  if (!sighting.identity) co_return found;
  if (sighting.identity->cluster != membership.cluster)
    co_return fail(Errc::exists, drive->label() +
                                     " belongs to another cluster: start that one with it, or "
                                     "empty it to add it here");
  const DriveId id = sighting.identity->drive;
  // One that is here and does not serve is what an earlier call got only half way; but a node that
  // only reads starts over for each that it gets.
  const bool here = places.of(id) != nullptr;
  if (serves(id) || (here && !read_only.empty()))
    co_return fail(Errc::exists, drive->label() + " holds a copy of a drive that is here already");
  journal::JournalDrive asked{id, drive};
  auto ours = co_await journal->check_drive(std::move(asked));
  if (!ours) co_return fail(ours.error());
  co_return id;
}

// Sees to it that the drive has an identity of this cluster.
Task<Result<DriveId>> Node::Parts::admit(std::shared_ptr<Drive> drive) {
  auto id = co_await check_drive(drive);
  if (!id || !id->is_nil()) co_return id;
  *id = ports.random.uuid<DriveId>();
  const disk::DriveIdentity identity{membership.cluster, *id};
  const std::shared_ptr<Drive> answering = bounded(drive, options.drive_timeout_ns);
  auto written = co_await disk::write_identity(*answering, identity);
  if (!written) co_return fail(written.error());
  co_return id;
}

// What was in the place that `id` takes is offline, but the journal may not have been told yet: it
// would write its record by the same path as that of `id`, at the same time.
Task<void> Node::Parts::end_journal_use(std::string label, DriveId id) {
  const DrivePlace* place = places.at(label);
  if (!place || place->id == id || serves(place->id)) co_return;
  const DriveId before = place->id;
  if (!is_used(journal->status(), before)) co_return;
  std::string reason = "the drive is offline";
  (void)co_await journal->drive_failed(before, std::move(reason));
}

Task<Result<DriveId>> Node::Parts::join(std::shared_ptr<Drive> drive) {
  auto admitted = co_await admit(drive);
  if (!admitted) co_return admitted;
  const DriveId id = *admitted;
  // The journal first: one that lacks a mirror cannot record anything before it has this drive. A
  // process that ends after any of the steps leaves a drive of the cluster, by its identity: named
  // at the next start, or added once more, it goes on with those that are left.
  std::string place = drive->label();
  co_await end_journal_use(std::move(place), id);
  journal::JournalDrive journal_drive{id, drive};
  auto in_journal = co_await journal->add_drive(std::move(journal_drive));
  // It is among the journal's drives even if there are too few of them yet.
  if (!in_journal && in_journal.error().code != Errc::unavailable)
    co_return fail(in_journal.error());
  if (!in_journal) journal_lacks.insert(id);
  if (!control->state()->drives.count(id)) {
    std::string label = drive->label();
    auto replaced = co_await forget_predecessors(std::move(label));
    if (!replaced) co_return fail(replaced.error());
    ControlCommand add = AddDrive{id, drive->label()};
    before_step("drive.record");
    auto added = co_await control->record(std::move(add));
    // What the journal lacks is why it took no record.
    if (!added) co_return fail(in_journal ? added.error() : in_journal.error());
    after_step("drive.record");
  }
  disk::PoolDrive pool_drive{id, drive, {}};
  auto in_pool = co_await disks->add_drive(std::move(pool_drive));
  if (!in_pool) co_return fail(in_pool.error());
  co_await fit_journal();
  co_return id;
}

}  // namespace kura::node
