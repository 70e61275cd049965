// Drives that join a running node, and those that come back.

#include <algorithm>

#include "actors/disk/geometry.h"
#include "base/fail_point.h"
#include "node/node_parts.h"

namespace kura::node {

// So many of the cluster's drives may be lost.
uint32_t Node::Parts::parity() const {
  const auto drives = static_cast<uint32_t>(control->state()->drives.size());
  return disk::parity_for(drives, v1::STANDARD, options.parity_standard);
}

// The journal is to survive what new segment sets survive, also when drives have been added.
Task<void> Node::Parts::widen_journal() {
  const uint32_t wanted = parity() + 1;
  if (journal->status().mirrors_wanted >= wanted) co_return;
  auto done = co_await journal->set_mirror_count(wanted);
  std::string line = "the journal has " + std::to_string(wanted) + " mirrors now";
  if (!done)
    line = "no " + std::to_string(wanted) + " mirrors for the journal: " + done.error().detail;
  ports.log(line);
}

// What has a place already and is mounted there anew, with what it held.
Task<void> Node::Parts::take_back() {
  if (!ports.mounted_anew) co_return;
  const std::vector<DriveId> offline = disks->offline();
  for (size_t i = 0; i < drive_ids.size(); ++i) {
    const bool away = drive_ids[i].is_nil() ||
                      std::find(offline.begin(), offline.end(), drive_ids[i]) != offline.end();
    if (!away) continue;
    std::shared_ptr<Drive> old = ports.drives[i];
    auto anew = co_await ports.mounted_anew(std::move(old));
    if (!anew || !*anew) continue;
    std::shared_ptr<Drive> drive = *anew;
    auto id = co_await join(drive);
    if (id) {
      drive_ids[i] = *id;
      ports.drives[i] = drive;
    }
    ports.log(drive->label() + (id ? " is back" : " is not taken back: " + id.error().detail));
  }
}

Task<Result<DriveId>> Node::Parts::add_drive(std::shared_ptr<Drive> drive) {
  auto id = co_await join(drive);
  if (!id) co_return id;
  ports.drives.push_back(drive);
  drive_ids.push_back(*id);
  co_return id;
}

Task<Result<DriveId>> Node::Parts::join(std::shared_ptr<Drive> drive) {
  DriveSighting sighting = co_await look_at(*drive);
  if (sighting.problem) co_return fail(*sighting.problem);
  DriveId id;
  if (sighting.identity) {
    if (sighting.identity->cluster != membership.cluster)
      co_return fail(Errc::invalid_argument, drive->label() + " belongs to another cluster");
    id = sighting.identity->drive;
  } else {
    if (!sighting.empty) co_return fail(Errc::invalid_argument, drive->label() + " is not empty");
    id = ports.random.uuid<DriveId>();
    disk::DriveIdentity identity{membership.cluster, id};
    auto written = co_await disk::write_identity(*drive, identity);
    if (!written) co_return fail(written.error());
  }
  if (!control->state()->drives.count(id)) {
    ControlCommand add = AddDrive{id, drive->label()};
    before_step("drive.record");
    auto added = co_await control->record(std::move(add));
    if (!added) co_return fail(added.error());
    after_step("drive.record");
  }
  disk::PoolDrive pool_drive{id, drive};
  auto in_pool = co_await disks->add_drive(std::move(pool_drive));
  if (!in_pool) co_return fail(in_pool.error());
  journal::JournalDrive journal_drive{id, drive};
  auto in_journal = co_await journal->add_drive(std::move(journal_drive));
  // It is among the journal's drives even if there are too few of them yet.
  if (!in_journal && in_journal.error().code != Errc::exists &&
      in_journal.error().code != Errc::unavailable)
    co_return fail(in_journal.error());
  co_await widen_journal();
  co_return id;
}

}  // namespace kura::node
