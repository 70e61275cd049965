// Admission: which requests of one loop are worked on now, which wait, and which are told to come
// back. Beyond what saturates a node more requests at once only cost memory and patience, so the
// excess waits briefly in order of arrival and then gets 503 SlowDown: the wait keeps clients that
// ask again at once from spending on refusals what the others need.
//
// A request has a place until its answer is ready. A client that keeps its request waiting for more
// bytes loses the place to whoever asks for one, and from then on counts only while the node works
// on what it sent: slow clients take no one's place. What a request holds in memory is charged
// until it ends. On one loop.

#pragma once

#include <cstdint>
#include <list>

#include "base/limits.h"
#include "base/loop.h"
#include "s3/http/message.h"

namespace kura::s3 {

// The two charges of a request: at its start, and once its body has passed kSmallBodyBytes.
inline constexpr uint64_t kSmallBodyBytes = 64 * kKiB;
// Head (at most 32 KiB), what was read ahead, coroutine frames, answer; and twice a small body: as
// read and as it is packed.
inline constexpr uint64_t kRequestBytes = 64 * kKiB + 2 * kSmallBodyBytes;
// A range is read in pieces of about 1 MiB, one ahead of the client.
inline constexpr uint64_t kAnswerBytes = 2 * kMiB;
// An upload: 2 MiB not yet synced, 1.5 MiB being coded with its parity, a chunk being received.
inline constexpr uint64_t kUploadBytes = 4 * kMiB;
// A document of kXmlBodyBytesMax, its texts and the commands made of it.
inline constexpr uint64_t kDocumentBytes = 3 * kXmlBodyBytesMax;

struct AdmissionLimits {
  // 64 requests in flight saturate one loop; with sixteen times as many the last one waits 0.1 s at
  // 10,000 requests a second. Below kPartitionPipelineMax: no partition has to refuse.
  uint32_t requests_max = 1024;
  // 192 uploads or 384 cold reads at a time.
  uint64_t memory_bytes = 768 * kMiB;
  int64_t wait_ns = 500'000'000;  // Twice at most (start, large body): refused within a second.
  int64_t slow_ns = 100'000'000;  // Silent for so long: slow.
  // Each holds its head: 4,096 of 40 KiB are 160 MiB at worst.
  uint32_t waiting_max = 4096;
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

  bool fits(uint64_t room_bytes, bool needs_place) const;
  void take(uint64_t charge_bytes, bool needs_place);
  bool try_take(uint64_t charge_bytes, uint64_t room_bytes, bool needs_place);
  // Waits for it. False: it came to nothing.
  Task<bool> queue_for(uint64_t charge_bytes, uint64_t room_bytes);
  void give_back(uint64_t bytes, bool place);
  void admit_waiting();
  void take_from_slow();
  void on_timer();
  void arm();

  const AdmissionLimits limits_;
  Counters counters_;
  std::list<Waiter*> queue_;      // All wait equally long, so the first is late first.
  std::list<Ticket*> receiving_;  // With a place, waiting for bytes; the longest wait first.
  Loop* loop_ = nullptr;          // Of the timer.
  Timer::Id timer_ = 0;
};

// One request's part of an Admission, given back when it is destroyed.
class Ticket {
 public:
  Ticket(Admission& admission, const RequestHead& head);
  ~Ticket() { release(); }
  Ticket(const Ticket&) = delete;

  // Before anything is done for the request. Each try_... is the same without the wait; false: not
  // now. enter() and receive(): refuse the request with SlowDown.
  bool try_enter();
  Task<bool> enter();
  // Before bytes of the body are handed on; `received_bytes` with them.
  bool try_receive(uint64_t received_bytes);
  Task<bool> receive();
  // Around a wait for the client's bytes. On a loop.
  void wait_begins();
  void wait_ends();
  // The node's work is done; `held_bytes` stay in memory until the client has them.
  void answer(uint64_t held_bytes);
  void release();

 private:
  friend class Admission;
  void give_up_place();
  void leave_receiving();

  Admission& admission_;
  uint64_t start_bytes_, large_bytes_;
  uint64_t room_bytes_;  // Free before it starts: a large body that is to come must find room, too.
  uint64_t held_bytes_ = 0;
  bool entered_ = false, working_ = false, large_ = false, slow_ = false;
  int64_t waits_since_ns_ = 0;
  std::list<Ticket*>::iterator at_;  // In receiving_, if waits_.
  bool waits_ = false;
};

}  // namespace kura::s3
