#include "net/asio_loop.h"

#include <pthread.h>

#include <boost/asio/post.hpp>

#include "net/asio_loop_impl.h"
#include "net/uring_writes.h"

namespace kura {

Timer::Id LoopTimer::after(int64_t delay_ns, Callback fn) {
  int64_t due_ns = clock_.monotonic_ns() + std::max<int64_t>(delay_ns, 0);
  Id id = ++last_id_;
  due_.emplace(Due{due_ns, id}, std::move(fn));
  due_by_id_.emplace(id, due_ns);
  if (due_ns < armed_ns_) arm();
  return id;
}

void LoopTimer::cancel(Id id) {
  auto it = due_by_id_.find(id);
  if (it == due_by_id_.end()) return;
  due_.erase({it->second, id});
  due_by_id_.erase(it);
  // The alarm stays as it is: it finds nothing due and sets itself anew.
}

void LoopTimer::clear() {
  due_.clear();
  due_by_id_.clear();
}

void LoopTimer::arm() {
  if (due_.empty()) {
    armed_ns_ = INT64_MAX;
    return;
  }
  armed_ns_ = due_.begin()->first.first;
  int64_t wait_ns = std::max<int64_t>(armed_ns_ - clock_.monotonic_ns(), 0);
  alarm_.expires_after(std::chrono::nanoseconds(wait_ns));
  alarm_.async_wait([this](boost::system::error_code error) {
    if (!error) fire();
  });
}

void LoopTimer::fire() {
  int64_t now_ns = clock_.monotonic_ns();
  armed_ns_ = INT64_MIN;  // after() leaves the alarm alone until all that is due has run.
  // Timers set by these callbacks wait for the next turn, so that they cannot starve the sockets.
  Id last_before = last_id_;
  while (!due_.empty() && due_.begin()->first.first <= now_ns) {
    auto first = due_.begin();
    if (first->first.second > last_before) break;
    Callback fn = std::move(first->second);
    due_by_id_.erase(first->first.second);
    due_.erase(first);
    fn();
  }
  arm();
}

void AsioLoop::Impl::run() {
  Running running_here(&loop);
  // Gone, with what was under way, before the tasks are whose bytes it writes.
  const std::unique_ptr<UringWrites> direct_writes = UringWrites::make(context);
  UringWrites::Active active(direct_writes.get());
  context.run();
}

void AsioLoop::Impl::run_posted() {
  {
    std::lock_guard lock(mutex);
    running.swap(posted);
  }
  for (Callback& fn : running) {
    if (context.stopped()) break;
    Callback now = std::move(fn);
    now();
  }
  running.clear();
}

void AsioLoop::Impl::run_turn_end() {
  turn_running.swap(turn_end);
  for (Callback& fn : turn_running) {
    if (context.stopped()) break;
    Callback now = std::move(fn);
    now();
  }
  turn_running.clear();
}

AsioLoop::AsioLoop(Clock& clock) : clock_(clock), impl_(std::make_unique<Impl>(*this, clock)) {}

AsioLoop::~AsioLoop() {
  stop();
  // Sockets and timers die before the io_context: first the frames that hold them, then what was
  // still queued and may hold them as well.
  destroy_spawned_tasks(*this);
  impl_->timer.clear();
  std::vector<Callback> dropped;
  {
    std::lock_guard lock(impl_->mutex);
    dropped.swap(impl_->posted);
  }
  dropped.clear();
  impl_->turn_end.clear();
}

void AsioLoop::start(const std::string& name) {
  INVARIANT(!impl_->thread.joinable(), "a loop starts once");
  impl_->thread = std::thread([this, name] {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    impl_->run();
  });
}

void AsioLoop::run() { impl_->run(); }

void AsioLoop::stop() {
  impl_->context.stop();
  if (impl_->thread.joinable() && impl_->thread.get_id() != std::this_thread::get_id())
    impl_->thread.join();
}

void AsioLoop::post(Callback fn) {
  bool first;
  {
    std::lock_guard lock(impl_->mutex);
    first = impl_->posted.empty();
    impl_->posted.push_back(std::move(fn));
  }
  if (first) boost::asio::post(impl_->context, [impl = impl_.get()] { impl->run_posted(); });
}

void AsioLoop::at_turn_end(Callback fn) {
  INVARIANT(is_current(), "a turn belongs to the loop's thread");
  impl_->turn_end.push_back(std::move(fn));
  if (impl_->turn_end.size() == 1)
    boost::asio::post(impl_->context, [impl = impl_.get()] { impl->run_turn_end(); });
}

Timer& AsioLoop::timer() { return impl_->timer; }

}  // namespace kura
