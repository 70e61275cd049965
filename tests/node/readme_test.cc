#include <gtest/gtest.h>

#include <fstream>

#include "s3/op/operations_table.h"

namespace kura::node {
namespace {

// README's table of operations is made from the routes; `kura operations` prints it.
TEST(Readme, HasTheTableOfTheRoutes) {
  std::ifstream in(KURA_README);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(text.empty());
  EXPECT_NE(text.find(s3::operations_table()), std::string::npos)
      << "put the output of `kura operations` into README.md";
}

}  // namespace
}  // namespace kura::node
