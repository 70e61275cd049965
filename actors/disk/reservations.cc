#include "actors/disk/reservations.h"

namespace kura::disk {

uint64_t Reservations::begin() {
  std::lock_guard lock(mutex_);
  active_[next_];
  return next_++;
}

void Reservations::uses(uint64_t id, SetId set) {
  std::lock_guard lock(mutex_);
  auto it = active_.find(id);
  if (it != active_.end() && it->second.insert(set).second) ++count_[set];
}

void Reservations::end(uint64_t id) {
  std::lock_guard lock(mutex_);
  auto it = active_.find(id);
  if (it == active_.end()) return;
  for (SetId set : it->second)
    if (--count_[set] == 0) count_.erase(set);
  active_.erase(it);
}

void Reservations::end(const v1::Reservation& reservation) {
  if (reservation.incarnation() == incarnation_.view()) end(reservation.id());
}

bool Reservations::any_in(SetId set) const {
  std::lock_guard lock(mutex_);
  return count_.contains(set);
}

uint64_t Reservations::active() const {
  std::lock_guard lock(mutex_);
  return active_.size();
}

v1::Reservation Reservations::named(uint64_t id) const {
  v1::Reservation out;
  out.set_incarnation(std::string(incarnation_.view()));
  out.set_id(id);
  return out;
}

}  // namespace kura::disk
