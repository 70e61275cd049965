// TurnQueue: lets one task at a time into a section that suspends, in the order of asking.

#pragma once

#include <deque>
#include <memory>

#include "base/loop.h"

namespace kura {

class TurnQueue {
  struct Waiter {
    Resolver<Done> resolve;
    bool gone = false;  // Its frame was destroyed while it waited.
  };
  struct State {
    bool taken = false;
    std::deque<std::shared_ptr<Waiter>> waiting;

    void pass_on() {
      while (!waiting.empty()) {
        std::shared_ptr<Waiter> next = waiting.front();
        waiting.pop_front();
        if (next->gone) continue;
        next->resolve(Done{});
        return;
      }
      taken = false;
    }
  };

 public:
  // Ends the turn when it is destroyed.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<State> state) : state_(std::move(state)) {}
    Turn(Turn&& other) noexcept : state_(std::move(other.state_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (state_) state_->pass_on();
    }

   private:
    std::shared_ptr<State> state_;
  };

  // On one loop only.
  Task<Turn> enter() { return enter(state_); }

 private:
  static Task<Turn> enter(std::shared_ptr<State> state) {
    if (!state->taken) {
      state->taken = true;
      co_return Turn(state);
    }
    struct Place {
      std::shared_ptr<Waiter> waiter = std::make_shared<Waiter>();
      ~Place() { waiter->gone = true; }
    };
    Place place;
    State* queue = state.get();
    co_await suspend<Done>([queue, &place](Resolver<Done> resolve) {
      place.waiter->resolve = resolve;
      queue->waiting.push_back(place.waiter);
    });
    co_return Turn(state);
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace kura
