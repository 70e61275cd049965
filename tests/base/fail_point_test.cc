#include "base/fail_point.h"

#include <gtest/gtest.h>

#include <set>

namespace kura {
namespace {

TEST(FailPoint, EachNameIsOneAndReadsBack) {
  std::set<std::string> names;
  std::set<uint16_t> numbers;
  for (uint16_t step = 0; step < kDurableSteps.size(); ++step) {
    for (Edge edge : {Edge::before, Edge::after}) {
      const FailPoint point{step, edge};
      names.insert(name_of(point));
      numbers.insert(point.number());
      const auto same = parse_fail_point(name_of(point));
      ASSERT_TRUE(same);
      EXPECT_EQ(same->number(), point.number());
    }
  }
  EXPECT_EQ(names.size(), 2 * kDurableSteps.size());
  EXPECT_EQ(numbers.size(), names.size());
  EXPECT_FALSE(numbers.contains(0)) << "stands for no point";
  for (const char* wrong :
       {"", "journal.append", "journal.append:", "journal.append:during", "x:before"})
    EXPECT_FALSE(parse_fail_point(wrong)) << wrong;
}

TEST(FailPoint, FiresOnceAtTheNthTime) {
  int fired = 0;
  const auto point = parse_fail_point("set.seal:after");
  ASSERT_TRUE(point);
  before_step("set.seal");  // Nothing is armed.
  arm_fail_point(*point, 3, [&fired] { ++fired; });
  for (int i = 0; i < 2; ++i) {
    before_step("set.seal");
    after_step("set.seal");
    after_step("set.open");
  }
  EXPECT_EQ(fired, 0);
  after_step("set.seal");
  EXPECT_EQ(fired, 1);
  for (int i = 0; i < 5; ++i) after_step("set.seal");
  EXPECT_EQ(fired, 1);
}

TEST(FailPoint, Disarmed) {
  int fired = 0;
  arm_fail_point(*parse_fail_point("set.seal:before"), 1, [&fired] { ++fired; });
  disarm_fail_points();
  before_step("set.seal");
  EXPECT_EQ(fired, 0);
}

}  // namespace
}  // namespace kura
