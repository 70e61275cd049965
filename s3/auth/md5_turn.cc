#include "s3/auth/md5_turn.h"

#include <memory>
#include <vector>

namespace kura::s3 {
namespace {

// Less than this is hashed in less time than waiting for a turn takes.
constexpr size_t kBytesWorthwhile = 1024;
// So often the end of a turn is put off while lanes are free: what the next sockets bring is hashed
// at no further cost. A body that is alone does not wait.
constexpr int kHoldsMax = 4;

struct Turn {
  Loop* loop;
  std::vector<Md5Update> updates;
  std::vector<Resolver<Done>> waiters;
  int holds = 0;

  bool may_hold() const {
    return updates.size() > 1 && updates.size() < md5_lanes() && holds < kHoldsMax;
  }
  void end() {
    md5_update_all(updates);
    for (const Resolver<Done>& waiter : waiters) waiter.resume_now(Done{});
  }
};

// The loop owns its turn: a loop that ends takes it along. The simulator runs many loops on one
// thread, where the turn of another one is not this one's.
thread_local std::weak_ptr<Turn> current_turn;

void end_later(const std::shared_ptr<Turn>& turn) {
  turn->loop->at_turn_end([turn] {
    if (turn->may_hold()) {
      ++turn->holds;
      return end_later(turn);
    }
    if (current_turn.lock() == turn) current_turn.reset();
    turn->end();
  });
}

std::shared_ptr<Turn> turn_of(Loop& loop) {
  std::shared_ptr<Turn> turn = current_turn.lock();
  if (turn && turn->loop == &loop) return turn;
  turn = std::make_shared<Turn>(Turn{&loop, {}, {}});
  current_turn = turn;
  end_later(turn);
  return turn;
}

}  // namespace

Task<void> md5_update(Md5& digest, std::string_view bytes) {
  if (bytes.size() < kBytesWorthwhile) {
    digest.update(bytes);
    co_return;
  }
  co_await suspend<Done>([&](Resolver<Done> resolve) {
    const std::shared_ptr<Turn> turn = turn_of(*Loop::current());
    turn->updates.push_back({&digest, bytes});
    turn->waiters.push_back(resolve);
  });
}

}  // namespace kura::s3
