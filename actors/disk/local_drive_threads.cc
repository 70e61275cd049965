#include "actors/disk/local_drive_threads.h"

#include <pthread.h>

namespace kura {

DriveThreads::DriveThreads(const std::string& name, size_t threads) {
  for (size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this, name] {
      pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
      work();
    });
}

DriveThreads::~DriveThreads() { stop(); }

bool DriveThreads::push(Job* job) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    job->next_ = nullptr;
    (last_ ? last_->next_ : first_) = job;
    last_ = job;
  }
  wake_.notify_one();
  return true;
}

void DriveThreads::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return first_ || stopping_; });
    if (!first_) return;
    Job* job = first_;
    first_ = job->next_;
    if (!first_) last_ = nullptr;
    lock.unlock();
    job->run();
    lock.lock();
  }
}

void DriveThreads::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace kura
