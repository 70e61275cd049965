#include "actors/disk/reservations.h"

namespace kura::disk {

ReservationId Reservations::begin() {
  std::lock_guard lock(mutex_);
  const ReservationId id = next_;
  next_.value += 1;
  active_[id];
  return id;
}

void Reservations::uses(ReservationId id, SetId set) {
  std::lock_guard lock(mutex_);
  auto it = active_.find(id);
  if (it != active_.end() && it->second.insert(set).second) ++count_[set];
}

void Reservations::end(ReservationId id) {
  std::lock_guard lock(mutex_);
  auto it = active_.find(id);
  if (it == active_.end()) return;
  for (SetId set : it->second)
    if (--count_[set] == 0) count_.erase(set);
  active_.erase(it);
}

void Reservations::end(const v1::Reservation& reservation) {
  if (reservation.incarnation() == incarnation_.view()) end(ReservationId{reservation.id()});
}

bool Reservations::any_in(SetId set) const {
  std::lock_guard lock(mutex_);
  return count_.contains(set);
}

uint64_t Reservations::active() const {
  std::lock_guard lock(mutex_);
  return active_.size();
}

v1::Reservation Reservations::named(ReservationId id) const {
  v1::Reservation out;
  out.set_incarnation(std::string(incarnation_.view()));
  out.set_id(id.value);
  return out;
}

}  // namespace kura::disk
