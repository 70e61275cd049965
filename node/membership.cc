#include "node/membership.h"

#include <map>

namespace kura::node {

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
  const DriveSighting *first = nullptr, *not_empty = nullptr;
  for (size_t i = 0; i < sightings.size(); ++i) {
    const DriveSighting& drive = sightings[i];
    if (drive.problem && drive.problem->code == Errc::unsupported)
      return fail(Errc::unsupported, drive.label + ": " + drive.problem->detail);
    if (drive.problem) continue;
    if (!drive.identity) {
      if (drive.empty)
        found.fresh.push_back(i);
      else if (!not_empty)
        not_empty = &drive;
      continue;
    }
    if (first && drive.identity->cluster != first->identity->cluster)
      return fail(Errc::invalid_argument,
                  drive.label + " belongs to cluster " + to_hex(drive.identity->cluster) + " and " +
                      first->label + " to " + to_hex(first->identity->cluster) +
                      ": start each cluster with its own drives");
    if (!by_id.emplace(drive.identity->drive, drive.label).second)
      return fail(Errc::invalid_argument, drive.label + " is a copy of " +
                                              by_id[drive.identity->drive] +
                                              ": empty one of the two folders");
    if (!first) first = &drive;
    found.online.push_back(i);
  }
  if (found.online.empty() && not_empty)
    return fail(Errc::invalid_argument, not_empty->label +
                                            " holds files that are not of this cluster: give an "
                                            "empty folder or remove them");
  if (found.online.empty() && found.fresh.size() < sightings.size()) {
    for (const DriveSighting& drive : sightings)
      if (drive.problem)
        return fail(Errc::unavailable, drive.label + " cannot be read: " + drive.problem->detail);
  }
  found.create = found.online.empty();
  if (found.create && !fresh_id)
    return fail(Errc::unavailable, "none of the cluster's drives is here, only empty folders");
  found.cluster = found.create ? *fresh_id : first->identity->cluster;
  return found;
}

}  // namespace kura::node
