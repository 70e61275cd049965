// A node that cannot append to the journal, for lack of drives or of room on them: it serves reads,
// and waits for either.

#include <algorithm>

#include "base/bounded_drive.h"
#include "base/counted.h"
#include "base/joined.h"
#include "node/node_parts.h"

namespace kura::node {
// What was named and is of no use, and what to do, for the end of an error.
std::string Node::Parts::not_here() const {
  using Left = DrivePlace::Left;
  std::string out;
  auto name = [&](Left left, const std::string& what, const std::string& advice) {
    const std::vector<std::string> labels = places.labels(left);
    if (!labels.empty()) out += "; " + what + ": " + joined(labels) + ": " + advice;
  };
  name(Left::unread, "not here", "bring them back");
  name(Left::no_drive, "with files, but not the identity of a drive", "empty and add them");
  name(Left::wrong, "of another cluster, or copies", "bring the right drives back");
  name(Left::takes_no_write, "empty, but takes no write", "mend and add them");
  name(Left::other_history, "of another history of this store", "bring the right drives back");
  return out.empty() ? "; name all drives of the cluster" : out;
}

// Decides what kind of node this is. Mirrors that were lost only just now are replaced.
Task<Result<void>> Node::Parts::judge_journal() {
  if (journal->lacks_room()) {
    read_only = "read-only: " + journal->lacks_room()->detail;
    co_return Result<void>{};
  }
  if (!journal->lacks_mirrors()) co_return Result<void>{};
  Result<void> replaced = co_await journal->replace_lost();
  if (replaced) co_return replaced;
  if (journal->status().fatal)
    co_return fail(Errc::unavailable, replaced.error().detail + not_here());
  read_only = "read-only: " + replaced.error().detail;
  co_return Result<void>{};
}

// For one that was started otherwise the journal's state of now counts.
std::string Node::Parts::why_read_only() const {
  if (!read_only.empty() || !journal) return read_only;
  const journal::JournalStatus status = journal->status();
  if (status.in_doubt) return "read-only: " + journal_degraded_reason();
  if (!status.degraded) return {};
  return "read-only: the journal has " + std::to_string(status.mirrors.size()) + " of " +
         counted(status.mirrors_wanted, "mirror");
}

// REQUIRES: the view is open, which knows all drives of the cluster.
void Node::Parts::tell_of_missing_drives() {
  const auto state = control->state();
  std::vector<std::string> missing;
  for (const auto& [id, label] : state->drives)
    if (!places.of(id)) missing.push_back(label);
  std::sort(missing.begin(), missing.end());
  const size_t all = state->drives.size(), here = all - missing.size();
  const uint32_t needed = journal->status().mirrors_wanted;
  if (!missing.empty())
    ports.log(std::to_string(here) + " of the cluster's " + counted(all, "drive") + " " +
              is_or_are(here) + " here; missing: " + joined(missing));
  if (read_only.empty()) return;
  if (here < needed)
    read_only = "read-only: " + counted(here, "drive") + " of " + std::to_string(all) + " " +
                is_or_are(here) + " here, " + std::to_string(needed) + " " + is_or_are(needed) +
                " needed to write";
  ports.log(read_only);
}

// Starts over when the next start can have more drives than this one. An exchange in place would
// have to bring view, claims and sets to what the other drives hold: that is what a start does.
Task<void> Node::Parts::await_drives() {
  const bool more = drive_admitted || co_await more_drives();
  if (more && !ended.exchange(true)) ports.on_may_write();
}

Task<bool> Node::Parts::more_drives() {
  for (size_t i = 0; i < places.size(); ++i) {
    const bool back = co_await is_back(i);
    if (back) co_return true;
  }
  // A drive that was full may have room again.
  if (journal->lacks_room()) co_return journal->has_room();
  Result<void> replaced = co_await journal->replace_lost();
  co_return replaced.has_value();
}

// A drive that this start could not identify can be now, or one that went away since is mounted
// anew. One that merely failed is here: another start would find no more.
Task<bool> Node::Parts::is_back(size_t i) {
  const std::vector<DriveId> offline = disks->offline();
  const DriveId id = places[i].id;
  const bool unknown = id.is_nil();
  if (!unknown && std::find(offline.begin(), offline.end(), id) == offline.end()) co_return false;
  std::shared_ptr<Drive> drive = places[i].drive;
  std::shared_ptr<Drive> old = drive;
  auto mounted = co_await mounted_anew(std::move(old));
  const bool anew = mounted && *mounted;
  if (anew) drive = *mounted;
  if (!unknown && !anew) co_return false;
  const DrivePlace::Left left = places[i].left;
  if (!anew && (left == DrivePlace::Left::wrong || left == DrivePlace::Left::other_history))
    co_return false;
  const auto answering = bounded(drive, options.drive_timeout_ns);
  const DriveSighting seen = co_await look_at(*answering);
  const bool ours = seen.identity && seen.identity->cluster == membership.cluster;
  if (ours) ports.log(drive->label() + " is back");
  co_return ours;
}

}  // namespace kura::node
