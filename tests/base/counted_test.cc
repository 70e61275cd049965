#include "base/counted.h"

#include <gtest/gtest.h>

namespace kura {
namespace {

TEST(Counted, OnlyOneIsSingular) {
  EXPECT_EQ(counted(1, "drive"), "1 drive");
  EXPECT_EQ(counted(0, "drive"), "0 drives");
  EXPECT_EQ(counted(21, "access key"), "21 access keys");
  EXPECT_STREQ(is_or_are(1), "is");
  EXPECT_STREQ(is_or_are(0), "are");
}

}  // namespace
}  // namespace kura
