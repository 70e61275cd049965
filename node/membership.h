// Whose drives are these? Reads the identity of every drive and decides, purely, what a start
// means: a new cluster, a known one, or a mistake to refuse.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/disk/drive_identity.h"
#include "base/drive.h"
#include "base/random.h"
#include "node/known_drives.h"

namespace kura::node {

struct DriveSighting {
  std::string label;
  std::optional<disk::DriveIdentity> identity;
  bool empty = false;            // Nothing but what a fresh file system has.
  std::optional<Error> problem;  // It cannot be read, or is wrong: treated as offline, or refused.
};

struct Membership {
  bool create = false;  // No drive belongs to a cluster yet.
  ClusterId cluster;
  std::vector<size_t> online;  // Drives of the cluster.
  std::vector<size_t> fresh;   // Empty drives that join it.
};

// `fresh_id`: of the cluster that empty drives become; none: there is one already, somewhere else.
// A drive that is not empty and has no identity is left out, if others have one: a running node may
// have written there after somebody emptied it. Errors, one line each that says what to do:
// invalid_argument (a drive of another cluster, only drives that are not empty), unsupported (a
// newer format), unavailable (no drive can be read, or none of the cluster is here).
Result<Membership> decide_membership(const std::vector<DriveSighting>& sightings,
                                     std::optional<ClusterId> fresh_id);

// For a process that starts over, after one that had `before`: gives what is wrong in the place of
// a drive a problem, so that it is left out. A drive of another cluster; a copy of a drive that is
// here as well: of those the one in its old place is right, and nobody knows if there is none.
void leave_out_wrong_drives(std::vector<DriveSighting>& sightings, const KnownDrives& before);

Task<DriveSighting> look_at(Drive& drive);

}  // namespace kura::node
