// DriveAdmin: what an operator does about the drives of a node, and what the node tells about them.
// Places are indexes of the simulated disks.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace kura::sim {

// How a node sees its drives, at one instant.
struct DrivesSeen {
  std::vector<bool> known;   // By place: the cluster counts a drive that was there.
  std::vector<bool> serves;  // By place: what is there now serves, and no other drive of that place
                             // is counted.
  uint64_t bytes_below_full_parity = 0;
  bool redundant = false;  // All that was or may be acknowledged has all its members and mirrors.
  uint32_t spare = 0;      // So many drives may be lost now, if it is.
  std::string text;        // For whoever reads a violation.
};

class DriveAdmin {
 public:
  virtual ~DriveAdmin() = default;
  // The first so many places are named at the next start. Never fewer than before.
  virtual void name(size_t places) = 0;
  virtual size_t named() const = 0;
  // So many of that many drives may be lost.
  virtual uint32_t parity(size_t drives) const = 0;

  // Each of them calls `then` on a loop of the node, unless that crashes before; never if it is not
  // ready. `kura drive add`, `kura drive rm` (of the drive that is counted there and away), `kura
  // status`.
  using Done = std::function<void(bool done)>;
  virtual void add(size_t place, Done then) = 0;
  virtual void remove(size_t place, Done then) = 0;
  virtual void look(std::function<void(const DrivesSeen&)> then) = 0;
};

}  // namespace kura::sim
