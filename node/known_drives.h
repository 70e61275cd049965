// KnownDrives: what a process hands on to the one that starts over after it.

#pragma once

#include <map>
#include <string>

#include "base/ids.h"

namespace kura::node {

struct KnownDrives {
  ClusterId cluster;
  std::map<std::string, DriveId> places;  // By label: the drive that was used there last.

  // It has been in no other place since.
  void put(const std::string& label, DriveId id) {
    std::erase_if(places, [id](const auto& place) { return place.second == id; });
    places[label] = id;
  }
  bool has(const std::string& label, DriveId id) const {
    const auto it = places.find(label);
    return it != places.end() && it->second == id;
  }
};

}  // namespace kura::node
