#include "bench/load/run.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <memory>

#include "bench/load/connection.h"

namespace kura::bench {
namespace {

using Clock = std::chrono::steady_clock;
using State = Connection::State;

constexpr std::chrono::seconds kAnswer{60};  // No answer in so long ends the run.
constexpr uint64_t kCheckedOneOf = 64;  // Bodies are compared so often: it costs the client time.

double cpu_s() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Why this answer is not what was asked for; empty if it is.
std::string wrong(const Request& request, const Answer& answer, bool body_kept, const Workload& w) {
  const WorkloadOptions& options = w.options();
  if (answer.status < 200 || answer.status > 299)
    return "status " + std::to_string(answer.status) + ": " + answer.body.substr(0, 400);
  const bool sized = request.operation == Operation::get || request.operation == Operation::stat;
  if (sized && answer.body_bytes != options.size_bytes)
    return "an object of " + std::to_string(answer.body_bytes) + " bytes";
  if (!body_kept) return "";
  if (request.operation == Operation::get && answer.body != w.body()) return "other bytes than put";
  if (request.operation == Operation::list && !options.list_anywhere &&
      count_of(answer.body, "<Key>") != std::min<uint64_t>(options.keys, options.list_keys))
    return "a page of " + std::to_string(count_of(answer.body, "<Key>")) + " keys";
  return "";
}

class Loop {
 public:
  Loop(const RunOptions& options, Signer& signer, Workload& workload)
      : options_(options),
        signer_(signer),
        workload_(workload),
        poll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~Loop() { ::close(poll_); }

  Outcome run() {
    for (uint32_t i = 0; i < options_.connections && outcome_.error.empty(); ++i) open();
    begun_ = Clock::now();
    const double cpu_before = cpu_s();
    while (outcome_.error.empty()) {
      const std::chrono::nanoseconds until_due = start_due();
      if (in_flight_ == 0 && ended()) break;
      std::array<epoll_event, 256> events;
      const timespec timeout{until_due / std::chrono::seconds(1),
                             (until_due % std::chrono::seconds(1)).count()};
      const int ready = ::epoll_pwait2(poll_, events.data(), events.size(), &timeout, nullptr);
      if (ready == 0 && until_due == kAnswer) outcome_.error = "no answer in a minute";
      for (int i = 0; i < ready && outcome_.error.empty(); ++i)
        on_event(*static_cast<Lane*>(events[i].data.ptr), events[i].events);
    }
    outcome_.seconds = seconds_between(begun_, Clock::now());
    outcome_.client_cpu_s = cpu_s() - cpu_before;
    return std::move(outcome_);
  }

 private:
  struct Lane {
    explicit Lane(uint16_t port) : connection(port) {}
    Connection connection;
    Request request{};
    Clock::time_point due;
    bool checked = false, polls_writable = false;
  };

  void open() {
    Lane& lane = *lanes_.emplace_back(std::make_unique<Lane>(options_.port));
    outcome_.error = lane.connection.error();
    epoll_event interest{EPOLLIN, {.ptr = &lane}};
    ::epoll_ctl(poll_, EPOLL_CTL_ADD, lane.connection.descriptor(), &interest);
    idle_.push_back(&lane);
  }

  Clock::time_point due_of(uint64_t n) const {
    const std::chrono::duration<double> after(static_cast<double>(n) / options_.requests_per_s);
    return begun_ + std::chrono::duration_cast<Clock::duration>(after);
  }

  bool ended() const {
    return (options_.count != 0 && started_ >= options_.count) ||
           (options_.seconds > 0 && seconds_between(begun_, Clock::now()) >= options_.seconds);
  }

  // Starts what may start now. Returns how long to poll until more may.
  std::chrono::nanoseconds start_due() {
    while (!idle_.empty() && outcome_.error.empty() && !ended()) {
      const Clock::time_point now = Clock::now();
      const Clock::time_point due = options_.requests_per_s > 0 ? due_of(started_) : now;
      if (due > now) return due - now;
      Lane& lane = *idle_.back();
      idle_.pop_back();
      start(lane, due);
    }
    return kAnswer;
  }

  void start(Lane& lane, Clock::time_point due) {
    lane.request = workload_.next();
    lane.due = due;
    const Operation operation = lane.request.operation;
    lane.checked = started_++ % kCheckedOneOf == 0;
    ++in_flight_;
    std::string_view body;
    if (operation == Operation::put) body = workload_.body();
    settle(lane, lane.connection.begin(signer_.head(lane.request.target), body,
                                       operation == Operation::stat, lane.checked));
  }

  void on_event(Lane& lane, uint32_t events) {
    if (events & EPOLLOUT) settle(lane, lane.connection.on_writable());
    if (events & ~static_cast<uint32_t>(EPOLLOUT)) settle(lane, lane.connection.on_readable());
  }

  void settle(Lane& lane, State state) {
    if (state == State::broken) outcome_.error = lane.connection.error();
    if (const bool sending = state == State::sending; sending != lane.polls_writable) {
      lane.polls_writable = sending;
      epoll_event interest{EPOLLIN | (sending ? EPOLLOUT : 0u), {.ptr = &lane}};
      ::epoll_ctl(poll_, EPOLL_CTL_MOD, lane.connection.descriptor(), &interest);
    }
    if (state != State::answered) return;
    outcome_.error = wrong(lane.request, lane.connection.answer(), lane.checked, workload_);
    outcome_.latencies_us.push_back(
        static_cast<float>(seconds_between(lane.due, Clock::now()) * 1e6));
    if (lane.request.operation == Operation::put) {
      outcome_.put_bytes += workload_.body().size();
      ++outcome_.puts;
    }
    workload_.answered(lane.request);
    --in_flight_;
    idle_.push_back(&lane);
  }

  const RunOptions& options_;
  Signer& signer_;
  Workload& workload_;
  const int poll_;
  Clock::time_point begun_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> idle_;
  uint64_t started_ = 0;
  uint32_t in_flight_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome run(const RunOptions& options, Signer& signer, Workload& workload) {
  return Loop(options, signer, workload).run();
}

}  // namespace kura::bench
