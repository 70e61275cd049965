#include "s3/http/admission.h"

#include <gtest/gtest.h>

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
    Ticket ticket(load->admission, head);
    bool in = ticket.try_enter();
    if (!in) in = co_await ticket.enter();
    load->fates[i] = in ? "in" : "refused";
    if (in && head.content_length > kSmallBodyBytes) {
      bool large = ticket.try_receive(*head.content_length);
      if (!large) large = co_await ticket.receive();
      load->fates[i] = large ? "large" : "refused";
      if (!large) co_return;
    }
    if (in) co_await sleep_for(for_ns);
  }
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

TEST(Admission, MemoryIsChargedUntilTheEnd) {
  // One large upload and the start of another.
  Load load(limits(100, kUploadBytes + 2 * kRequestBytes + kMiB));
  load.send(head_of("PUT", kGiB), kSecond / 10);
  load.send(head_of("PUT", kGiB), kSecond / 10);
  load.send(head_of("PUT", 1), kSecond / 10);
  EXPECT_EQ(load.fates[0], "large");
  EXPECT_EQ(load.fates[1], "");  // Not even begun: its bytes would have to wait.
  EXPECT_EQ(load.fates[2], "");  // In turn.
  EXPECT_EQ(load.admission.counters().held_bytes, kUploadBytes + kRequestBytes);
  load.world.run_for(kSecond / 8);
  EXPECT_EQ(load.fates[1], "large");
  EXPECT_EQ(load.fates[2], "in");
  load.world.run_for(kSecond);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
}

// A request whose client is silent for `silence_ns` before it sends its body.
Task<void> receive_slowly(Admission* admission, int64_t silence_ns, int* bytes) {
  Ticket ticket(*admission, head_of("PUT", 10));
  bool in = ticket.try_enter();
  if (!in) in = co_await ticket.enter();
  for (int i = 0; in && i < 10; ++i) {
    ticket.wait_begins();
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
  Ticket ticket(admission, head_of("GET"));
  EXPECT_TRUE(ticket.try_enter());
  EXPECT_EQ(admission.counters().held_bytes, kRequestBytes + kAnswerBytes);
  ticket.answer(1000);
  EXPECT_EQ(admission.counters().held_bytes, kRequestBytes + 1000);
  EXPECT_EQ(admission.counters().working, 0u);
}

TEST(Admission, AFrameThatIsDestroyedLeavesTheQueue) {
  Load load(limits(1, kGiB));
  load.send(head_of("PUT"), 10 * kSecond);
  load.send(head_of("PUT"), kSecond);
  EXPECT_EQ(load.admission.counters().waiting, 1u);
  load.loop.stop();
  destroy_spawned_tasks(load.loop);
  EXPECT_EQ(load.admission.counters().waiting, 0u);
  EXPECT_EQ(load.admission.counters().held_bytes, 0u);
}

}  // namespace
}  // namespace kura::s3
