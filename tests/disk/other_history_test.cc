// A drive from a copy of the store on which another process went on: the same sets, and in them,
// whole, what this store never wrote.

#include "pool_world.h"

namespace kura::disk {
namespace {

constexpr uint64_t kLarge = 1'500'000;  // Striped.
constexpr uint64_t kSmall = 40'000;     // Packed, in company.

struct History {
  explicit History(uint8_t number) : pool(6) {
    pool.history = number;
    EXPECT_TRUE(pool.start());
    for (int i = 0; i < 4; ++i) {
      const std::string key = std::to_string(number) + " " + std::to_string(i);
      EXPECT_TRUE(pool.put_now(key, i % 2 == 0 ? kLarge : kSmall));
    }
  }
  std::map<std::string, std::string> sets_on(size_t place) {
    std::map<std::string, std::string> out;
    auto files = pool.run<Result<std::vector<FileInfo>>>(pool.mounts[place]->list("sets"));
    for (const FileInfo& info : *files) {
      const std::string name = "sets/" + info.name;
      auto read = pool.run<Result<std::string>>(read_file(*pool.mounts[place], name));
      out[name] = *read;
    }
    return out;
  }
  PoolWorld pool;
};

class OtherHistory : public testing::TestWithParam<size_t> {
 protected:
  OtherHistory() : ours(1), theirs(2) {
    const auto sets = theirs.sets_on(GetParam());
    EXPECT_FALSE(sets.empty());
    EXPECT_NE(sets, ours.sets_on(GetParam()));
    for (const auto& [name, content] : sets) ours.pool.write_file(GetParam(), name, content);
    ours.pool.restart();
  }
  History ours, theirs;
};

TEST_P(OtherHistory, IsNotReadForOurs) {
  ours.pool.expect_all();
  ours.pool.settle(10 * sim::kSecond);
  ASSERT_TRUE(ours.pool.run<Result<void>>(ours.pool.pool->scrub()));
  EXPECT_GT(ours.pool.status().scrub.repaired_shards, 0u);
  EXPECT_EQ(ours.pool.status().scrub.lost_stripes, 0u);
  ours.pool.expect_all();
  // It is whole again, as ours: two others may be lost.
  for (size_t i : {1, 2})
    ASSERT_TRUE(ours.pool.run<Result<void>>(
        ours.pool.pool->take_offline(drive_id((GetParam() + i) % 6), "test")));
  ours.pool.expect_all();
}

INSTANTIATE_TEST_SUITE_P(Disk, OtherHistory, testing::Range<size_t>(0, 6));

}  // namespace
}  // namespace kura::disk
