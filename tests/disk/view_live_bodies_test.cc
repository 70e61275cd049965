// What the metadata view says of live bodies, folded by the real rules.

#include "actors/disk/view_live_bodies.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

v1::Extent extent_at(uint32_t set, uint64_t offset, uint64_t bytes) {
  v1::Extent out = extent(set, offset, bytes);
  out.set_piece_bytes(131072);
  return out;
}

TEST(ViewLiveBodies, EveryBodyOfASetOnceOverAllPages) {
  FoldWorld world;
  v1::Event bucket;
  bucket.mutable_control_applied()->set_up_to(500);
  auto& effect = *bucket.mutable_control_applied()->add_effects();
  effect.set_kind(v1::BucketEffect::CREATED);
  effect.set_bucket(5);
  effect.set_name("bucket");
  ASSERT_TRUE(world.fold(bucket));
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < 25; ++i) {
    // Two extents in set 1 and one elsewhere.
    ASSERT_TRUE(world.fold(put(5, "key-" + std::to_string(i), 300 + i,
                               {extent_at(1, 4096 * (i + 1), 100), extent_at(2, 4096 * i, 100),
                                extent_at(1, 4096 * (i + 1001), 100 + i)})));
    bytes += 200 + i;
  }
  ASSERT_TRUE(world.fold(put(5, "elsewhere", 100, {extent_at(2, 1'000'000, 100)})));
  ASSERT_TRUE(world.fold(deleted(5, "key-3")));
  bytes -= 203;
  ViewLiveBodies live(world.view);
  EXPECT_EQ(*live.live_bytes(SetId(1)), bytes);
  EXPECT_EQ(*live.live_bytes(SetId(9)), 0u);
  for (uint32_t page_size : {1U, 4U, 1000U}) {
    std::set<std::string> keys;
    std::string after;
    int pages = 0;
    do {
      auto page = live.bodies_in(SetId(1), after, page_size);
      ASSERT_TRUE(page);
      ASSERT_LE(page->bodies.size(), page_size);
      for (const auto& place : page->bodies) {
        keys.insert(place.key());
        EXPECT_EQ(place.bucket(), 5u);
        EXPECT_EQ(place.from().extents_size(), 3);
        EXPECT_TRUE(*live.is_live(place));
      }
      after = page->next;
    } while (!after.empty() && ++pages < 1000);
    EXPECT_EQ(keys.size(), 24u) << page_size;
    EXPECT_FALSE(keys.contains("key-3"));
    EXPECT_FALSE(keys.contains("elsewhere"));
  }
}

TEST(ViewLiveBodies, AJournalBodyIsLiveUntilItIsReplaced) {
  FoldWorld world;
  v1::Event bucket;
  bucket.mutable_control_applied()->set_up_to(500);
  auto& effect = *bucket.mutable_control_applied()->add_effects();
  effect.set_kind(v1::BucketEffect::CREATED);
  effect.set_bucket(5);
  effect.set_name("bucket");
  ASSERT_TRUE(world.fold(bucket));
  const uint64_t first = world.next_offset();
  ASSERT_TRUE(world.fold(put_inline(5, "key", 100)));
  v1::BodiesMoved_Move place;
  place.set_bucket(5);
  place.set_key("key");
  place.mutable_from()->mutable_journal()->set_offset(first);
  place.mutable_from()->mutable_journal()->set_length(100);
  ViewLiveBodies live(world.view);
  EXPECT_TRUE(*live.is_live(place));
  ASSERT_TRUE(world.fold(put_inline(5, "key", 100)));
  EXPECT_FALSE(*live.is_live(place));
}

TEST(ViewLiveBodies, BodiesOfAPieceOfTheLogAreFoundByTheirPlace) {
  FoldWorld world;
  ASSERT_TRUE(world.fold(put_inline(5, "before", 10)));
  const Offset from{world.next_offset()};
  for (int i = 0; i < 2500; ++i)
    ASSERT_TRUE(world.fold(put_inline(5, "key-" + std::to_string(i), 10)));
  ASSERT_TRUE(world.fold(upload_created(6, "big", id_of(1))));
  v1::Event part_event = part(6, "big", id_of(1), 1, 5, {});
  part_event.mutable_part_committed()
      ->mutable_part()
      ->mutable_body()
      ->mutable_journal()
      ->set_length(5);
  ASSERT_TRUE(world.fold(part_event));
  const Offset to{world.next_offset()};
  ASSERT_TRUE(world.fold(put_inline(5, "behind", 10)));
  ASSERT_TRUE(world.fold(put_inline(5, "key-7", 10)));
  ASSERT_TRUE(world.fold(put(5, "key-8", 10, {extent(1, 0, 10)})));
  ViewLiveBodies live(world.view);
  std::set<std::string> keys;
  size_t parts = 0;
  std::string after;
  do {
    auto page = live.bodies_in_log(from, to, after);
    ASSERT_TRUE(page);
    for (const auto& place : page->bodies) {
      if (place.key().empty()) {
        ++parts;
        continue;
      }
      EXPECT_TRUE(keys.insert(place.key()).second);
      EXPECT_EQ(place.bucket(), 5u);
      EXPECT_TRUE(*live.is_live(place));
    }
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(keys.size(), 2498u);
  EXPECT_FALSE(keys.contains("before") || keys.contains("behind") || keys.contains("key-7"));
  EXPECT_EQ(parts, 1u);
}

}  // namespace
}  // namespace kura
