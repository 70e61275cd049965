// Reservations: the uploads of this process that may still be named by an event, and the sets they
// wrote to. While one is active none of its sets is dropped. Thread-safe.
//
// Reservations of earlier processes need no entry: at the start of this one their events are folded
// or never will be (the embedded journal has one owner).

#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>

#include "base/ids.h"
#include "object.pb.h"

namespace kura::disk {

class Reservations {
 public:
  explicit Reservations(WriterId incarnation) : incarnation_(incarnation) {}

  uint64_t begin();  // Active until end().
  // Nothing once it has ended: what its upload still writes is garbage.
  void uses(uint64_t id, SetId set);
  void end(uint64_t id);                         // Twice is fine.
  void end(const v1::Reservation& reservation);  // Of another incarnation: ignored.
  bool any_in(SetId set) const;
  uint64_t active() const;

  WriterId incarnation() const { return incarnation_; }
  v1::Reservation named(uint64_t id) const;

 private:
  const WriterId incarnation_;
  mutable std::mutex mutex_;
  uint64_t next_ = 1;
  std::map<uint64_t, std::set<SetId>> active_;
  std::map<SetId, uint64_t> count_;  // Active reservations in each set.
};

}  // namespace kura::disk
