#include "net/uring_writes.h"

#include <liburing.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <mutex>
#include <set>
#include <vector>

namespace kura {
namespace {

constexpr unsigned kUnderWayMax = 256;

class Writes;
std::mutex all_mutex;
std::set<Writes*> all;  // Of the process.

int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

class Writes final : public UringWrites {
 public:
  explicit Writes(boost::asio::io_context& context) : ready_(context) {}

  ~Writes() override {
    {
      std::lock_guard lock(all_mutex);
      all.erase(this);
    }
    if (!open_) return;
    ready_.release();
    while (under_way_ > 0) {
      io_uring_cqe* ended = nullptr;
      if (io_uring_wait_cqe(&ring_, &ended) != 0) continue;
      io_uring_cqe_seen(&ring_, ended);
      --under_way_;
    }
    io_uring_queue_exit(&ring_);
  }

  bool open() {
    // Without COOP_TASKRUN the kernel interrupts the loop for each end of a write.
    if (io_uring_queue_init(kUnderWayMax, &ring_, IORING_SETUP_COOP_TASKRUN) != 0) return false;
    open_ = true;
    // As many as there may be writes: those to a drive that hangs must not take the workers of
    // others.
    unsigned workers[] = {kUnderWayMax, 0};
    if (io_uring_register_iowq_max_workers(&ring_, workers) != 0) return false;
    ready_.assign(ring_.ring_fd);
    waiting_.resize(kUnderWayMax);
    begun_ns_ = std::vector<std::atomic<int64_t>>(kUnderWayMax);
    for (unsigned i = 0; i < kUnderWayMax; ++i) free_.push_back(i);
    std::lock_guard lock(all_mutex);
    all.insert(this);
    return true;
  }

  bool begin(int fd, uint64_t offset_bytes, std::string_view bytes, Until until,
             Resolver<int64_t> done) override {
    if (free_.empty()) return false;
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (!entry) return false;
    io_uring_prep_write(entry, fd, bytes.data(), static_cast<unsigned>(bytes.size()), offset_bytes);
    if (until == Until::durable) entry->rw_flags = RWF_DSYNC;
    // By a worker of the kernel: here, a file system that hangs could hold the loop in the call.
    entry->flags |= IOSQE_ASYNC;
    const unsigned place = free_.back();
    io_uring_sqe_set_data64(entry, place);
    while (io_uring_sq_ready(&ring_) > 0) {
      const int submitted = io_uring_submit(&ring_);
      INVARIANT(submitted >= 0 || submitted == -EINTR || submitted == -EAGAIN, "an entry is taken");
    }
    free_.pop_back();
    waiting_[place] = done;
    begun_ns_[place].store(now_ns(), std::memory_order_relaxed);
    if (++under_way_ == 1) watch();
    return true;
  }

  bool waits_for(int64_t ns) const {
    const int64_t since = now_ns() - ns;
    return std::any_of(begun_ns_.begin(), begun_ns_.end(),
                       [since](const std::atomic<int64_t>& begun) {
                         const int64_t at = begun.load(std::memory_order_relaxed);
                         return at != 0 && at < since;
                       });
  }

 private:
  void watch() {
    ready_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [this](boost::system::error_code error) {
                        if (!error) reap();
                      });
  }

  void reap() {
    std::vector<std::pair<Resolver<int64_t>, int64_t>> ended;
    io_uring_cqe* entry = nullptr;
    while (io_uring_peek_cqe(&ring_, &entry) == 0) {
      const auto place = static_cast<unsigned>(entry->user_data);
      ended.emplace_back(waiting_[place], entry->res);
      io_uring_cqe_seen(&ring_, entry);
      begun_ns_[place].store(0, std::memory_order_relaxed);
      free_.push_back(place);
    }
    under_way_ -= ended.size();
    if (under_way_ > 0) watch();
    for (const auto& [done, result] : ended) done.resume_now(result);  // May begin others.
  }

  io_uring ring_{};
  bool open_ = false;
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> ready_;
  std::vector<Resolver<int64_t>> waiting_;  // By the entry's user data.
  std::vector<unsigned> free_;
  std::vector<std::atomic<int64_t>> begun_ns_;  // By the same; 0: not under way.
  size_t under_way_ = 0;
};

}  // namespace

bool UringWrites::any_waits_for(int64_t ns) {
  std::lock_guard lock(all_mutex);
  return std::any_of(all.begin(), all.end(),
                     [ns](const Writes* one) { return one->waits_for(ns); });
}

std::unique_ptr<UringWrites> UringWrites::make(boost::asio::io_context& context) {
  auto writes = std::make_unique<Writes>(context);
  if (!writes->open()) return nullptr;
  return writes;
}

}  // namespace kura
