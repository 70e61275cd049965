#include "projections/metadata/request_table.h"

#include <gtest/gtest.h>

#include "projections/metadata/rows.h"
#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

RequestId request(uint32_t n) { return uuid_from<RequestId>(id_of(n)); }

TEST(RequestTable, TheRowsAndTheIndexAreTheSameFold) {
  FoldWorld world;
  KvRows rows = world.rows();
  RequestTable live;
  for (uint32_t n = 1; n <= kRequestTableMax + 300; ++n) {
    const Outcome outcome =
        world.fold(put(500, "k" + std::to_string(n % 7), n), request(n)).value();
    live.add({request(n), 0, outcome});
    if (n % 500 != 7 && n != kRequestTableMax && n != kRequestTableMax + 1 && n % 1324 != 0)
      continue;
    const RequestTable loaded = RequestTable::load(rows, kTestPartition).value();
    ASSERT_EQ(loaded.size(), std::min<size_t>(n, kRequestTableMax));
    ASSERT_EQ(loaded.low(), live.low());
    for (uint32_t id = 1; id <= n; ++id) {
      const RequestEntry* a = loaded.find(request(id));
      const RequestEntry* b = live.find(request(id));
      ASSERT_EQ(a != nullptr, id + kRequestTableMax > n) << "bounded by count, oldest first";
      ASSERT_EQ(a == nullptr, b == nullptr);
      if (a == nullptr) continue;
      ASSERT_EQ(a->outcome.size_bytes, id);
      ASSERT_EQ(a->outcome.offset, Offset{1000 + 100 * (id - 1)});
      ASSERT_EQ(b->outcome.offset, a->outcome.offset);
      ASSERT_EQ(b->outcome.existed, a->outcome.existed);
    }
  }
  EXPECT_EQ(live.low(), Offset{1000 + 100 * 300});
  EXPECT_EQ(rows.scan(row::requests_prefix(kTestPartition), SIZE_MAX).value().size(),
            kRequestTableMax);
}

TEST(RequestTable, KeepsWholeOutcomesAndNoneWithoutAnId) {
  FoldWorld world;
  KvRows below = world.rows();
  Overlay rows(below);
  RequestEntry entry{request(7), 0xfedcba9876543210, {}};
  entry.outcome.existed = true;
  entry.outcome.version_id = id_of(3);
  entry.outcome.etag = "abc-2";
  entry.outcome.modified_at_ms = 1234;
  entry.outcome.size_bytes = 77;
  entry.outcome.checksum.set_algorithm(v1::Checksum::SHA1);
  entry.outcome.checksum.set_value("sum");
  entry.outcome.offset = Offset{99};
  ASSERT_TRUE(put_request(rows, kTestPartition, entry));
  const RequestTable table = RequestTable::load(rows, kTestPartition).value();
  const RequestEntry* found = table.find(request(7));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->digest, entry.digest);
  EXPECT_TRUE(found->outcome.existed);
  EXPECT_EQ(found->outcome.version_id, id_of(3));
  EXPECT_EQ(found->outcome.etag, "abc-2");
  EXPECT_EQ(found->outcome.modified_at_ms, 1234);
  EXPECT_EQ(found->outcome.size_bytes, 77u);
  EXPECT_EQ(found->outcome.checksum.value(), "sum");
  EXPECT_EQ(found->outcome.offset, Offset{99});

  ASSERT_TRUE(world.fold(put(500, "k", 1)));
  EXPECT_EQ(RequestTable::load(below, kTestPartition).value().size(), 0u);
  EXPECT_EQ(RequestTable::load(rows, PartitionId{4}).value().size(), 0u);
}

TEST(RequestTable, AnIdThatComesAgainAfterItLeftIsFoundUntilItLeavesAgain) {
  RequestTable table;
  table.add({request(1), 1, {}});
  for (uint32_t n = 2; n <= kRequestTableMax; ++n) table.add({request(n), n, {}});
  table.add({request(1), 99, {}});  // Takes the slot of its first run.
  ASSERT_NE(table.find(request(1)), nullptr);
  EXPECT_EQ(table.find(request(1))->digest, 99u);
  EXPECT_NE(table.find(request(2)), nullptr);
}

TEST(RequestTable, AHoleIsCorrupt) {
  FoldWorld world;
  for (uint32_t n = 1; n <= 3; ++n) ASSERT_TRUE(world.fold(put(500, "k", n), request(n)));
  KvBatch batch;
  batch.remove(row::request_key(kTestPartition, 1));
  ASSERT_TRUE(world.kv.write(batch));
  KvRows rows = world.rows();
  EXPECT_EQ(RequestTable::load(rows, kTestPartition).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace kura
