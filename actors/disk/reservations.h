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

  ReservationId begin();  // Active until end().
  // Nothing once it has ended: what its upload still writes is garbage.
  void uses(ReservationId id, SetId set);
  void end(ReservationId id);                    // Twice is fine.
  void end(const v1::Reservation& reservation);  // Of another incarnation: ignored.
  bool any_in(SetId set) const;
  uint64_t active() const;

  WriterId incarnation() const { return incarnation_; }
  v1::Reservation named(ReservationId id) const;

 private:
  const WriterId incarnation_;
  mutable std::mutex mutex_;
  ReservationId next_{1};
  std::map<ReservationId, std::set<SetId>> active_;
  std::map<SetId, uint64_t> count_;  // Active reservations in each set.
};

}  // namespace kura::disk
