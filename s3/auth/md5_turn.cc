#include "s3/auth/md5_turn.h"

#include <memory>
#include <vector>

namespace kura::s3 {
namespace {

// Less than this is hashed in less time than waiting for a turn takes.
constexpr size_t kBytesWorthwhile = 1024;

struct Turn {
  Loop* loop;
  std::vector<Md5Update> updates;
  std::vector<Resolver<Done>> waiters;

  void end() {
    md5_update_all(updates);
    for (const Resolver<Done>& waiter : waiters) waiter.resume_now(Done{});
  }
};

// The loop owns its turn: a loop that ends takes it along. The simulator runs many loops on one
// thread, where the turn of another one is not this one's.
thread_local std::weak_ptr<Turn> current_turn;

std::shared_ptr<Turn> turn_of(Loop& loop) {
  std::shared_ptr<Turn> turn = current_turn.lock();
  if (turn && turn->loop == &loop) return turn;
  turn = std::make_shared<Turn>(Turn{&loop, {}, {}});
  current_turn = turn;
  loop.at_turn_end([turn] {
    if (current_turn.lock() == turn) current_turn.reset();
    turn->end();
  });
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
