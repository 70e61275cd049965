#include "node/membership.h"

#include <map>

namespace kura::node {
namespace {

void append(std::string& list, const std::string& label) {
  list += (list.empty() ? "" : ", ") + label;
}

// All of them, by cluster: which one was meant only the operator knows.
Error several_clusters(const std::vector<DriveSighting>& sightings) {
  std::map<ClusterId, std::string> by_cluster;
  for (const DriveSighting& drive : sightings)
    if (!drive.problem && drive.identity) append(by_cluster[drive.identity->cluster], drive.label);
  std::string all;
  for (const auto& [cluster, labels] : by_cluster)
    all += (all.empty() ? "" : "; ") + ("of cluster " + to_hex(cluster)) + ": " + labels;
  return {Errc::invalid_argument,
          "these are drives of " + std::to_string(by_cluster.size()) +
              " clusters: start each cluster with its own drives, and empty what is to join it (" +
              all + ")"};
}

std::string others_with(DriveId id, const DriveSighting& but,
                        const std::vector<DriveSighting>& sightings) {
  std::string labels;
  for (const DriveSighting& drive : sightings)
    if (&drive != &but && drive.identity && drive.identity->drive == id)
      append(labels, drive.label);
  return labels;
}

}  // namespace

void leave_out_wrong_drives(std::vector<DriveSighting>& sightings, const KnownDrives& before) {
  for (DriveSighting& drive : sightings) {
    if (drive.problem) drive.problem->code = Errc::io_error;  // One of a newer format is not ours.
    if (!drive.identity) continue;
    if (!before.cluster.is_nil() && drive.identity->cluster != before.cluster) {
      drive.problem = Error{Errc::io_error, "it belongs to another cluster"};
      continue;
    }
    const DriveId id = drive.identity->drive;
    const std::string others = others_with(id, drive, sightings);
    if (!others.empty() && !before.has(drive.label, id))
      drive.problem = Error{Errc::io_error, "it holds a copy of the drive in " + others};
  }
}

Task<DriveSighting> look_at(Drive& drive) {
  DriveSighting sighting;
  sighting.label = drive.label();
  auto identity = co_await disk::read_identity(drive);
  if (!identity) {
    sighting.problem = identity.error();
    co_return sighting;
  }
  sighting.identity = *identity;
  if (*identity) co_return sighting;
  sighting.empty = true;
  for (const char* folder : {"", "journal", "sets"}) {
    auto files = co_await drive.list(folder);
    if (!files && files.error().code != Errc::not_found) {
      sighting.problem = files.error();
      co_return sighting;
    }
    if (!files) continue;
    for (const FileInfo& file : *files)
      if (!is_unfinished(file.name)) sighting.empty = false;
  }
  co_return sighting;
}

Result<Membership> decide_membership(const std::vector<DriveSighting>& sightings,
                                     std::optional<ClusterId> fresh_id) {
  Membership found;
  std::map<DriveId, std::string> by_id;
  const DriveSighting* first = nullptr;
  std::string not_empty, unreadable;
  for (size_t i = 0; i < sightings.size(); ++i) {
    const DriveSighting& drive = sightings[i];
    if (drive.problem && drive.problem->code == Errc::unsupported)
      return fail(Errc::unsupported, drive.label + ": " + drive.problem->detail);
    if (drive.problem) append(unreadable, drive.label + ": " + drive.problem->detail);
    if (drive.problem) continue;
    if (!drive.identity) {
      if (drive.empty)
        found.fresh.push_back(i);
      else
        append(not_empty, drive.label);
      continue;
    }
    if (first && drive.identity->cluster != first->identity->cluster)
      return fail(several_clusters(sightings));
    if (!by_id.emplace(drive.identity->drive, drive.label).second)
      return fail(Errc::invalid_argument, drive.label + " is a copy of " +
                                              by_id[drive.identity->drive] +
                                              ": empty one of the two folders");
    if (!first) first = &drive;
    found.online.push_back(i);
  }
  if (found.online.empty() && !not_empty.empty() && fresh_id)
    return fail(Errc::invalid_argument, "files, and not the identity of a drive, are in " +
                                            not_empty + ": give empty folders or remove the files");
  if (found.online.empty() && !unreadable.empty())
    return fail(Errc::unavailable, "drives that cannot be read may be those of a cluster (" +
                                       unreadable + "): bring them back, or do not name them");
  found.create = found.online.empty();
  if (found.create && !fresh_id)
    return fail(Errc::unavailable, "none of the cluster's drives is here");
  found.cluster = found.create ? *fresh_id : first->identity->cluster;
  return found;
}

}  // namespace kura::node
