// AsioLoop: the real Loop, one thread that waits for sockets, timers and posted callbacks.
//
// Life: construct, start(), ..., stop(), destroy. Stop every loop before any is destroyed, and
// destroy what works for their tasks (drives, acceptors) before the loops: a loop's destructor
// frees the frames of the tasks that never ended, and nobody may resume those any more.

#pragma once

#include <memory>
#include <string>

#include "base/loop.h"

namespace kura {

class AsioLoop : public Loop {
 public:
  explicit AsioLoop(Clock& clock);  // `clock` must live longer.
  ~AsioLoop() override;             // Stops first.
  AsioLoop(const AsioLoop&) = delete;

  // Starts the loop's own thread. `name` (at most 15 characters) is what `top -H` shows.
  void start(const std::string& name);
  // Runs the loop on the calling thread until stop(). Instead of start().
  void run();
  // Ends the thread after the callback that it is in; what is posted later is not run. From any
  // thread; waits for the loop's own thread unless called on it.
  void stop();

  void post(Callback fn) override;
  void at_turn_end(Callback fn) override;
  Timer& timer() override;
  Clock& clock() override { return clock_; }

  struct Impl;  // For net/ only: holds the io_context (net/asio_loop_impl.h).
  Impl& impl() { return *impl_; }

 private:
  Clock& clock_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kura
