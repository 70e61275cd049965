#include "actors/disk/drive_check.h"

#include "actors/disk/core.h"
#include "actors/disk/drive_identity.h"
#include "actors/disk/set_lifecycle.h"
#include "base/drive_calls.h"

namespace kura::disk {
namespace {

Task<Result<std::optional<DriveIdentity>>> ask(std::shared_ptr<DiskCore> core, DriveId id,
                                               std::shared_ptr<Drive> drive,
                                               std::shared_ptr<bool> asking) {
  *asking = true;
  auto identity = co_await read_identity(*drive);
  const DriveIdentity known{core->options.cluster, id};
  const bool right = identity && *identity && **identity == known;
  // Damaged files are there, and the drive still is the file system that was identified.
  if (right || (!identity && identity.error().code == Errc::corrupt)) {
    // What cannot be written now is mended by a later look.
    auto damaged = co_await mend_identity(*drive, known);
    if (damaged) core->counters.repaired_identities += *damaged;
    if (damaged && !right) identity = std::optional<DriveIdentity>(known);
  }
  *asking = false;
  co_return identity;
}

// Empty: it is the drive we know.
std::string trouble_with(const Result<std::optional<DriveIdentity>>& read, DriveId id,
                         ClusterId cluster) {
  if (!read) return read.error().detail.empty() ? "identity cannot be read" : read.error().detail;
  if (!*read) return "no identity: not mounted, emptied, or another disk";
  if ((*read)->cluster != cluster) return "belongs to another cluster";
  if ((*read)->drive != id) return "another drive of this cluster is mounted here";
  return {};
}

}  // namespace

Task<void> DriveCheck::pass() {
  std::vector<DriveTable::Entry> asked;
  std::vector<Task<Result<std::optional<DriveIdentity>>>> calls;
  for (auto& entry : core_->drives.all()) {
    if (!entry.drive || entry.state == DriveTable::State::failed) continue;
    Question& last = questions_[entry.id];
    if (!last.under_way || last.drive.lock() != entry.drive)
      last = {entry.drive, std::make_shared<bool>(false)};
    if (*last.under_way) continue;
    calls.push_back(ask(core_, entry.id, entry.drive, last.under_way));
    asked.push_back(std::move(entry));
  }
  auto answers = co_await all_within<std::optional<DriveIdentity>>(std::move(calls),
                                                                   core_->options.drive_timeout_ns);
  for (size_t i = 0; i < asked.size() && !core_->stopping; ++i) {
    const DriveId id = asked[i].id;
    if (core_->drives.mounted(id) != asked[i].drive) continue;  // Added anew meanwhile.
    const std::string trouble = trouble_with(answers[i], id, core_->options.cluster);
    const int64_t now_ns = core_->loop.clock().monotonic_ns();
    if (!trouble.empty()) {
      core_->drives.set_offline(id, DriveTable::State::away, trouble, now_ns);
      continue;
    }
    if (asked[i].state != DriveTable::State::away) continue;
    Task<Result<void>> looking = core_->options.read_only ? check_files(core_, asked[i].drive)
                                                          : tidy_drive(core_, id, asked[i].drive);
    Result<void> tidy = co_await std::move(looking);
    if (tidy && core_->drives.set_online(id, now_ns)) core_->write_sets.placement_changed();
  }
}

}  // namespace kura::disk
