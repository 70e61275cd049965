#include "node/drive_places.h"

#include <algorithm>

namespace kura::node {

DrivePlaces::DrivePlaces(const std::vector<std::shared_ptr<Drive>>& drives) {
  for (const auto& drive : drives) places_.push_back({drive, {}, DrivePlace::Left::no, {}});
}

DrivePlace* DrivePlaces::of(DriveId id) {
  for (DrivePlace& place : places_)
    if (!id.is_nil() && place.id == id) return &place;
  return nullptr;
}

const DrivePlace* DrivePlaces::of(DriveId id) const {
  for (const DrivePlace& place : places_)
    if (!id.is_nil() && place.id == id) return &place;
  return nullptr;
}

const DrivePlace* DrivePlaces::at(const std::string& label) const {
  for (const DrivePlace& place : places_)
    if (place.drive->label() == label) return &place;
  return nullptr;
}

std::vector<std::string> DrivePlaces::labels(DrivePlace::Left left) const {
  std::vector<std::string> out;
  for (const DrivePlace& place : places_)
    if (place.left == left) out.push_back(place.drive->label());
  return out;
}

void DrivePlaces::put(std::shared_ptr<Drive> drive, DriveId id) {
  for (DrivePlace& place : places_)
    if (place.id == id) place.id = DriveId{};
  const std::string label = drive->label();
  auto here = std::find_if(places_.begin(), places_.end(), [&label](const DrivePlace& place) {
    return place.drive->label() == label;
  });
  if (here == places_.end()) here = places_.emplace(places_.end());
  *here = {std::move(drive), id, DrivePlace::Left::no, {}};
}

void DrivePlaces::leave(size_t i, DrivePlace::Left left, std::string why) {
  places_[i].id = DriveId{};
  places_[i].left = left;
  places_[i].refusal = std::move(why);
}

}  // namespace kura::node
