// Admission: which requests of one loop are worked on now, which wait, and which are told to come
// back. Beyond what saturates a node more requests at once only cost memory and patience, so the
// excess waits briefly in order of arrival and then gets 503 SlowDown: the wait keeps clients that
// ask again at once from spending on refusals what the others need.
//
// A request has a place until its answer is ready. A client that keeps its request waiting for more
// bytes loses the place to whoever asks for one, and from then on counts only while the node works
// on what it sent: slow clients take no one's place.
//
// What a request may hold in memory is charged from its start, a large body included, so that who
// has begun never waits again, until it ends. Large requests and small ones have a queue and at
// most three quarters of the memory each: a quarter is always left to the other kind. And a client
// that has stalled loses its connection when others of its kind wait for memory. On one loop.

#pragma once

#include <cstdint>
#include <functional>
#include <list>

#include "base/limits.h"
#include "base/loop.h"
#include "s3/http/message.h"

namespace kura::s3 {

// A request with a longer body is large.
inline constexpr uint64_t kSmallBodyBytes = 64 * kKiB;
// Head (at most 32 KiB), what was read ahead, coroutine frames, answer; and twice a small body: as
// read and as it is packed.
inline constexpr uint64_t kRequestBytes = 64 * kKiB + 2 * kSmallBodyBytes;
// A range is read in pieces of about 1 MiB, one ahead of the client.
inline constexpr uint64_t kAnswerBytes = 2 * kMiB;
// An upload: 2 MiB not yet synced, up to 2 MiB being coded with its parity, a chunk being received.
inline constexpr uint64_t kUploadBytes = 4 * kMiB + kBodyChunkBytes;
// A document of kXmlBodyBytesMax, its texts and the commands made of it.
inline constexpr uint64_t kDocumentBytes = 3 * kXmlBodyBytesMax;

struct AdmissionLimits {
  // 64 requests in flight saturate one loop; with sixteen times as many the last one waits 0.1 s at
  // 10,000 requests a second. Below kPartitionPipelineMax: no partition has to refuse.
  uint32_t requests_max = 1024;
  // 129 uploads or 262 cold reads at a time, in three quarters of it.
  uint64_t memory_bytes = 768 * kMiB;
  int64_t wait_ns = 500'000'000;     // A loop at its limit is late: refused within a second.
  int64_t slow_ns = 100'000'000;     // Silent for so long: slow.
  int64_t stall_ns = 1'000'000'000;  // Silent for so long: stalled.
  // Of each kind. Each holds its head: 4,096 of 40 KiB are 160 MiB at worst.
  uint32_t waiting_max = 2048;
};

class Ticket;

class Admission {
 public:
  explicit Admission(AdmissionLimits limits) : limits_(limits) {}
  ~Admission();
  Admission(const Admission&) = delete;

  struct Counters {
    uint64_t working = 0, waiting = 0;
    uint64_t held_bytes = 0;
    uint64_t refused = 0;  // Since the start.
  };
  const Counters& counters() const { return counters_; }

 private:
  friend class Ticket;
  // Lives in the frame that waits, and leaves the queue with it.
  struct Waiter;

  struct Kind {
    std::list<Waiter*> queue;  // All wait equally long, so the first is late first.
    std::list<Ticket*> slow;   // Without a place, waiting for bytes.
    uint64_t held_bytes = 0;
  };

  bool has_room(const Kind& kind, uint64_t charge_bytes) const;
  bool try_take(Kind& kind, uint64_t charge_bytes);
  // Waits for it. False: it came to nothing.
  Task<bool> queue_for(Kind& kind, uint64_t charge_bytes);
  void take(Kind& kind, uint64_t charge_bytes);
  void give_back(Kind& kind, uint64_t bytes, bool place);
  Waiter* next();
  void admit_waiting();
  void take_from_slow();
  void refuse_late(Kind& kind);
  void hang_up_stalled(Kind& kind);
  void on_timer();
  void arm();

  const AdmissionLimits limits_;
  Counters counters_;
  Kind small_, large_;
  std::list<Ticket*> receiving_;  // With a place, waiting for bytes; the longest wait first.
  Loop* loop_ = nullptr;          // Of the timer.
  Timer::Id timer_ = 0;
};

// One request's part of an Admission, given back when it is destroyed.
class Ticket {
 public:
  // `hang_up` makes the wait for the client's bytes fail, not before it returns.
  Ticket(Admission& admission, const RequestHead& head, std::function<void()> hang_up);
  ~Ticket() { release(); }
  Ticket(const Ticket&) = delete;

  // Before anything is done for the request. try_enter() is enter() without the wait; false: not
  // now. enter(): refuse the request with SlowDown.
  bool try_enter();
  Task<bool> enter();
  // Around a wait for the client's bytes, which has made no progress for `silent_ns`. On a loop.
  void wait_begins(int64_t silent_ns);
  void wait_ends();
  // The node's work is done; `held_bytes` stay in memory until the client has them.
  void answer(uint64_t held_bytes);
  void release();

 private:
  friend class Admission;
  void give_up_place();
  void leave_waiting();

  Admission& admission_;
  const std::function<void()> hang_up_;
  Admission::Kind& kind_;
  const uint64_t charge_bytes_;
  uint64_t held_bytes_ = 0;
  bool entered_ = false, working_ = false, slow_ = false;
  int64_t silent_since_ns_ = 0;
  std::list<Ticket*>::iterator at_;  // In `slow` of its kind or receiving_, if waits_.
  bool waits_ = false;
};

}  // namespace kura::s3
