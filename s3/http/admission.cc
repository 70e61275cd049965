#include "s3/http/admission.h"

#include <algorithm>
#include <utility>

namespace kura::s3 {
namespace {

// Of a large body; 0: it is small.
uint64_t body_charge(const RequestHead& head) {
  const uint64_t most = head.method == "POST" ? kDocumentBytes : kUploadBytes;
  const uint64_t length = head.chunked ? most : head.content_length.value_or(0);
  return length > kSmallBodyBytes ? std::min(most, 3 * std::min(length, most)) : 0;
}

// The source of a copy passes through memory as an upload does.
uint64_t copy_charge(const RequestHead& head) {
  return head.headers.has("x-amz-copy-source") ? kAnswerBytes + kUploadBytes : 0;
}

uint64_t answer_charge(const RequestHead& head) { return head.method == "GET" ? kAnswerBytes : 0; }

}  // namespace

struct Admission::Waiter {
  Waiter(Admission& admission_in, Kind& kind_in, uint64_t charge)
      : admission(admission_in), kind(kind_in), charge_bytes(charge) {}
  ~Waiter() {
    leave();
    if (granted) admission.give_back(kind, charge_bytes, true);  // Destroyed before it could go on.
  }
  Waiter(const Waiter&) = delete;

  void leave() {
    if (!std::exchange(queued, false)) return;
    kind.queue.erase(at);
    --admission.counters_.waiting;
  }

  Admission& admission;
  Kind& kind;
  const uint64_t charge_bytes;
  int64_t until_ns = 0;
  Resolver<bool> resolve;
  std::list<Waiter*>::iterator at;
  bool queued = false;
  bool granted = false;
};

Admission::~Admission() {
  if (timer_ != 0) loop_->timer().cancel(timer_);
}

bool Admission::has_room(const Kind& kind, uint64_t charge_bytes) const {
  return counters_.held_bytes + charge_bytes <= limits_.memory_bytes &&
         kind.held_bytes + charge_bytes <= limits_.memory_bytes / 4 * 3;
}

void Admission::take(Kind& kind, uint64_t charge_bytes) {
  kind.held_bytes += charge_bytes;
  counters_.held_bytes += charge_bytes;
  ++counters_.working;
}

// Overtakes none but those of the other kind that lack room.
bool Admission::try_take(Kind& kind, uint64_t charge_bytes) {
  if (!kind.queue.empty() || counters_.working >= limits_.requests_max) return false;
  if (!has_room(kind, charge_bytes)) return false;
  take(kind, charge_bytes);
  return true;
}

Task<bool> Admission::queue_for(Kind& kind, uint64_t charge_bytes) {
  loop_ = Loop::current();
  if (kind.queue.size() >= limits_.waiting_max) {
    ++counters_.refused;
    co_return false;
  }
  take_from_slow();
  if (try_take(kind, charge_bytes)) co_return true;
  Waiter waiter(*this, kind, charge_bytes);
  const bool in = co_await suspend<bool>([&](Resolver<bool> resolve) {
    waiter.resolve = resolve;
    waiter.until_ns = loop_->clock().monotonic_ns() + limits_.wait_ns;
    waiter.at = kind.queue.insert(kind.queue.end(), &waiter);
    waiter.queued = true;
    ++counters_.waiting;
    arm();
  });
  waiter.granted = false;  // The ticket's from here on.
  co_return in;
}

void Admission::give_back(Kind& kind, uint64_t bytes, bool place) {
  kind.held_bytes -= bytes;
  counters_.held_bytes -= bytes;
  if (place) --counters_.working;
  admit_waiting();
}

// In order of arrival, but who lacks room keeps only its own kind waiting.
Admission::Waiter* Admission::next() {
  Waiter* next = nullptr;
  if (counters_.working >= limits_.requests_max) return next;
  for (Kind* kind : {&small_, &large_}) {
    if (kind->queue.empty()) continue;
    Waiter* first = kind->queue.front();
    if (!has_room(*kind, first->charge_bytes)) continue;
    if (!next || first->until_ns < next->until_ns) next = first;
  }
  return next;
}

void Admission::admit_waiting() {
  while (Waiter* first = next()) {
    first->leave();
    take(first->kind, first->charge_bytes);
    first->granted = true;
    first->resolve(true);
  }
}

void Admission::take_from_slow() {
  const int64_t long_ago_ns = loop_->clock().monotonic_ns() - limits_.slow_ns;
  while (!receiving_.empty() && receiving_.front()->silent_since_ns_ <= long_ago_ns) {
    Ticket& slow = *receiving_.front();
    slow.slow_ = true;
    slow.kind_.slow.splice(slow.kind_.slow.end(), receiving_, slow.at_);
    slow.give_up_place();
  }
}

void Admission::refuse_late(Kind& kind) {
  const int64_t now_ns = loop_->clock().monotonic_ns();
  while (!kind.queue.empty() && kind.queue.front()->until_ns <= now_ns) {
    Waiter& first = *kind.queue.front();
    first.leave();
    ++counters_.refused;
    first.resolve(false);
  }
}

// One for each that waits.
void Admission::hang_up_stalled(Kind& kind) {
  size_t wanted = kind.queue.size();
  if (wanted == 0 || has_room(kind, kind.queue.front()->charge_bytes)) return;
  const int64_t long_ago_ns = loop_->clock().monotonic_ns() - limits_.stall_ns;
  for (auto at = kind.slow.begin(); at != kind.slow.end() && wanted > 0;) {
    Ticket& slow = **at++;
    if (slow.silent_since_ns_ > long_ago_ns) continue;
    slow.leave_waiting();
    slow.hang_up_();
    ++counters_.refused;
    --wanted;
  }
}

void Admission::on_timer() {
  timer_ = 0;
  take_from_slow();
  for (Kind* kind : {&small_, &large_}) {
    refuse_late(*kind);
    hang_up_stalled(*kind);
  }
  admit_waiting();  // The next one may need less than the one that kept it waiting.
  arm();
}

void Admission::arm() {
  if (timer_ != 0 || counters_.waiting == 0) return;
  int64_t delay_ns = limits_.slow_ns;
  for (const Kind* kind : {&small_, &large_})
    if (!kind->queue.empty())
      delay_ns = std::min(delay_ns, kind->queue.front()->until_ns - loop_->clock().monotonic_ns());
  timer_ = loop_->timer().after(std::max<int64_t>(delay_ns, 1), [this] { on_timer(); });
}

Ticket::Ticket(Admission& admission, const RequestHead& head, std::function<void()> hang_up)
    : admission_(admission),
      hang_up_(std::move(hang_up)),
      kind_(body_charge(head) + copy_charge(head) > 0 ? admission.large_ : admission.small_),
      charge_bytes_(kRequestBytes + answer_charge(head) + copy_charge(head) + body_charge(head)) {}

bool Ticket::try_enter() {
  if (entered_) return true;
  if (!admission_.try_take(kind_, charge_bytes_)) return false;
  held_bytes_ = charge_bytes_;
  entered_ = working_ = true;
  return true;
}

Task<bool> Ticket::enter() {
  const bool in = co_await admission_.queue_for(kind_, charge_bytes_);
  if (!in) co_return false;
  held_bytes_ = charge_bytes_;
  entered_ = working_ = true;
  co_return true;
}

void Ticket::give_up_place() {
  if (std::exchange(working_, false)) admission_.give_back(kind_, 0, true);
}

void Ticket::wait_begins(int64_t silent_ns) {
  if (!working_) return;
  waits_ = true;
  silent_since_ns_ = Loop::current()->clock().monotonic_ns() - silent_ns;
  slow_ = slow_ || silent_ns >= admission_.limits_.slow_ns;  // A byte now and then is slow, too.
  std::list<Ticket*>& list = slow_ ? kind_.slow : admission_.receiving_;
  at_ = list.insert(list.end(), this);
  if (slow_) give_up_place();
}

void Ticket::leave_waiting() {
  if (std::exchange(waits_, false)) (slow_ ? kind_.slow : admission_.receiving_).erase(at_);
}

void Ticket::wait_ends() {
  leave_waiting();
  if (!entered_ || working_) return;
  working_ = true;  // Above the limit, if it must be: it is not for long.
  ++admission_.counters_.working;
}

void Ticket::answer(uint64_t held_bytes) {
  if (!entered_) return;
  const uint64_t kept = std::min(held_bytes + kRequestBytes, held_bytes_);
  admission_.give_back(kind_, held_bytes_ - kept, std::exchange(working_, false));
  held_bytes_ = kept;
}

void Ticket::release() {
  leave_waiting();
  if (!std::exchange(entered_, false)) return;
  admission_.give_back(kind_, std::exchange(held_bytes_, 0), std::exchange(working_, false));
}

}  // namespace kura::s3
