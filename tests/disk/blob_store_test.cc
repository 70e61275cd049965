// Bodies of every size and layout come back, also with damage and missing drives.

#include <algorithm>

#include "actors/disk/stripe.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

const std::vector<uint64_t> kSizes = {1,       63,        64,        65,       4095,    16385,
                                      100'000, 131'072,   131'073,   262'144,  524'287, 524'288,
                                      524'289, 1'048'576, 1'500'001, 3'333'333};

TEST(BlobStore, EveryGeometryGivesBodiesBack) {
  for (size_t drives : {1, 2, 3, 4, 6, 9, 17}) {
    PoolWorld pool(drives, drives);
    ASSERT_TRUE(pool.start());
    for (uint64_t size : kSizes)
      ASSERT_TRUE(pool.put_now("key-" + std::to_string(size), size)) << drives << " " << size;
    pool.expect_all();
    const SegmentSet set = pool.set_of("key-1048576");
    const uint32_t m = drives == 1 ? 0 : drives <= 3 ? 1 : drives <= 7 ? 2 : 4;
    EXPECT_EQ(set.parity_shards, m);
    EXPECT_EQ(set.members.size(), std::min<size_t>(drives, 16));
  }
}

TEST(BlobStore, AnEmptyBodyHasNoExtents) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("empty", 0));
  EXPECT_EQ(pool.bodies.bodies.at("empty").extents_size(), 0);
  EXPECT_EQ(*pool.get_now("empty"), "");
}

TEST(BlobStore, LayoutFollowsSizeNotTheHint) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("known", 1'000'000));
  ASSERT_TRUE(pool.put_now("unknown", 1'000'000, 10'000, v1::STANDARD, false));
  ASSERT_TRUE(pool.put_now("unknown small", 60'000, 10'000, v1::STANDARD, false));
  EXPECT_EQ(pool.bodies.bodies.at("known").extents(0).layout(), v1::Extent::STRIPED);
  EXPECT_EQ(pool.bodies.bodies.at("unknown").extents(0).layout(), v1::Extent::STRIPED);
  pool.expect_all();
}

Task<Result<bool>> put_together(PoolWorld* pool, int count, uint64_t bytes) {
  int left = count;
  auto one = [](PoolWorld* world, std::string key, uint64_t size, int* counter) -> Task<void> {
    Result<void> stored = co_await world->put(key, size);
    EXPECT_TRUE(stored);
    --*counter;
  };
  for (int i = 0; i < count; ++i)
    spawn(*pool->loop, one(pool, "together-" + std::to_string(i), bytes + i, &left));
  while (left > 0) co_await sleep_for(sim::kMillisecond);
  co_return true;
}

TEST(BlobStore, BodiesInCompanyArePackedAndReadWithOneRead) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.run<Result<bool>>(put_together(&pool, 40, 20'000)));
  int packed = 0;
  for (const auto& [key, body] : pool.bodies.bodies)
    packed += body.extents(0).layout() == v1::Extent::PACKED;
  EXPECT_GE(packed, 30);
  pool.expect_all();
  // A group costs one sync of each drive, not one for each body.
  EXPECT_LE(pool.disks[0]->counts().syncs, 20u);
}

TEST(BlobStore, OddRangesOfEveryLayout) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.run<Result<bool>>(put_together(&pool, 12, 90'000)));
  ASSERT_TRUE(pool.put_now("large", 2'345'678));
  sim::SimRandom random(5);
  for (const auto& [key, body] : pool.bodies.bodies) {
    const std::string& content = pool.bodies.content.at(key);
    for (int i = 0; i < 30; ++i) {
      const uint64_t from = random.pick(content.size());
      const uint64_t length = 1 + random.pick(content.size() - from);
      auto read = pool.run<Result<std::string>>(pool.get(body, {from, length}));
      ASSERT_TRUE(read);
      ASSERT_TRUE(*read == content.substr(from, length)) << key << " " << from << "+" << length;
    }
    EXPECT_EQ(*pool.run<Result<std::string>>(pool.get(body, {content.size(), 0})), "");
    EXPECT_FALSE(pool.pool->blobs().read(body, {content.size(), 1}));
    EXPECT_FALSE(pool.pool->blobs().read(body, {1, content.size()}));
  }
}

TEST(BlobStore, ABodyLargerThanASetSpansSets) {
  PoolWorld pool(4);
  pool.options.member_bytes_max = kMiB;
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("known", 7'000'000));
  ASSERT_TRUE(pool.put_now("unknown", 7'000'001, 100'000, v1::STANDARD, false));
  EXPECT_GE(pool.bodies.bodies.at("known").extents_size(), 3);
  pool.expect_all();
  pool.settle();
  int sealed = 0;
  for (const auto& [id, set] : pool.ledger.state()->sets) sealed += set.sealed_bytes.has_value();
  EXPECT_GE(sealed, 5);
}

enum class Harm { lost, emptied, flipped };

void harm(PoolWorld& pool, const std::vector<size_t>& drives, Harm kind) {
  for (size_t i : drives) {
    if (kind == Harm::emptied) pool.disks[i]->replace_empty();
    for (int j = 0; kind == Harm::flipped && j < 60; ++j)
      ASSERT_FALSE(pool.disks[i]->rot_one("sets/").empty());
  }
}

std::vector<std::vector<size_t>> subsets(size_t of, size_t size) {
  std::vector<std::vector<size_t>> out;
  for (uint32_t mask = 0; mask < 1U << of; ++mask) {
    std::vector<size_t> chosen;
    for (size_t i = 0; i < of; ++i)
      if (mask >> i & 1) chosen.push_back(i);
    if (chosen.size() == size) out.push_back(chosen);
  }
  return out;
}

class Losses : public testing::TestWithParam<Harm> {};

// Goal: up to m drives lost, emptied or damaged give right bytes; one more gives an error for what
// it took, and never a wrong byte.
TEST_P(Losses, UpToParityGiveRightBytes) {
  for (size_t count : {1, 2, 3}) {
    for (const auto& drives : subsets(6, count)) {
      PoolWorld pool(6, 77);
      ASSERT_TRUE(pool.start());
      ASSERT_TRUE(pool.run<Result<bool>>(put_together(&pool, 8, 50'000)));
      ASSERT_TRUE(pool.put_now("small", 20'000));
      ASSERT_TRUE(pool.put_now("large", 1'200'000));
      ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
      pool.crash(sim::Unsynced::dropped);
      harm(pool, drives, GetParam());
      ASSERT_TRUE(pool.start(GetParam() == Harm::lost ? drives : std::vector<size_t>{}));
      if (count <= 2) {
        pool.expect_all();
        continue;
      }
      size_t failed = 0;
      for (const auto& [key, body] : pool.bodies.bodies) {
        auto read = pool.get_now(key);
        if (read) {
          ASSERT_TRUE(*read == pool.bodies.content.at(key)) << "wrong bytes of " << key;
          continue;
        }
        ++failed;
        EXPECT_TRUE(read.error().code == Errc::unavailable ||
                    (read.error().code == Errc::corrupt && GetParam() == Harm::flipped));
      }
      EXPECT_TRUE(failed > 0 || GetParam() == Harm::flipped);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EveryKind, Losses,
                         testing::Values(Harm::lost, Harm::emptied, Harm::flipped),
                         [](const auto& tested) {
                           return std::string(tested.param == Harm::lost      ? "lost"
                                              : tested.param == Harm::emptied ? "emptied"
                                                                              : "flipped");
                         });

TEST(BlobStore, AllMembersDamagedIsAnErrorNeverWrongBytes) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 1'200'000));
  for (auto& disk : pool.disks)
    for (int j = 0; j < 500; ++j) disk->rot_one("sets/");
  auto read = pool.get_now("large");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::corrupt);
}

TEST(BlobStore, DamageThatAReadMeetsIsRepaired) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.run<Result<bool>>(put_together(&pool, 8, 50'000)));
  ASSERT_TRUE(pool.put_now("large", 1'200'000));
  // Both bodies fill most of what was written, so this hits them.
  for (int j = 0; j < 40; ++j) pool.disks[2]->rot_one("sets/");
  pool.expect_all();
  pool.settle();
  EXPECT_GT(pool.status().scrub.repaired_shards, 0u);
  const uint64_t repaired = pool.status().scrub.repaired_shards;
  pool.expect_all();
  pool.settle();
  EXPECT_EQ(pool.status().scrub.repaired_shards, repaired) << "damage was repaired only once";
}

TEST(BlobStore, ReducedRedundancyHasOneParityShard) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("reduced", 300'000, 256 * kKiB, v1::REDUCED_REDUNDANCY));
  ASSERT_TRUE(pool.put_now("standard", 300'000));
  EXPECT_EQ(pool.set_of("reduced").parity_shards, 1u);
  EXPECT_EQ(pool.set_of("reduced").data_shards, 5u);
  EXPECT_EQ(pool.set_of("standard").parity_shards, 2u);
  pool.expect_all();
}

TEST(BlobStore, ParityOfTheConfigurationOverrides) {
  PoolWorld pool(6);
  pool.options.standard_parity = 3;
  pool.options.reduced_parity = 0;
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("standard", 300'000));
  ASSERT_TRUE(pool.put_now("reduced", 300'000, 256 * kKiB, v1::REDUCED_REDUNDANCY));
  EXPECT_EQ(pool.set_of("standard").parity_shards, 3u);
  EXPECT_EQ(pool.set_of("reduced").parity_shards, 0u);
  pool.expect_all();
}

}  // namespace
}  // namespace kura::disk
