// DrivePlaces: where a node has its drives, those of the command line in that order, then those
// that were added. A place has a label; what is mounted there changes.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/drive.h"
#include "base/ids.h"

namespace kura::node {

struct DrivePlace {
  // Why nothing there is used by this process, although something was there at its start.
  enum class Left : uint8_t { no, unread, no_drive, takes_no_write, wrong, other_history };

  std::shared_ptr<Drive> drive;  // What is mounted there, or was.
  DriveId id;                    // Of the cluster's drive that is used there; nil: none.
  Left left = Left::no;
  std::string refusal;  // Why it is not used, as the operator was told last.
};

// Not for several threads. References end with put().
class DrivePlaces {
 public:
  explicit DrivePlaces(const std::vector<std::shared_ptr<Drive>>& drives);

  size_t size() const { return places_.size(); }
  DrivePlace& operator[](size_t i) { return places_[i]; }
  const DrivePlace& operator[](size_t i) const { return places_[i]; }
  auto begin() const { return places_.begin(); }
  auto end() const { return places_.end(); }

  DrivePlace* of(DriveId id);  // Null: no place has it.
  const DrivePlace* of(DriveId id) const;
  const DrivePlace* at(const std::string& label) const;  // Null: there is no such place.
  std::vector<std::string> labels(DrivePlace::Left left) const;

  // `drive` is in use from now on, in the place of its label, a new one if need be. It may have
  // been in another place before.
  void put(std::shared_ptr<Drive> drive, DriveId id);
  // What is in place i is not used.
  void leave(size_t i, DrivePlace::Left left, std::string why);

 private:
  std::vector<DrivePlace> places_;
};

}  // namespace kura::node
