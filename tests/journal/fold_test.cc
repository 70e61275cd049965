// The fold head against scenarios and a second implementation with switchable mistakes: every
// mistake must be caught by a scenario, else the scenarios prove nothing.

#include "journal/fold.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "journal/record_codec.h"

namespace kura::journal {
namespace {

WriterId writer(uint8_t n) {
  WriterId id;
  id.bytes[0] = n;
  return id;
}

Record claim(uint64_t epoch, uint8_t who, uint32_t lease_ms) {
  return {.kind = RecordKind::claim,
          .epoch = Epoch{epoch},
          .writer = writer(who),
          .lease_ms = lease_ms};
}

Record event(uint64_t epoch, uint8_t who, uint64_t seq, bool open = false, uint64_t seen = 0) {
  return {.kind = RecordKind::event,
          .open = open,
          .epoch = Epoch{epoch},
          .writer = writer(who),
          .seq = seq,
          .seen = Offset{seen}};
}

Record of_kind(RecordKind kind, Record record) {
  record.kind = kind;
  return record;
}

using Fold = std::function<Verdict(PartitionHead&, const Record&)>;

Verdict real_fold(PartitionHead& head, const Record& record) { return fold_head(head, record); }

// Written from section 2 of journal/PROTOCOL.md, line by line.
Verdict model_fold(const std::string& mistake, PartitionHead& h, const Record& r) {
  auto has = [&](const char* name) { return mistake == name; };
  if (r.kind == RecordKind::claim) {
    const bool old = has("equal_epoch") ? r.epoch < h.epoch : r.epoch <= h.epoch;
    if (old) return Verdict::void_record;
    if (r.writer != h.writer || has("opened_never_kept")) h.opened = false;
    if (has("opened_kept")) h.opened = true;
    h.epoch = r.epoch;
    h.writer = r.writer;
    h.lease_ms = r.lease_ms;
    if (!has("seq_goes_on")) h.next_seq = 1;
    h.dead = false;
    h.wait_ms = has("wait_own_bound") ? r.lease_ms : std::max(h.wait_ms, r.lease_ms);
    return Verdict::effective;
  }
  if (r.epoch != h.epoch) return Verdict::void_record;
  if (r.writer != h.writer && !has("writer_ignored")) return Verdict::void_record;
  if (h.dead && !has("dead_ignored")) return Verdict::void_record;
  if (r.seq < h.next_seq && !has("no_seq")) return Verdict::repeat;
  if (r.seq > h.next_seq && !has("no_seq")) {
    if (!has("gap_open")) h.dead = true;
    return Verdict::void_record;
  }
  h.next_seq = h.next_seq + 1;
  if (r.open) {
    h.opened = true;
    h.wait_ms = h.lease_ms;
    h.visible = has("visible_falls") ? r.seen : std::max(h.visible, r.seen);
  }
  if (has("visible_when_waiting")) h.visible = std::max(h.visible, r.seen);
  if (r.kind == RecordKind::release) {
    h.dead = true;
    if (h.opened || has("release_in_wait")) h.wait_ms = 0;
  }
  return Verdict::effective;
}

// Verdicts by letter (e, v, r) and the head after them.
struct Outcome {
  std::string verdicts;
  PartitionHead head;
};

Outcome run(const Fold& fold, const std::vector<Record>& log) {
  Outcome out;
  for (const Record& record : log) {
    const Verdict verdict = fold(out.head, record);
    out.verdicts += verdict == Verdict::effective ? 'e' : verdict == Verdict::repeat ? 'r' : 'v';
  }
  return out;
}

struct Scenario {
  const char* name;
  std::vector<Record> log;
  std::string verdicts;
  std::function<bool(const PartitionHead&)> holds;
};

std::vector<Scenario> scenarios() {
  using H = const PartitionHead&;
  const auto any = [](H) { return true; };
  return {
      {"nothing counts before a claim",
       {event(0, 0, 1), event(1, 1, 1)},
       "vv",
       [](H h) { return h == PartitionHead{}; }},
      {"a claim opens an epoch",
       {claim(1, 1, 500), event(1, 1, 1), event(1, 1, 2)},
       "eee",
       [](H h) { return h.next_seq == 3 && !h.dead && !h.opened && h.wait_ms == 500; }},
      {"the first of two claims of one epoch wins",
       {claim(1, 1, 0), claim(1, 2, 0), event(1, 1, 1), event(1, 2, 1)},
       "evev",
       [](H h) { return h.writer == writer(1); }},
      {"a claim delivered twice changes nothing the second time",
       {claim(1, 1, 0), event(1, 1, 1), claim(1, 1, 0), event(1, 1, 1)},
       "eevr",
       any},
      {"an older claim that lands late is void", {claim(2, 2, 0), claim(1, 1, 0)}, "ev", any},
      {"a former owner is void whenever it lands",
       {claim(1, 1, 0), claim(2, 2, 0), event(1, 1, 1), event(2, 2, 1)},
       "eeve",
       any},
      {"another life of the same epoch number is void",
       {claim(1, 1, 0), event(1, 2, 1)},
       "ev",
       any},
      {"a second copy is dropped",
       {claim(1, 1, 0), event(1, 1, 1), event(1, 1, 1), event(1, 1, 2)},
       "eere",
       any},
      {"a gap ends the epoch for ever",
       {claim(1, 1, 0), event(1, 1, 2), event(1, 1, 1), event(1, 1, 2)},
       "evvv",
       [](H h) { return h.dead; }},
      {"after a gap the next claim starts anew",
       {claim(1, 1, 0), event(1, 1, 1), event(1, 1, 3), claim(2, 1, 0), event(2, 1, 1)},
       "eevee",
       [](H h) { return !h.dead && h.next_seq == 2; }},
      {"a claimant behind one that had not waited waits for the lease before that",
       {claim(1, 1, 900), claim(2, 2, 100)},
       "ee",
       [](H h) { return h.wait_ms == 900; }},
      {"a longer lease counts at once",
       {claim(1, 1, 100), claim(2, 2, 900)},
       "ee",
       [](H h) { return h.wait_ms == 900 && h.lease_ms == 900; }},
      {"an open record leaves its own lease only",
       {claim(1, 1, 900), claim(2, 2, 100), event(2, 2, 1, true, 7)},
       "eee",
       [](H h) { return h.wait_ms == 100 && h.opened && h.visible == Offset{7}; }},
      {"a release of an open owner ends the wait",
       {claim(1, 1, 900), event(1, 1, 1, true), of_kind(RecordKind::release, event(1, 1, 2)),
        event(1, 1, 3)},
       "eeev",
       [](H h) { return h.wait_ms == 0 && h.dead; }},
      {"a release while waiting leaves the wait",
       {claim(1, 1, 900), claim(2, 2, 100), of_kind(RecordKind::release, event(2, 2, 1))},
       "eee",
       [](H h) { return h.wait_ms == 900 && h.dead; }},
      {"the same writer stays open over its next claim",
       {claim(1, 1, 900), event(1, 1, 1, true), claim(2, 1, 900),
        of_kind(RecordKind::release, event(2, 1, 1))},
       "eeee",
       [](H h) { return h.opened && h.wait_ms == 0; }},
      {"another writer is not open by inheritance",
       {claim(1, 1, 900), event(1, 1, 1, true), claim(2, 2, 900),
        of_kind(RecordKind::release, event(2, 2, 1))},
       "eeee",
       [](H h) { return !h.opened && h.wait_ms == 900; }},
      {"visible never falls",
       {claim(1, 1, 0), event(1, 1, 1, true, 9), event(1, 1, 2, true, 4)},
       "eee",
       [](H h) { return h.visible == Offset{9}; }},
      {"a waiting owner makes nothing visible",
       {claim(1, 1, 0), event(1, 1, 1, false, 9)},
       "ee",
       [](H h) { return h.visible == Offset{0}; }},
      {"a noop takes a seq like an event",
       {claim(1, 1, 0), of_kind(RecordKind::noop, event(1, 1, 1)), event(1, 1, 2)},
       "eee",
       any},
      {"a withdrawal never counts",
       {withdrawal({}), claim(1, 1, 0), withdrawal({}), event(1, 1, 1)},
       "veve",
       any},
      {"seq 0 is never an event", {claim(1, 1, 0), event(1, 1, 0)}, "er", any},
  };
}

std::string first_failure(const Fold& fold) {
  for (const Scenario& scenario : scenarios()) {
    const Outcome out = run(fold, scenario.log);
    if (out.verdicts != scenario.verdicts || !scenario.holds(out.head)) return scenario.name;
  }
  return {};
}

TEST(FoldHead, HoldsInEveryScenario) { EXPECT_EQ(first_failure(real_fold), ""); }

class FoldMistake : public testing::TestWithParam<const char*> {};

TEST_P(FoldMistake, IsCaughtByAScenario) {
  const std::string mistake = GetParam();
  EXPECT_NE(
      first_failure([&](PartitionHead& h, const Record& r) { return model_fold(mistake, h, r); }),
      "");
}

INSTANTIATE_TEST_SUITE_P(Protocol, FoldMistake,
                         testing::Values("equal_epoch", "wait_own_bound", "no_seq", "gap_open",
                                         "release_in_wait", "opened_kept", "opened_never_kept",
                                         "seq_goes_on", "writer_ignored", "dead_ignored",
                                         "visible_falls", "visible_when_waiting"));

// Small numbers, so that random records meet.
std::vector<Record> any_log() {
  return *rc::gen::container<std::vector<Record>>(rc::gen::exec([] {
    Record r;
    r.kind = *rc::gen::element(RecordKind::claim, RecordKind::event, RecordKind::event,
                               RecordKind::noop, RecordKind::release);
    r.open = *rc::gen::arbitrary<bool>();
    r.epoch = Epoch{*rc::gen::inRange<uint64_t>(0, 4)};
    r.writer = writer(*rc::gen::inRange<uint8_t>(0, 3));
    r.seq = *rc::gen::inRange<uint64_t>(0, 5);
    r.lease_ms = *rc::gen::inRange<uint32_t>(0, 4);
    r.seen = Offset{*rc::gen::inRange<uint64_t>(0, 6)};
    return r;
  }));
}

TEST(FoldHead, EqualsTheSecondImplementation) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<Record> log = any_log();
    const Outcome real = run(real_fold, log);
    const Outcome model =
        run([](PartitionHead& h, const Record& r) { return model_fold("", h, r); }, log);
    RC_ASSERT(real.verdicts == model.verdicts);
    RC_ASSERT(real.head == model.head);
  }));
}

// What the rest of the protocol builds on, over any log at all.
TEST(FoldHead, NeverCountsOneSeqTwiceNorOutOfOrder) {
  EXPECT_TRUE(rc::check([] {
    PartitionHead head;
    std::map<uint64_t, uint64_t> counted;  // By epoch: effective records without the claim.
    for (const Record& record : any_log()) {
      const PartitionHead before = head;
      const Verdict verdict = fold_head(head, record);
      RC_ASSERT(head.epoch >= before.epoch);
      RC_ASSERT(head.visible >= before.visible);
      if (verdict == Verdict::void_record && before.dead) RC_ASSERT(head == before);
      if (verdict == Verdict::repeat) RC_ASSERT(head == before);
      if (verdict != Verdict::effective || record.kind == RecordKind::claim) continue;
      RC_ASSERT(record.seq == ++counted[record.epoch.value]);
    }
  }));
}

// A snapshot holds the head, so folding on from any point gives the same verdicts.
TEST(FoldHead, GoesOnFromAnySnapshotOfTheHead) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<Record> log = any_log();
    const size_t cut = *rc::gen::inRange<size_t>(0, log.size() + 1);
    PartitionHead whole, first;
    for (const Record& record : log) fold_head(whole, record);
    for (size_t i = 0; i < cut; ++i) fold_head(first, log[i]);
    PartitionHead second = first;
    for (size_t i = cut; i < log.size(); ++i) fold_head(second, log[i]);
    RC_ASSERT(second == whole);
  }));
}

}  // namespace
}  // namespace kura::journal
