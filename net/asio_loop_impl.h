// The Asio side of AsioLoop, for the .cc files of net/ that own sockets.

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/asio_loop.h"

namespace kura {

// All timers of a loop behind one Asio timer that is set to the earliest: sessions arm and cancel
// a timer for each request, which then costs no system call.
class LoopTimer : public Timer {
 public:
  LoopTimer(boost::asio::io_context& context, Clock& clock) : clock_(clock), alarm_(context) {}
  Id after(int64_t delay_ns, Callback fn) override;
  void cancel(Id id) override;
  void clear();

 private:
  using Due = std::pair<int64_t, Id>;  // Equal times fire in the order in which they were set.
  void arm();
  void fire();

  Clock& clock_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      alarm_;
  int64_t armed_ns_ = INT64_MAX;  // What the alarm is set to.
  Id last_id_ = 0;
  std::map<Due, Callback> due_;
  std::unordered_map<Id, int64_t> due_by_id_;
};

struct AsioLoop::Impl {
  explicit Impl(AsioLoop& loop_in, Clock& clock) : loop(loop_in), timer(context, clock) {}
  void run();
  void run_posted();
  void run_turn_end();

  AsioLoop& loop;
  // One thread runs it, so Asio may skip its own hand-over between threads.
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      context.get_executor()};
  LoopTimer timer;
  std::thread thread;

  std::mutex mutex;
  std::vector<Callback> posted;        // Guarded; the first of a burst wakes the loop.
  std::vector<Callback> running;       // The burst that is being run, on the loop's thread.
  std::vector<Callback> turn_end;      // On the loop's thread.
  std::vector<Callback> turn_running;  // On the loop's thread.
};

}  // namespace kura
