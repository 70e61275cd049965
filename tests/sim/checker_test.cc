#include "sim/checker.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kura::sim {
namespace {

Operation put(Value v, int64_t from, int64_t to) {
  Operation op;
  op.what = "PUT";
  op.invoked_ns = from;
  op.returned_ns = to;
  op.writes = true;
  op.written = v;
  return op;
}
Operation remove(int64_t from, int64_t to) { return put(kAbsent, from, to); }
Operation get(Value v, int64_t from, int64_t to) {
  Operation op;
  op.what = "GET";
  op.invoked_ns = from;
  op.returned_ns = to;
  op.holds = Holds::is;
  op.operand = v;
  return op;
}
Operation holding(Operation op, Holds holds, Value operand = kAbsent) {
  op.holds = holds;
  op.operand = operand;
  return op;
}

bool accepts(std::vector<Operation> operations) {
  Register history;
  for (Operation& op : operations) {
    op.number = history.operations.size() + 1;
    history.operations.push_back(op);
  }
  return !check_register("b/k", history);
}

TEST(Checker, SequentialHistories) {
  EXPECT_TRUE(accepts({}));
  EXPECT_TRUE(accepts({get(0, 1, 2)}));
  EXPECT_TRUE(accepts({put(1, 1, 2), get(1, 3, 4), remove(5, 6), get(0, 7, 8)}));
  EXPECT_FALSE(accepts({put(1, 1, 2), get(0, 3, 4)})) << "lost";
  EXPECT_FALSE(accepts({put(1, 1, 2), put(2, 3, 4), get(1, 5, 6)})) << "stale";
  EXPECT_FALSE(accepts({put(1, 1, 2), remove(3, 4), get(1, 5, 6)})) << "revived";
  EXPECT_FALSE(accepts({get(7, 1, 2)})) << "never written";
  EXPECT_FALSE(accepts({get(1, 1, 2), put(1, 3, 4)})) << "from the future";
}

TEST(Checker, ConcurrentHistories) {
  EXPECT_TRUE(accepts({put(1, 1, 10), get(0, 2, 3), get(1, 4, 5)}));
  EXPECT_FALSE(accepts({put(1, 1, 10), get(1, 2, 3), get(0, 4, 5)})) << "read went back";
  EXPECT_TRUE(accepts({put(1, 1, 10), put(2, 1, 10), get(1, 11, 12)}));
  EXPECT_TRUE(accepts({put(1, 1, 10), put(2, 1, 10), get(2, 11, 12)}));
  EXPECT_FALSE(accepts({put(1, 1, 10), put(2, 1, 10), get(2, 11, 12), get(1, 13, 14)}));
}

TEST(Checker, UnknownOutcomes) {
  EXPECT_TRUE(accepts({put(1, 1, kNever), get(0, 2, 3), get(1, 4, 5)})) << "late";
  EXPECT_TRUE(accepts({put(1, 1, kNever), get(0, 100, 101)})) << "never";
  EXPECT_FALSE(accepts({put(1, 1, kNever), get(1, 4, 5), get(0, 6, 7)})) << "seen, then gone";
  EXPECT_TRUE(accepts({put(1, 1, 2), remove(3, kNever), get(1, 4, 5), get(0, 6, 7)}));
  EXPECT_FALSE(accepts({put(1, 1, 2), remove(3, kNever), get(0, 4, 5), put(2, 6, 7), get(0, 8, 9)}))
      << "one removal takes place once";
  EXPECT_TRUE(accepts({put(1, 1, 2), remove(3, kNever), remove(3, kNever), get(0, 4, 5),
                       put(2, 6, 7), get(0, 8, 9)}));
  EXPECT_FALSE(accepts({put(1, 1, 2), get(0, 3, 4), remove(5, kNever)})) << "not before it began";
}

TEST(Checker, ConditionalWrites) {
  const auto create = [](Value v, int64_t a, int64_t b) {
    return holding(put(v, a, b), Holds::is, kAbsent);
  };
  EXPECT_TRUE(accepts({create(1, 1, 10), get(1, 11, 12)}));
  EXPECT_FALSE(accepts({create(1, 1, 10), create(2, 1, 10)})) << "two winners";
  Operation refused = holding(get(0, 1, 10), Holds::is_present);
  EXPECT_TRUE(accepts({create(1, 1, 10), refused}));
  EXPECT_FALSE(accepts({refused})) << "refused by nobody";
  EXPECT_TRUE(accepts({refused, create(2, 1, kNever)})) << "refused by an unseen write";
  Operation other = holding(get(0, 20, 30), Holds::is_another, 1);
  EXPECT_FALSE(accepts({put(1, 1, 2), other}));
  EXPECT_TRUE(accepts({put(1, 1, 2), other, put(5, 3, kNever)}));
  EXPECT_TRUE(accepts({put(1, 1, 2), holding(put(2, 3, 4), Holds::is, 1), get(2, 5, 6)}));
  EXPECT_FALSE(accepts(
      {put(1, 1, 2), holding(put(2, 3, 9), Holds::is, 1), holding(put(3, 3, 9), Holds::is, 1)}))
      << "If-Match chains form a path";
}

TEST(Checker, UnknownWriteSeenOnlyThroughAnother) {
  EXPECT_TRUE(accepts({put(1, 1, kNever), holding(put(2, 2, kNever), Holds::is, 1), get(2, 5, 6)}));
}

TEST(Checker, ManyUnknownOutcomesStayCheap) {
  std::vector<Operation> operations;
  for (int64_t t = 0; t < 2000; ++t) {
    operations.push_back(put(static_cast<Value>(10 * t + 1), 100 * t, kNever));
    operations.push_back(remove(100 * t, kNever));
    operations.push_back(put(static_cast<Value>(10 * t + 2), 100 * t, 100 * t + 150));
    operations.push_back(holding(get(0, 100 * t + 10, 100 * t + 160), Holds::is_present));
  }
  EXPECT_TRUE(accepts(operations));
}

// All orders, for small histories.
bool explains(std::vector<Operation> left, Value value) {
  int64_t first_return = kNever;
  for (const Operation& op : left) first_return = std::min(first_return, op.returned_ns);
  if (first_return == kNever) return true;  // What is left need not have happened.
  for (size_t i = 0; i < left.size(); ++i) {
    const Operation op = left[i];
    if (op.invoked_ns > first_return) continue;
    const bool allowed = op.holds == Holds::anything ||
                         (op.holds == Holds::is && value == op.operand) ||
                         (op.holds == Holds::is_present && value != kAbsent) ||
                         (op.holds == Holds::is_another && value != kAbsent && value != op.operand);
    if (!allowed) continue;
    std::vector<Operation> rest = left;
    rest.erase(rest.begin() + static_cast<ptrdiff_t>(i));
    if (explains(std::move(rest), op.writes ? op.written : value)) return true;
  }
  return false;
}

TEST(Checker, AgreesWithAllOrdersOnRandomHistories) {
  int good = 0, bad = 0;
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    SimRandom random(seed);
    std::vector<Operation> operations;
    const uint64_t writes = 1 + random.pick(3);
    Value next = 1;
    for (uint64_t i = 0, n = 2 + random.pick(6); i < n; ++i) {
      const int64_t from = random.between(0, 12);
      int64_t to = from + random.between(1, 8);
      const Value seen = random.pick(writes + 1);
      const uint64_t kind = random.pick(10);
      if (kind < 5) {
        operations.push_back(get(seen, from, to));
        if (kind == 0) operations.back().holds = Holds::is_present;
        if (kind == 1) operations.back().holds = Holds::is_another;
        continue;
      }
      if (random.pick(3) == 0) to = kNever;
      Operation op = kind < 7 ? remove(from, to) : put(next++, from, to);
      if (random.pick(3) == 0) op = holding(op, Holds::is, random.pick(writes + 1));
      if (random.pick(8) == 0) op = holding(op, Holds::is_present);
      operations.push_back(op);
    }
    const bool expected = explains(operations, kAbsent);
    (expected ? good : bad) += 1;
    std::string all;
    for (const Operation& op : operations) all += describe(op) + "\n";
    ASSERT_EQ(accepts(operations), expected) << "seed " << seed << "\n" << all;
  }
  EXPECT_GT(good, 2000);
  EXPECT_GT(bad, 2000);
}

TEST(Checker, NamesWhatWasLost) {
  History history;
  history.add("b/k", put(history.new_value({}), 1, 2));
  Operation last = get(kAbsent, 10, 11);
  last.at_rest = true;
  history.add("b/k", last);
  auto violation = check_history(history);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->name, "b/k");
  EXPECT_NE(violation->invariant.find("acknowledged write is lost"), std::string::npos);
  ASSERT_EQ(violation->events.size(), 2u);
  EXPECT_NE(violation->events[0].find("PUT"), std::string::npos);
}

}  // namespace
}  // namespace kura::sim
