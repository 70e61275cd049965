#include "s3/auth/md5_turn.h"

#include <algorithm>
#include <vector>

#include "base/limits.h"

namespace kura::s3 {
namespace {

// Less than this is hashed in less time than waiting for a turn takes.
constexpr size_t kBytesWorthwhile = 1024;
// So often the end of a turn is put off while lanes are free: what the next sockets bring is hashed
// at no further cost. A body that is alone does not wait.
constexpr int kHoldsMax = 4;

// Where the drives are slower than this loop, bodies come one by one, and each would be hashed
// alone, at up to ten times the cost.
constexpr size_t kLongPieceBytes = 64 * kKiB;
constexpr size_t kLongBodiesMin = 3;  // With fewer, lanes gain nothing.
constexpr int64_t kFirstPatienceNsMax = 5'000'000, kPatienceNsMax = 20'000'000;
constexpr int64_t kStoredWeight = 8, kBetweenWeight = 4;  // Of one among those lately.
constexpr int kImpatient = 8;  // Pieces that do not wait, after one that waited for nobody.

struct Turn {
  Loop* loop;
  std::vector<Md5Update> updates;
  std::vector<Resolver<Done>> waiters;
  int64_t until_ns = INT64_MAX;  // All that it hashes can wait so long,
  size_t expected = 0;           // for so many.
  bool in_vain = false;          // It waited, and nobody came.
  int holds = 0;
  Timer::Id alarm = 0;

  bool full() const { return updates.size() >= md5_lanes(); }
  bool may_hold() const { return updates.size() > 1 && !full() && holds < kHoldsMax; }
  int64_t patience_ns() const {
    if (full() || updates.size() >= expected) return 0;
    return until_ns - loop->clock().monotonic_ns();
  }
  void end() {
    md5_update_all(updates);
    for (const Resolver<Done>& waiter : waiters) waiter.resume_now(Done{});
  }
};

// The loop owns its turn: a loop that ends takes it along. The simulator runs many loops on one
// thread, where the turn of another one is not this one's.
thread_local std::weak_ptr<Turn> current_turn;

void end(const std::shared_ptr<Turn>& turn) {
  if (current_turn.lock() == turn) current_turn.reset();
  turn->end();
}

void end_later(const std::shared_ptr<Turn>& turn) {
  turn->loop->at_turn_end([turn] {
    if (turn->may_hold()) {
      ++turn->holds;
      return end_later(turn);
    }
    const int64_t patience_ns = turn->patience_ns();
    if (patience_ns <= 0) return end(turn);
    turn->alarm = turn->loop->timer().after(patience_ns, [turn] {
      turn->in_vain = turn->updates.size() < 2;
      end(turn);
    });
  });
}

// The one that is under way, or another.
std::shared_ptr<Turn> turn_of(Loop& loop) {
  std::shared_ptr<Turn> turn = current_turn.lock();
  if (turn && turn->loop == &loop) {
    if (turn->alarm == 0) return turn;
    loop.timer().cancel(std::exchange(turn->alarm, 0));
  } else {
    turn = std::make_shared<Turn>(Turn{.loop = &loop});
    current_turn = turn;
  }
  end_later(turn);
  return turn;
}

}  // namespace

struct BodyMd5::LongBodies {
  Loop* loop;
  size_t receiving = 0;   // More pieces may come of so many,
  size_t storing = 0;     // and of so many none.
  int64_t stored_ns = 0;  // From the first piece of a body to its end, lately.
  int impatient = 0;      // So many of their pieces do not wait.

  static std::shared_ptr<LongBodies> of(Loop& loop) {
    thread_local std::weak_ptr<LongBodies> current;
    std::shared_ptr<LongBodies> ones = current.lock();
    if (ones && ones->loop == &loop) return ones;
    ones = std::make_shared<LongBodies>(LongBodies{&loop});
    current = ones;
    return ones;
  }
  void ended(int64_t took_ns) {
    stored_ns = stored_ns == 0 ? took_ns : stored_ns + (took_ns - stored_ns) / kStoredWeight;
  }
};

BodyMd5::~BodyMd5() {
  if (!long_ones_) return;
  --(finished_ ? long_ones_->storing : long_ones_->receiving);
  if (finished_) long_ones_->ended(long_ones_->loop->clock().monotonic_ns() - first_ns_);
}

int64_t BodyMd5::patience_ns() {
  const size_t bodies = long_ones_->receiving + (first_ns_ == 0 ? long_ones_->storing : 0);
  if (bodies < kLongBodiesMin) return 0;
  if (long_ones_->impatient > 0) {
    --long_ones_->impatient;
    return 0;
  }
  if (first_ns_ == 0) return std::min(long_ones_->stored_ns / 4, kFirstPatienceNsMax);
  return std::min(between_ns_ / 2, kPatienceNsMax);
}

Task<void> BodyMd5::update(std::string_view bytes) {
  if (bytes.size() < kBytesWorthwhile) {
    digest_.update(bytes);
    co_return;
  }
  const bool is_long = bytes.size() >= kLongPieceBytes;
  if (is_long && !long_ones_) {
    long_ones_ = LongBodies::of(*Loop::current());
    ++long_ones_->receiving;
  }
  Clock& clock = Loop::current()->clock();
  const int64_t now_ns = clock.monotonic_ns();
  if (is_long && first_ns_ != 0)
    between_ns_ += (now_ns - updated_ns_ - between_ns_) / (between_ns_ == 0 ? 1 : kBetweenWeight);
  const int64_t until_ns = now_ns + (is_long ? patience_ns() : 0);
  const std::shared_ptr<Turn> turn = turn_of(*Loop::current());
  turn->until_ns = std::min(turn->until_ns, until_ns);
  if (long_ones_)
    turn->expected = long_ones_->receiving + (first_ns_ == 0 ? long_ones_->storing : 0);
  co_await suspend<Done>([&](Resolver<Done> resolve) {
    turn->updates.push_back({&digest_, bytes});
    turn->waiters.push_back(resolve);
  });
  if (turn->in_vain && long_ones_) long_ones_->impatient = kImpatient;
  if (!is_long) co_return;
  updated_ns_ = clock.monotonic_ns();
  if (first_ns_ == 0) first_ns_ = updated_ns_;
}

std::string BodyMd5::finish() {
  finished_ = true;
  if (long_ones_) {
    --long_ones_->receiving;
    ++long_ones_->storing;
  }
  return digest_.finish();
}

}  // namespace kura::s3
