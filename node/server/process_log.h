// ProcessLog: what the process says on stderr, and the lines of its request log.
//
// Each io loop puts the line of a request into a ring of its own: no lock and, but for the first
// line after a pause, no system call. One loop that does nothing else gathers the rings and writes.
// When the reader of stderr stalls, that loop waits, the rings fill, and the lines that no longer
// fit are counted and reported; requests go on. What the operator has to see is written at once by
// whoever says it, unless that would wait too.

#pragma once

#include <signal.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "base/loop.h"
#include "node/server/log_ring.h"

namespace kura::node {

struct ProcessLogOptions {
  uint64_t ring_bytes = 2 * kMiB;       // For each source: about 5,000 lines.
  uint64_t waiting_bytes = 256 * kKiB;  // Lines for the operator while stderr is stalled.
  int64_t gather_ns = 5'000'000;        // Between two writes.
};

class ProcessLog {
 public:
  // Writes to `fd`. Writing may block `loop`, so it serves nothing else. `sources`: threads that
  // add(). The log outlives what runs on the loop.
  ProcessLog(int fd, Loop& loop, size_t sources, ProcessLogOptions options = {});
  ~ProcessLog();
  ProcessLog(const ProcessLog&) = delete;

  // A line of the request log, without its end. One thread at a time for each source.
  void add(size_t source, std::string_view line);
  // A line for the operator, written as "kura: ...". From any thread.
  void say(std::string_view line);
  // Lines for the operator wait from now on, until they are said or forgotten: for a process that
  // may turn out to have nothing new to tell. From any thread.
  void hold();
  void let_go(bool say);
  // Lines that nobody will see, since the start. From any thread.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // Writes what is there; waits so long for a reader that stalls. For the end of the process. From
  // any thread.
  void flush(int64_t timeout_ns);

  // From now on a crash (SIGABRT, SIGSEGV and their like) writes what is there before the process
  // ends. For one log of the process at a time, until its destruction.
  void write_at_crash();

 private:
  void look();
  bool nothing_waits();
  void wake();
  bool try_writing() { return !writing_.exchange(true, std::memory_order_acquire); }
  void end_writing() { writing_.store(false, std::memory_order_release); }
  // The following while writing_; `until_ns`: how long to wait for the reader.
  bool write_all(int64_t until_ns);
  bool write_rings(int64_t until_ns);
  bool write_said(int64_t until_ns);
  void report_dropped();
  size_t write_some(std::string_view bytes, int64_t until_ns);
  bool is_writable(int64_t until_ns);
  static void on_crash(int signal, siginfo_t* info, void* context);

  const int fd_;
  Loop& loop_;
  Clock& clock_;
  const ProcessLogOptions options_;
  std::vector<std::unique_ptr<LogRing>> rings_;
  // Who set it writes to fd_, whole lines. No mutex: a signal handler has to ask.
  std::atomic<bool> writing_{false};
  std::atomic<bool> resting_{true};  // Nobody looks at the rings until wake().
  std::atomic<uint64_t> dropped_{0};
  uint64_t dropped_reported_ = 0;  // While writing_.
  std::mutex said_mutex_;
  // All guarded by it.
  std::string said_;  // Lines for the operator that could not be written at once.
  std::string held_;
  bool holding_ = false;
};

}  // namespace kura::node
