// The contract of Loop and Timer (base/loop.h),
// run against every implementation. For one .cc file of a binary:
//
//   INSTANTIATE_TEST_SUITE_P(Asio, LoopContract, ::testing::Values(make_asio_subject));

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/loop.h"

namespace kura::testing {

struct LoopSubject {
  virtual ~LoopSubject() = default;
  virtual Loop& loop() = 0;
  // Runs `task` on loop() and returns when it has ended.
  virtual void run(Task<void> task) = 0;
};

class LoopContract
    : public ::testing::TestWithParam<std::function<std::unique_ptr<LoopSubject>()>> {
 protected:
  void SetUp() override { subject_ = GetParam()(); }
  void run(Task<void> task) { subject_->run(std::move(task)); }
  Loop& loop() { return subject_->loop(); }

  std::unique_ptr<LoopSubject> subject_;
  std::string log_;  // Written on the loop only.
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LoopContract);

namespace loop_contract {

constexpr int64_t kMs = 1'000'000;

inline Task<void> posts_in_order(Loop& loop, std::string& log) {
  EXPECT_TRUE(loop.is_current());
  for (char c : std::string("abc")) loop.post([&log, c] { log += c; });
  EXPECT_EQ(log, "") << "post() never runs inside its caller";
  co_await sleep_for(kMs);
  EXPECT_EQ(log, "abc");
}

inline Task<void> post_from_a_post(Loop& loop, std::string& log) {
  loop.post([&] {
    loop.post([&] { log += 'c'; });
    log += 'a';
  });
  loop.post([&] { log += 'b'; });
  co_await sleep_for(kMs);
  EXPECT_EQ(log, "abc");
}

inline Task<void> turn_end_follows_what_is_ready(Loop& loop, std::string& log) {
  loop.post([&] {
    log += 'a';
    loop.at_turn_end([&] {
      EXPECT_TRUE(loop.is_current());
      log += 'E';
    });
  });
  loop.post([&] { log += 'b'; });
  loop.post([&] { log += 'c'; });
  co_await sleep_for(kMs);
  EXPECT_EQ(log, "abcE");
  co_await sleep_for(kMs);
  EXPECT_EQ(log, "abcE") << "at_turn_end() runs once";
}

inline Task<void> turn_end_can_ask_again(Loop& loop, std::string& log) {
  loop.at_turn_end([&] {
    log += '1';
    loop.at_turn_end([&] { log += '2'; });
  });
  co_await sleep_for(kMs);
  EXPECT_EQ(log, "12");
}

inline Task<void> timers_fire_in_order_of_time(Loop& loop, std::string& log) {
  Timer& timer = loop.timer();
  timer.after(6 * kMs, [&] { log += 'c'; });
  timer.after(2 * kMs, [&] { log += 'a'; });
  timer.after(4 * kMs, [&] { log += 'b'; });
  timer.after(0, [&] { log += '0'; });
  EXPECT_EQ(log, "") << "after() never runs inside its caller";
  co_await sleep_for(9 * kMs);
  EXPECT_EQ(log, "0abc");
}

inline Task<void> timers_keep_the_time(Loop& loop) {
  int64_t before_ns = loop.clock().monotonic_ns();
  co_await sleep_for(5 * kMs);
  EXPECT_GE(loop.clock().monotonic_ns() - before_ns, 5 * kMs);
  EXPECT_TRUE(loop.is_current());
}

inline Task<void> cancelled_timers_stay_silent(Loop& loop, std::string& log) {
  Timer& timer = loop.timer();
  Timer::Id one = timer.after(kMs, [&] { log += 'x'; });
  Timer::Id two = timer.after(2 * kMs, [&] { log += 'y'; });
  EXPECT_NE(one, 0u);
  EXPECT_NE(one, two);
  timer.cancel(one);
  co_await sleep_for(4 * kMs);
  EXPECT_EQ(log, "y");
  timer.cancel(two);
  timer.cancel(two + 1000);
  timer.after(kMs, [&] { log += 'z'; });
  co_await sleep_for(3 * kMs);
  EXPECT_EQ(log, "yz");
}

inline Task<void> timer_sets_and_cancels_timers(Loop& loop, std::string& log) {
  Timer& timer = loop.timer();
  Timer::Id victim = timer.after(3 * kMs, [&] { log += 'x'; });
  timer.after(kMs, [&, victim] {
    log += 'a';
    timer.cancel(victim);
    timer.after(kMs, [&] { log += 'b'; });
  });
  // On a busy machine the first one fires late, and the second counts from there.
  for (int i = 0; i < 5000 && log.size() < 2; ++i) co_await sleep_for(4 * kMs);
  EXPECT_EQ(log, "ab");
}

inline Task<void> count_turns(Loop& loop, int rounds, int& finished) {
  for (int i = 0; i < rounds; ++i) {
    co_await suspend<Done>(
        [&](Resolver<Done> resolve) { loop.at_turn_end([resolve] { resolve(Done{}); }); });
    EXPECT_TRUE(loop.is_current());
  }
  ++finished;
}

inline Task<void> many_tasks_take_turns(Loop& loop) {
  int finished = 0;
  for (int i = 0; i < 50; ++i) spawn(loop, count_turns(loop, 20, finished));
  for (int i = 0; i < 5000 && finished < 50; ++i) co_await sleep_for(kMs);
  EXPECT_EQ(finished, 50);
}

}  // namespace loop_contract

TEST_P(LoopContract, PostsRunInOrder) { run(loop_contract::posts_in_order(loop(), log_)); }
TEST_P(LoopContract, PostFromAPost) { run(loop_contract::post_from_a_post(loop(), log_)); }
TEST_P(LoopContract, TurnEndFollowsWhatIsReady) {
  run(loop_contract::turn_end_follows_what_is_ready(loop(), log_));
}
TEST_P(LoopContract, TurnEndCanAskAgain) {
  run(loop_contract::turn_end_can_ask_again(loop(), log_));
}
TEST_P(LoopContract, TimersFireInOrderOfTime) {
  run(loop_contract::timers_fire_in_order_of_time(loop(), log_));
}
TEST_P(LoopContract, TimersKeepTheTime) { run(loop_contract::timers_keep_the_time(loop())); }
TEST_P(LoopContract, CancelledTimersStaySilent) {
  run(loop_contract::cancelled_timers_stay_silent(loop(), log_));
}
TEST_P(LoopContract, TimerSetsAndCancelsTimers) {
  run(loop_contract::timer_sets_and_cancels_timers(loop(), log_));
}
TEST_P(LoopContract, ManyTasksTakeTurns) { run(loop_contract::many_tasks_take_turns(loop())); }

}  // namespace kura::testing
