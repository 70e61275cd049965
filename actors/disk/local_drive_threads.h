// DriveThreads: a few threads that make the blocking calls of one real drive.
//
// A job lives in the frame of the coroutine that waits for it, so an operation allocates nothing:
//
//   auto work = [&]() -> Result<void> { ... };
//   ThreadJob<Result<void>, decltype(work)> job(work);
//   co_return co_await job.on(threads);

#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/loop.h"
#include "base/result.h"

namespace kura {

class DriveThreads {
 public:
  class Job {
   public:
    virtual void run() = 0;

   protected:
    ~Job() = default;

   private:
    friend DriveThreads;
    Job* next_ = nullptr;
  };

  // `name` is what `top -H` shows, at most 15 characters.
  DriveThreads(const std::string& name, size_t threads);
  ~DriveThreads();  // As stop().
  DriveThreads(const DriveThreads&) = delete;

  // Runs `job` on one of the threads, first come first served. From any thread. The job lives until
  // it has run; false when stopped, and then it does not run.
  [[nodiscard]] bool push(Job* job);
  // Runs what was pushed, then ends the threads. Waits for them.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// `T` is a Result; the work's own, or closed when the threads were stopped.
template <class T, class Work>
class ThreadJob final : public DriveThreads::Job {
 public:
  explicit ThreadJob(Work& work) : work_(work) {}

  auto on(DriveThreads& threads) {
    auto start = [this, &threads](Resolver<T> resolve) {
      resolve_ = resolve;
      if (!threads.push(this)) resolve(fail(Errc::closed, "the drive was closed"));
    };
    return suspend<T, decltype(start)>(start);
  }

  void run() override {
    Resolver<T> resolve = resolve_;  // This job is gone as soon as the coroutine goes on.
    resolve(work_());
  }

 private:
  Work& work_;
  Resolver<T> resolve_;
};

}  // namespace kura
