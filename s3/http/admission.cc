#include "s3/http/admission.h"

#include <algorithm>
#include <utility>

namespace kura::s3 {

struct Admission::Waiter {
  Waiter(Admission& admission_in, uint64_t charge, uint64_t room)
      : admission(admission_in), charge_bytes(charge), room_bytes(room) {}
  ~Waiter() {
    if (queued) admission.queue_.erase(at);
    admission.counters_.waiting = admission.queue_.size();
    if (granted) admission.give_back(charge_bytes, true);  // Destroyed before it could go on.
  }
  Waiter(const Waiter&) = delete;

  Admission& admission;
  const uint64_t charge_bytes, room_bytes;
  int64_t until_ns = 0;
  Resolver<bool> resolve;
  std::list<Waiter*>::iterator at;
  bool queued = false;
  bool granted = false;
};

Admission::~Admission() {
  if (timer_ != 0) loop_->timer().cancel(timer_);
}

bool Admission::fits(uint64_t room_bytes, bool needs_place) const {
  return counters_.held_bytes + room_bytes <= limits_.memory_bytes &&
         (!needs_place || counters_.working < limits_.requests_max);
}

void Admission::take(uint64_t charge_bytes, bool needs_place) {
  counters_.held_bytes += charge_bytes;
  if (needs_place) ++counters_.working;
}

bool Admission::try_take(uint64_t charge_bytes, uint64_t room_bytes, bool needs_place) {
  if (!queue_.empty() || !fits(room_bytes, needs_place)) return false;
  take(charge_bytes, needs_place);
  return true;
}

Task<bool> Admission::queue_for(uint64_t charge_bytes, uint64_t room_bytes) {
  loop_ = Loop::current();
  if (queue_.size() >= limits_.waiting_max) {
    ++counters_.refused;
    co_return false;
  }
  take_from_slow();
  if (try_take(charge_bytes, room_bytes, true)) co_return true;
  Waiter waiter(*this, charge_bytes, room_bytes);
  const bool in = co_await suspend<bool>([&](Resolver<bool> resolve) {
    waiter.resolve = resolve;
    waiter.until_ns = loop_->clock().monotonic_ns() + limits_.wait_ns;
    waiter.at = queue_.insert(queue_.end(), &waiter);
    waiter.queued = true;
    counters_.waiting = queue_.size();
    arm();
  });
  waiter.granted = false;  // The ticket's from here on.
  co_return in;
}

void Admission::give_back(uint64_t bytes, bool place) {
  counters_.held_bytes -= bytes;
  if (place) --counters_.working;
  admit_waiting();
}

void Admission::admit_waiting() {
  while (!queue_.empty() && fits(queue_.front()->room_bytes, true)) {
    Waiter& first = *queue_.front();
    queue_.pop_front();
    first.queued = false;
    take(first.charge_bytes, true);
    first.granted = true;
    first.resolve(true);
  }
  counters_.waiting = queue_.size();
}

void Admission::take_from_slow() {
  const int64_t long_ago_ns = loop_->clock().monotonic_ns() - limits_.slow_ns;
  while (!receiving_.empty() && receiving_.front()->waits_since_ns_ <= long_ago_ns) {
    Ticket& slow = *receiving_.front();
    slow.leave_receiving();
    slow.slow_ = true;
    slow.give_up_place();
  }
}

void Admission::on_timer() {
  timer_ = 0;
  take_from_slow();
  const int64_t now_ns = loop_->clock().monotonic_ns();
  while (!queue_.empty() && queue_.front()->until_ns <= now_ns) {
    Waiter& first = *queue_.front();
    queue_.pop_front();
    first.queued = false;
    ++counters_.refused;
    first.resolve(false);
  }
  admit_waiting();  // The next one may need less than the one that kept it waiting.
  if (!queue_.empty()) arm();
}

void Admission::arm() {
  if (timer_ != 0) return;
  const int64_t left_ns = queue_.front()->until_ns - loop_->clock().monotonic_ns();
  const int64_t delay_ns = std::clamp<int64_t>(left_ns, 1, limits_.slow_ns);
  timer_ = loop_->timer().after(delay_ns, [this] { on_timer(); });
}

Ticket::Ticket(Admission& admission, const RequestHead& head) : admission_(admission) {
  start_bytes_ = kRequestBytes;
  if (head.method == "GET") start_bytes_ += kAnswerBytes;
  // The source of a copy passes through memory as an upload does.
  if (head.headers.has("x-amz-copy-source")) start_bytes_ += kAnswerBytes + kUploadBytes;
  const uint64_t most = head.method == "POST" ? kDocumentBytes : kUploadBytes;
  const uint64_t length = head.chunked ? most : head.content_length.value_or(0);
  large_bytes_ = std::min(most, 3 * std::min(length, most));
  room_bytes_ = start_bytes_ + (length > kSmallBodyBytes ? large_bytes_ : 0);
}

bool Ticket::try_enter() {
  if (entered_) return true;
  if (!admission_.try_take(start_bytes_, room_bytes_, true)) return false;
  held_bytes_ = start_bytes_;
  entered_ = working_ = true;
  return true;
}

Task<bool> Ticket::enter() {
  const bool in = co_await admission_.queue_for(start_bytes_, room_bytes_);
  if (!in) co_return false;
  held_bytes_ = start_bytes_;
  entered_ = working_ = true;
  co_return true;
}

bool Ticket::try_receive(uint64_t received_bytes) {
  if (large_ || !entered_ || received_bytes <= kSmallBodyBytes) return true;
  if (!admission_.try_take(large_bytes_, large_bytes_, false)) return false;
  held_bytes_ += large_bytes_;
  large_ = true;
  return true;
}

Task<bool> Ticket::receive() {
  give_up_place();
  const bool in = co_await admission_.queue_for(large_bytes_, large_bytes_);
  if (!in) co_return false;
  held_bytes_ += large_bytes_;
  working_ = large_ = true;
  co_return true;
}

void Ticket::give_up_place() {
  if (std::exchange(working_, false)) admission_.give_back(0, true);
}

void Ticket::wait_begins() {
  if (!working_) return;
  if (slow_) return give_up_place();
  waits_ = true;
  waits_since_ns_ = Loop::current()->clock().monotonic_ns();
  at_ = admission_.receiving_.insert(admission_.receiving_.end(), this);
}

void Ticket::leave_receiving() {
  if (std::exchange(waits_, false)) admission_.receiving_.erase(at_);
}

void Ticket::wait_ends() {
  leave_receiving();
  if (!entered_ || working_) return;
  working_ = true;  // Above the limit, if it must be: it is not for long.
  admission_.take(0, true);
}

void Ticket::answer(uint64_t held_bytes) {
  if (!entered_) return;
  const uint64_t kept = std::min(held_bytes + kRequestBytes, held_bytes_);
  admission_.give_back(held_bytes_ - kept, std::exchange(working_, false));
  held_bytes_ = kept;
}

void Ticket::release() {
  leave_receiving();
  if (!std::exchange(entered_, false)) return;
  admission_.give_back(std::exchange(held_bytes_, 0), std::exchange(working_, false));
}

}  // namespace kura::s3
