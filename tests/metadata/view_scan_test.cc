// Passes over the view in pieces: the same sums and digest as at once, of the moment they began.

#include "projections/metadata/view_scan.h"

#include <gtest/gtest.h>

#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

class ViewScan : public testing::Test {
 protected:
  ViewScan() {
    for (uint64_t bucket = 1; bucket <= 300; ++bucket) {
      fold(put(bucket, "a", bucket));
      fold(put_inline(bucket, "b", 10));
      fold(upload_created(bucket, "u", id_of(static_cast<uint32_t>(bucket))));
    }
  }
  void fold(const v1::Event& event) { ASSERT_TRUE(world.fold(event)); }
  template <class Scan>
  size_t read(Scan& scan, size_t rows_max) {
    size_t pieces = 1;
    while (!scan.step(rows_max).value()) ++pieces;
    return pieces;
  }
  FoldWorld world;
};

TEST_F(ViewScan, CountersOfAllBucketsAddUp) {
  BucketCounters sum;
  for (uint64_t bucket = 1; bucket <= 300; ++bucket) {
    const BucketCounters one = world.view.counters(BucketId{bucket}).value();
    sum.objects += one.objects;
    sum.versions += one.versions;
    sum.bytes += one.bytes;
    sum.uploads += one.uploads;
  }
  EXPECT_EQ(sum.bytes, 300u * 301 / 2 + 3000);
  for (size_t rows_max : {1u, 7u, 300u, 100'000u}) {
    CounterScan scan(world.kv);
    EXPECT_EQ(read(scan, rows_max), 300 / rows_max + 1);  // A row for each bucket.
    EXPECT_EQ(scan.total().objects, sum.objects);
    EXPECT_EQ(scan.total().versions, sum.versions);
    EXPECT_EQ(scan.total().bytes, sum.bytes);
    EXPECT_EQ(scan.total().uploads, sum.uploads);
  }
  MemoryKv empty;
  CounterScan none(empty);
  EXPECT_TRUE(none.step(1).value());
  EXPECT_EQ(none.total().objects, 0u);
}

TEST_F(ViewScan, TheDigestIsThatOfTheWholeAtOnce) {
  const ViewDigest whole = world.view.digest().value();
  for (size_t rows_max : {1u, 64u}) {
    DigestScan scan(world.kv);
    EXPECT_GT(read(scan, rows_max), whole.rows / rows_max);
    EXPECT_EQ(scan.digest().value, whole.value);
    EXPECT_EQ(scan.digest().rows, whole.rows);
    EXPECT_EQ(scan.digest().offset, whole.offset);
  }
}

TEST_F(ViewScan, WhatIsWrittenMeanwhileIsNotSeen) {
  const ViewDigest before = world.view.digest().value();
  CounterScan counters(world.kv);
  DigestScan digest(world.kv);
  EXPECT_FALSE(counters.step(10).value());
  EXPECT_FALSE(digest.step(10).value());
  fold(put(1, "c", 1000));
  fold(put(300, "c", 1000));
  read(counters, 10);
  read(digest, 10);
  EXPECT_EQ(counters.total().objects, 600u);
  EXPECT_EQ(digest.digest().value, before.value);
  EXPECT_NE(world.view.digest().value().value, before.value);
}

}  // namespace
}  // namespace kura
