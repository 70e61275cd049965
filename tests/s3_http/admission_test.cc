#include "s3/http/admission.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/s3_http/edge.h"

namespace kura::s3 {
namespace {

using sim::kSecond;

RequestHead head_of(std::string method, uint64_t length = 0) {
  RequestHead head;
  head.method = std::move(method);
  head.path = "/b/k";
  head.content_length = length;
  return head;
}

// Requests on one simulated loop.
class Load {
 public:
  explicit Load(AdmissionLimits limits) : admission(limits) {}
  ~Load() {
    loop.stop();
    destroy_spawned_tasks(loop);
  }

  // A request that is worked on for `for_ns` once it is in. Its fate: "" while it waits.
  size_t send(RequestHead head, int64_t for_ns) {
    fates.emplace_back();
    spawn(loop, run(this, fates.size() - 1, std::move(head), for_ns));
    world.run_for(sim::kMillisecond);
    return fates.size() - 1;
  }

  sim::SimWorld world{1};
  sim::SimClock clock{world};
  sim::SimLoop loop{world, "io", clock};
  Admission admission;
  std::vector<std::string> fates;

 private:
  static Task<void> run(Load* load, size_t i, RequestHead head, int64_t for_ns) {
    Ticket ticket(load->admission, head, [] {});
    bool in = ticket.try_enter();
    if (!in) in = co_await ticket.enter();
    load->fates[i] = in ? "in" : "refused";
    if (in) co_await sleep_for(for_ns);
  }
};

// A request whose client sends some of `length` each `silence_ns` (0: never) until `hung_up`: much
// if it makes progress, else a byte.
struct Upload {
  Upload(Load& load, uint64_t length, int64_t silence_ns_in, bool progress_in = false)
      : head(head_of("PUT", length)),
        silence_ns(silence_ns_in),
        progress(progress_in),
        ticket(load.admission, head, [this] { hung_up = true; }) {
    spawn(load.loop, run(this));
    load.world.run_for(sim::kMillisecond);
  }
  static Task<void> run(Upload* self) {
    bool in = self->ticket.try_enter();
    if (!in) in = co_await self->ticket.enter();
    self->in = in;
    int64_t silent_ns = 0;
    while (in && !self->hung_up) {
      self->ticket.wait_begins(silent_ns);
      const int64_t until_ns = Loop::current()->clock().monotonic_ns() + self->silence_ns;
      do co_await sleep_for(10 * sim::kMillisecond);
      while (!self->hung_up &&
             (self->silence_ns == 0 || Loop::current()->clock().monotonic_ns() < until_ns));
      if (!self->progress) silent_ns += self->silence_ns;
      self->ticket.wait_ends();
    }
    self->ticket.release();
  }

  const RequestHead head;
  const int64_t silence_ns;
  const bool progress;
  bool in = false, hung_up = false;
  Ticket ticket;
};

AdmissionLimits limits(uint32_t requests, uint64_t memory, uint32_t waiting = 100) {
  AdmissionLimits out;
  out.requests_max = requests;
  out.memory_bytes = memory;
  out.waiting_max = waiting;
  return out;
}

TEST(Admission, WhatFindsNoPlaceWaitsItsTurn) {
  Load load(limits(2, kGiB));
  for (int i = 0; i < 4; ++i) load.send(head_of("PUT"), kSecond / 10);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", "in", "", ""}));
  EXPECT_EQ(load.admission.counters().waiting, 2u);
  load.world.run_for(kSecond / 8);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", "in", "in", "in"}));
  load.world.run_for(kSecond);
  EXPECT_EQ(load.admission.counters().working, 0u);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
  EXPECT_EQ(load.admission.counters().refused, 0u);
}

TEST(Admission, WhatWaitsTooLongIsRefused) {
  Load load(limits(1, kGiB));
  load.send(head_of("PUT"), 10 * kSecond);
  const size_t late = load.send(head_of("PUT"), kSecond);
  load.world.run_for(AdmissionLimits{}.wait_ns - 20 * sim::kMillisecond);
  EXPECT_EQ(load.fates[late], "");
  load.world.run_for(40 * sim::kMillisecond);
  EXPECT_EQ(load.fates[late], "refused");
  EXPECT_EQ(load.admission.counters().refused, 1u);
  EXPECT_EQ(load.admission.counters().waiting, 0u);
}

TEST(Admission, ALongQueueRefusesAtOnce) {
  Load load(limits(1, kGiB, 2));
  for (int i = 0; i < 4; ++i) load.send(head_of("GET"), kSecond / 10);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", "", "", "refused"}));
}

constexpr uint64_t kLargeBytes = kUploadBytes + kRequestBytes;
constexpr uint64_t kMemory = 10 * kLargeBytes;  // Seven large uploads.

TEST(Admission, MemoryIsChargedUntilTheEnd) {
  Load load(limits(100, 2 * kLargeBytes));
  load.send(head_of("PUT", kGiB), kSecond / 10);
  load.send(head_of("PUT", kGiB), kSecond / 10);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", ""}));
  EXPECT_EQ(load.admission.counters().held_bytes, kLargeBytes);
  load.world.run_for(kSecond / 8);
  EXPECT_EQ(load.fates[1], "in");
  load.world.run_for(kSecond);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
}

TEST(Admission, WhoNeedsLittleWaitsInTurnToo) {
  Load load(limits(100, 4 * kLargeBytes - kMiB));
  for (int i = 0; i < 3; ++i) load.send(head_of("PUT", kGiB), kSecond / 10);
  load.send(head_of("PUT", kSmallBodyBytes + 1), kSecond / 10);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", "in", "", ""}));
  load.world.run_for(kSecond / 8);
  EXPECT_EQ(load.fates, (std::vector<std::string>{"in", "in", "in", "in"}));
}

TEST(Admission, LargeRequestsLeaveAQuarterToSmallOnes) {
  Load load(limits(1000, kMemory));
  RequestHead copy = head_of("PUT"), chunked = head_of("PUT");
  copy.headers.add("x-amz-copy-source", "/b/k");
  chunked.chunked = true;
  const std::vector<RequestHead> heads{head_of("PUT", kGiB), copy, chunked,
                                       head_of("PUT", kSmallBodyBytes + 1), head_of("POST", kMiB)};
  for (int i = 0; i < 50; ++i) {
    load.send(heads[i % heads.size()], 10 * kSecond);
    EXPECT_LE(load.admission.counters().held_bytes, kMemory / 4 * 3);
  }
  EXPECT_GT(load.admission.counters().held_bytes, kMemory / 2);
  EXPECT_GT(load.admission.counters().waiting, 0u);
  for (int i = 0; i < 20; ++i) {
    const size_t small = load.send(head_of(i % 4 ? "PUT" : "GET", 0), kSecond / 100);
    EXPECT_EQ(load.fates[small], "in");
    load.world.run_for(kSecond / 50);
  }
  load.world.run_for(20 * kSecond);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
  EXPECT_EQ(load.admission.counters().waiting, 0u);
}

TEST(Admission, SmallRequestsLeaveAQuarterToLargeOnes) {
  Load load(limits(1000, kMemory));
  for (int i = 0; i < 400; ++i) load.send(head_of("PUT", 1), 10 * kSecond);
  EXPECT_GT(load.admission.counters().waiting, 0u);
  EXPECT_LE(load.admission.counters().held_bytes, kMemory / 4 * 3);
  EXPECT_EQ(load.fates[load.send(head_of("PUT", kGiB), 0)], "in");
}

TEST(Admission, MemoryStaysBelowTheCap) {
  Load load(limits(10000, kMemory, 10000));
  for (int i = 0; i < 2000; ++i) {
    load.send(head_of(i % 3 ? "PUT" : "GET", i % 5 ? i % 2 : i * kKiB), kSecond / 5);
    ASSERT_LE(load.admission.counters().held_bytes, kMemory);
  }
  load.world.run_for(20 * kSecond);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
  EXPECT_EQ(load.admission.counters().working, 0u);
}

TEST(Admission, BothKindsGetPlacesInOrderOfArrival) {
  Load load(limits(1, kGiB));
  load.send(head_of("PUT"), kSecond / 10);
  const size_t large = load.send(head_of("PUT", kGiB), kSecond / 10);
  const size_t small = load.send(head_of("PUT"), kSecond / 10);
  load.world.run_for(kSecond / 9);
  EXPECT_EQ(load.fates[large], "in");
  EXPECT_EQ(load.fates[small], "");
  load.world.run_for(kSecond / 9);
  EXPECT_EQ(load.fates[small], "in");
}

using Uploads = std::vector<std::unique_ptr<Upload>>;

Uploads uploads(Load& load, size_t count, uint64_t length, int64_t silence_ns) {
  Uploads made;
  for (size_t i = 0; i < count; ++i)
    made.push_back(std::make_unique<Upload>(load, length, silence_ns));
  return made;
}

size_t hung_up(const Uploads& all) {
  return std::count_if(all.begin(), all.end(), [](const auto& u) { return u->hung_up; });
}

// As many as have room, of `length`; later others of the same kind and of the other.
void stalled_clients_give_way(uint64_t length, uint64_t other_length, int64_t silence_ns) {
  Load load(limits(1000, kMemory));
  Upload other(load, other_length, 9 * kSecond / 100, true);
  const uint64_t charge = length > kSmallBodyBytes ? kLargeBytes : kRequestBytes;
  Uploads stalled = uploads(load, kMemory / 4 * 3 / charge, length, silence_ns);
  load.world.run_for(2 * kSecond);
  EXPECT_EQ(load.fates[load.send(head_of("PUT", other_length), kSecond / 10)], "in");
  EXPECT_EQ(hung_up(stalled), 0u);  // Nobody waits.
  for (int i = 0; i < 2; ++i) EXPECT_EQ(load.fates[load.send(head_of("PUT", length), kSecond)], "");
  load.world.run_for(kSecond / 4);
  EXPECT_EQ(load.fates[1], "in");
  EXPECT_EQ(load.fates[2], "in");
  EXPECT_EQ(hung_up(stalled), 2u);  // No more than had to.
  EXPECT_FALSE(other.hung_up);
  for (auto& upload : stalled) upload->hung_up = true;
  other.hung_up = true;
  load.world.run_for(2 * kSecond);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
  EXPECT_EQ(load.admission.counters().working, 0u);
  EXPECT_EQ(load.admission.counters().waiting, 0u);
}

TEST(Admission, StalledClientsGiveWayToThoseOfTheirKind) {
  stalled_clients_give_way(kGiB, 1, 0);
  stalled_clients_give_way(1, kGiB, 0);
}

TEST(Admission, SoDoThoseThatSendAByteNowAndThen) {
  stalled_clients_give_way(kGiB, 1, kSecond / 100);
}

TEST(Admission, StalledClientsKeepTheirMemoryWhenOthersNeedPlaces) {
  Load load(limits(1, kGiB));
  Upload stalled(load, kGiB, 0);
  load.world.run_for(2 * kSecond);
  load.send(head_of("PUT", kGiB), 10 * kSecond);
  const size_t late = load.send(head_of("PUT", kGiB), 0);
  load.world.run_for(kSecond);
  EXPECT_EQ(load.fates[late], "refused");
  EXPECT_FALSE(stalled.hung_up);
}

TEST(Admission, ClientsThatAreNotYetStalledKeepTheirMemory) {
  Load load(limits(1000, kMemory));
  Uploads silent = uploads(load, 7, kGiB, 0);
  const size_t late = load.send(head_of("PUT", kGiB), 0);
  load.world.run_for(3 * kSecond / 4);
  EXPECT_EQ(load.fates[late], "refused");
  EXPECT_EQ(hung_up(silent), 0u);
}

// A request whose client is silent for `silence_ns` before it sends its body.
Task<void> receive_slowly(Admission* admission, int64_t silence_ns, int* bytes) {
  Ticket ticket(*admission, head_of("PUT", 10), [] {});
  bool in = ticket.try_enter();
  if (!in) in = co_await ticket.enter();
  for (int i = 0; in && i < 10; ++i) {
    ticket.wait_begins(0);
    co_await sleep_for(silence_ns);
    ticket.wait_ends();
    ++*bytes;
  }
}

TEST(Admission, SlowClientsLoseTheirPlace) {
  Load load(limits(1, kGiB));
  int bytes = 0;
  spawn(load.loop, receive_slowly(&load.admission, kSecond, &bytes));
  load.world.run_for(kSecond / 2);
  EXPECT_EQ(load.admission.counters().working, 1u);  // Nobody asked for it.
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(load.fates[load.send(head_of("PUT"), kSecond / 10)], "in");
    load.world.run_for(kSecond / 3);
  }
  load.world.run_for(20 * kSecond);
  EXPECT_EQ(bytes, 10);
  EXPECT_EQ(load.admission.counters().working, 0u);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
}

TEST(Admission, QuickClientsKeepTheirPlace) {
  Load load(limits(1, kGiB));
  int bytes = 0;
  spawn(load.loop, receive_slowly(&load.admission, kSecond / 50, &bytes));
  load.world.run_for(kSecond / 100);
  const size_t next = load.send(head_of("PUT"), 0);
  load.world.run_for(kSecond / 10);
  EXPECT_EQ(load.fates[next], "");
  load.world.run_for(kSecond / 5);
  EXPECT_EQ(bytes, 10);
  EXPECT_EQ(load.fates[next], "in");
}

TEST(Admission, ASlowClientLosesItsPlaceToWhoWaitsAlready) {
  Load load(limits(1, kGiB));
  int bytes = 0;
  spawn(load.loop, receive_slowly(&load.admission, kSecond, &bytes));
  load.world.run_for(kSecond / 100);
  const size_t next = load.send(head_of("PUT"), 0);
  EXPECT_EQ(load.fates[next], "");
  load.world.run_for(kSecond / 4);
  EXPECT_EQ(load.fates[next], "in");
}

TEST(Admission, AnAnswerHoldsWhatIsStillToBeSent) {
  Admission admission(limits(1, kGiB));
  Ticket ticket(admission, head_of("GET"), [] {});
  EXPECT_TRUE(ticket.try_enter());
  EXPECT_EQ(admission.counters().held_bytes, kRequestBytes + kAnswerBytes);
  ticket.answer(1000);
  EXPECT_EQ(admission.counters().held_bytes, kRequestBytes + 1000);
  EXPECT_EQ(admission.counters().working, 0u);
}

TEST(Admission, AFrameThatIsDestroyedLeavesTheQueue) {
  Load load(limits(1, kGiB));
  Ticket ticket(load.admission, head_of("PUT"), [] {});
  EXPECT_TRUE(ticket.try_enter());
  load.send(head_of("PUT"), kSecond);
  EXPECT_EQ(load.admission.counters().waiting, 1u);
  load.loop.stop();
  destroy_spawned_tasks(load.loop);
  EXPECT_EQ(load.admission.counters().waiting, 0u);
  ticket.release();
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
  EXPECT_EQ(load.admission.counters().working, 0u);
}

}  // namespace
}  // namespace kura::s3
