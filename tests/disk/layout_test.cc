// The pure rules: geometry, packing, placement.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "actors/disk/geometry.h"
#include "actors/disk/packing.h"
#include "actors/disk/placement.h"
#include "actors/disk/stripe.h"
#include "sim/sim_random.h"

namespace kura::disk {
namespace {

TEST(Geometry, ParityByNumberOfDrives) {
  const uint32_t expected[] = {0, 0, 1, 1, 2, 2, 2, 2, 4, 4};
  for (uint32_t drives = 1; drives < 10; ++drives)
    EXPECT_EQ(parity_for(drives, v1::STANDARD, std::nullopt), expected[drives]) << drives;
  EXPECT_EQ(parity_for(1, v1::REDUCED_REDUNDANCY, std::nullopt), 0u);
  EXPECT_EQ(parity_for(8, v1::REDUCED_REDUNDANCY, std::nullopt), 1u);
  EXPECT_EQ(parity_for(6, v1::STANDARD, 3), 3u);
  EXPECT_EQ(parity_for(3, v1::STANDARD, 4), 2u) << "one data shard is left";
  EXPECT_EQ(parity_for(6, v1::STANDARD, 0), 0u);
}

TEST(Geometry, RowsHoldEveryByteOnce) {
  sim::SimRandom random(1);
  for (int i = 0; i < 2000; ++i) {
    const Striping shape{1 + static_cast<uint32_t>(random.pick(16)), 64 * (1 + random.pick(40)),
                         1 + random.pick(200'000)};
    uint64_t bytes = 0, end = 0;
    for (uint64_t row = 0; row < shape.rows(); ++row) {
      ASSERT_EQ(shape.row_offset(row), end);
      ASSERT_GE(shape.shard_bytes(row) * shape.k, shape.row_length(row));
      ASSERT_LE(shape.shard_bytes(row), shape.piece_bytes);
      ASSERT_EQ(shape.shard_bytes(row) % kShardAlignBytes, 0u);
      bytes += shape.row_length(row);
      end = shape.row_offset(row) + kStripedHeaderBytes + shape.shard_bytes(row);
    }
    ASSERT_EQ(bytes, shape.stored_bytes);
    ASSERT_EQ(shape.member_bytes(), end);
    const uint64_t room = random.pick(2 * end);
    const uint64_t fitting =
        Striping::fitting(shape.k, shape.piece_bytes, shape.stored_bytes, room);
    ASSERT_LE((Striping{shape.k, shape.piece_bytes, fitting}.member_bytes()), room);
    ASSERT_TRUE(fitting == shape.stored_bytes || fitting % shape.row_bytes() == 0);
  }
}

TEST(Geometry, PartsFollowTheBodyThroughItsShards) {
  sim::SimRandom random(5);
  for (int i = 0; i < 500; ++i) {
    const Striping shape{1 + static_cast<uint32_t>(random.pick(16)), 64 * (1 + random.pick(40)),
                         1 + random.pick(200'000)};
    std::map<std::pair<uint64_t, uint32_t>, uint64_t> seen;  // Bytes of each shard, front to back.
    uint64_t at = 0;
    while (at < shape.stored_bytes) {
      const Striping::Part part = shape.part_at(at, 1 + random.pick(5000));
      ASSERT_GT(part.bytes, 0u);
      ASSERT_LT(part.member, shape.k);
      uint64_t& before = seen[{part.row, part.member}];
      ASSERT_EQ(part.skip, before);
      before += part.bytes;
      ASSERT_LE(before, shape.shard_bytes(part.row));
      ASSERT_EQ(
          at, part.row * shape.row_bytes() + part.member * shape.shard_bytes(part.row) + part.skip);
      at += part.bytes;
    }
    ASSERT_EQ(at, shape.stored_bytes);
  }
}

TEST(Packing, EveryBodyHasItsOwnBytes) {
  sim::SimRandom random(2);
  for (int run = 0; run < 400; ++run) {
    const uint32_t k = 1 + static_cast<uint32_t>(random.pick(14));
    std::vector<PackItem> items;
    for (uint64_t i = 1 + random.pick(120); i > 0; --i)
      items.push_back(
          {1 + random.pick(run % 2 ? kPackedBodyMax : 2000), ReservationId{random.pick(50)}});
    const PackPlan plan = plan_packing(items, k);
    std::multiset<size_t> seen(plan.striped.begin(), plan.striped.end());
    for (const PackedStripe& stripe : plan.packed) {
      ASSERT_LE(stripe.shard_bytes, kPackedBodyMax);
      std::set<std::pair<uint32_t, uint64_t>> begins;
      for (const PackedSlot& slot : stripe.slots) {
        seen.insert(slot.item);
        ASSERT_LT(slot.member, k);
        ASSERT_LE(slot.column_offset + items[slot.item].bytes, stripe.shard_bytes);
        begins.insert({slot.member, slot.column_offset});
        ASSERT_TRUE(std::count(stripe.reservations.begin(), stripe.reservations.end(),
                               items[slot.item].reservation));
        for (const PackedSlot& other : stripe.slots) {
          if (other.item == slot.item || other.member != slot.member) continue;
          ASSERT_TRUE(slot.column_offset + items[slot.item].bytes <= other.column_offset ||
                      other.column_offset + items[other.item].bytes <= slot.column_offset);
        }
      }
      ASSERT_EQ(begins.size(), stripe.slots.size());
    }
    ASSERT_EQ(seen.size(), items.size());
    for (size_t i = 0; i < items.size(); ++i) ASSERT_EQ(seen.count(i), 1u);
  }
}

TEST(Packing, ALoneBodyIsNotPacked) {
  EXPECT_TRUE(plan_packing({{60'000, ReservationId{1}}}, 4).packed.empty());
  EXPECT_TRUE(plan_packing({{60'000, ReservationId{1}}}, 1).striped.empty())
      << "one data shard: nothing is wasted";
  EXPECT_EQ(plan_packing({{60'000, ReservationId{1}},
                          {60'000, ReservationId{2}},
                          {60'000, ReservationId{3}},
                          {60'000, ReservationId{4}}},
                         4)
                .packed.size(),
            1u);
}

std::vector<Candidate> drives_with(std::vector<uint64_t> free_mib, uint64_t total = 1024) {
  std::vector<Candidate> out;
  for (size_t i = 0; i < free_mib.size(); ++i) {
    DriveId id;
    id.bytes[0] = static_cast<uint8_t>(i + 1);
    out.push_back({id, {total * kMiB, free_mib[i] * kMiB}});
  }
  return out;
}

PlacementRules rules(uint32_t parity, Purpose purpose = Purpose::client) {
  return {.parity = parity, .member_bytes_max = kMemberFileBytes, .purpose = purpose};
}

TEST(Placement, FullParityOnEveryDriveThatHasRoom) {
  auto set = place_set(drives_with({900, 900, 900, 900, 10, 900}), rules(2));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->data_shards, 3u);
  EXPECT_EQ(set->parity_shards, 2u);
  EXPECT_EQ(set->member_bytes, 32 * kMiB) << "a 32nd of a drive";
}

TEST(Placement, TooFewDrivesAndTooLittleRoomAreToldApart) {
  EXPECT_EQ(place_set(drives_with({900, 900}), rules(2)).error().code, Errc::unavailable);
  EXPECT_EQ(place_set(drives_with({900, 900, 5, 5}), rules(2)).error().code, Errc::no_space);
}

TEST(Placement, OnlyCopiesThatFreeSpaceUseTheReserve) {
  EXPECT_EQ(place_set(drives_with({60, 60, 60}), rules(1)).error().code, Errc::no_space);
  EXPECT_TRUE(place_set(drives_with({60, 60, 60}), rules(1, Purpose::reclaim)));
  // What the log may grow by is left by clients too; what lets the log shrink may use it.
  PlacementRules with_log = rules(1);
  with_log.reserve_extra_bytes = 800 * kMiB;
  EXPECT_EQ(place_set(drives_with({850, 850, 850}), with_log).error().code, Errc::no_space);
  with_log.purpose = Purpose::reclaim;
  EXPECT_TRUE(place_set(drives_with({60, 60, 60}), with_log));
}

TEST(Placement, TheRoomOfABodyIsThatOfTheSetsThatWouldOpen) {
  EXPECT_EQ(body_room(drives_with({900, 900, 900}), rules(1, Purpose::reclaim), kGiB), kGiB);
  // Two sets of two data shards, of 4 MiB each; then one drive has room.
  const auto drives = drives_with({14, 10, 10}, 64);
  const uint64_t room = body_room(drives, rules(1, Purpose::reclaim), kGiB);
  EXPECT_LT(room, 16 * kMiB);
  EXPECT_GT(room, 15 * kMiB);
  EXPECT_EQ(body_room(drives, rules(1, Purpose::reclaim), kMiB), kMiB);
  EXPECT_EQ(body_room(drives, rules(1), kMiB), 0u) << "the reserve";
}

TEST(Placement, SmallDrivesGetSmallFiles) {
  auto set = place_set(drives_with({64, 64, 64, 64}, 64), rules(2));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->member_bytes, 4 * kMiB);
}

TEST(Placement, AtMostSixteenMembersAndTheyRotate) {
  std::set<DriveId> first;
  for (uint32_t rotation = 0; rotation < 16; ++rotation) {
    PlacementRules turned = rules(4);
    turned.rotation = rotation;
    auto set = place_set(drives_with(std::vector<uint64_t>(20, 900)), turned);
    ASSERT_TRUE(set);
    EXPECT_EQ(set->members.size(), 16u);
    EXPECT_EQ(std::set<DriveId>(set->members.begin(), set->members.end()).size(), 16u);
    first.insert(set->members[0]);
  }
  EXPECT_EQ(first.size(), 16u);
}

}  // namespace
}  // namespace kura::disk
