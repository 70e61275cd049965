// Sets that lost more members than parity mends: what the pool says of them, and when they go.

#include "pool_world.h"

namespace kura::disk {
namespace {

struct BeyondRepair : testing::Test {
  BeyondRepair() : pool(6) {
    EXPECT_TRUE(pool.start());
    for (int i = 0; i < 12; ++i) {
      EXPECT_TRUE(pool.put_now("large-" + std::to_string(i), 900'000 + i));
      EXPECT_TRUE(pool.put_now("small-" + std::to_string(i), 40'000 + i));
    }
    pool.seal_all();
  }
  void lose(std::initializer_list<size_t> drives) {
    for (size_t i : drives)
      ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
  }
  uint64_t lost_stripes() {  // All that scrubs have found.
    EXPECT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
    return pool.status().scrub.lost_stripes;
  }
  uint64_t live_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [key, content] : pool.bodies.content) bytes += content.size();
    return bytes;
  }
  PoolWorld pool;
};

// Goal: whoever asks learns that objects cannot be read. Method: members are away, nothing is
// damaged.
TEST_F(BeyondRepair, AScrubCountsWhatCannotBeRead) {
  lose({0, 1});
  EXPECT_EQ(lost_stripes(), 0u);
  EXPECT_EQ(pool.status().bytes_unreadable, 0u);
  lose({2});
  const uint64_t lost = lost_stripes();
  EXPECT_GE(lost, 12 * 2u) << "of a large body each row is one";
  EXPECT_EQ(pool.status().bytes_unreadable, live_bytes());
  lose({3, 4, 5});
  EXPECT_GT(lost_stripes(), lost) << "not even a header can be read";
}

// What nobody names any more need not be read to go.
TEST_F(BeyondRepair, ASetGoesWithItsObjects) {
  lose({0, 1, 2});
  while (!pool.bodies.bodies.empty()) pool.forget(pool.bodies.bodies.begin()->first);
  EXPECT_EQ(pool.status().bytes_unreadable, 0u);
  pool.maintain(3);
  EXPECT_TRUE(pool.ledger.state()->sets.empty());
  const PoolStatus status = pool.status();
  EXPECT_EQ(status.members_missing, 0u);
  EXPECT_EQ(status.bytes_below_full_parity, 0u);
}

}  // namespace
}  // namespace kura::disk
