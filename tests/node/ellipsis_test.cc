#include "node/server/ellipsis.h"

#include <gtest/gtest.h>

namespace kura::node {
namespace {

using Paths = std::vector<std::string>;

TEST(Ellipsis, ExpandsRanges) {
  EXPECT_EQ(expand_ellipsis("/mnt/d").value(), Paths{"/mnt/d"});
  EXPECT_EQ(expand_ellipsis("/mnt/d{1...3}").value(), (Paths{"/mnt/d1", "/mnt/d2", "/mnt/d3"}));
  EXPECT_EQ(expand_ellipsis("a{1...2}b{1...2}").value(), (Paths{"a1b1", "a1b2", "a2b1", "a2b2"}));
  EXPECT_EQ(expand_ellipsis("d{08...10}").value(), (Paths{"d08", "d09", "d10"}));
}

TEST(Ellipsis, RefusesWhatIsNoRange) {
  for (const char* bad :
       {"d{", "d{1..3}", "d{3...1}", "d{a...b}", "d{1...}", "d{1...99999}", "d{...2}", "d{-1...2}"})
    EXPECT_EQ(expand_ellipsis(bad).error().code, Errc::invalid_argument) << bad;
  EXPECT_EQ(expand_ellipsis("d{1...}").error().detail,
            "'d{1...}': '' is not a number: a range is written {1...6}");
}

}  // namespace
}  // namespace kura::node
