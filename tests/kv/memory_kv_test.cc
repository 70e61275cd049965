#include "projections/kv/memory_kv.h"

#include <gtest/gtest.h>

#include "tests/kv/batch_of_one.h"

namespace kura::testing {
namespace {

TEST(MemoryKv, CrashKeepsAsManyBatchesAsAsked) {
  MemoryKv kv;
  ASSERT_TRUE(kv.write(one("a", "1")));
  ASSERT_TRUE(kv.flush());
  ASSERT_TRUE(kv.write(one("a", "2")));
  ASSERT_TRUE(kv.write(one("a", "3")));
  EXPECT_EQ(kv.unflushed_batches(), 2u);
  auto open = kv.iterate();
  kv.crash(1);
  EXPECT_EQ(kv.get("a").value(), "2");
  EXPECT_EQ(kv.unflushed_batches(), 0u);
  ASSERT_TRUE(kv.write(one("a", "4")));
  kv.crash();
  EXPECT_EQ(kv.get("a").value(), "2");
  open->seek("");
  EXPECT_EQ(open->value(), "3");
  kv.wipe();
  EXPECT_EQ(kv.get("a").value(), std::nullopt);
}

}  // namespace
}  // namespace kura::testing
