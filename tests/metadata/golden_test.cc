// Rows and snapshots live on drives: these bytes may only ever be added to.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "projections/metadata/partition_rows.h"
#include "projections/metadata/rows.h"
#include "projections/metadata/snapshot.h"
#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (char c : bytes) {
    out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    out += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

std::string golden(const std::string& name) {
  std::ifstream file(KURA_GOLDEN_DIR "/" + name, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

// One row of each kind that this build writes.
void fill(FoldWorld& world) {
  const std::string nul_key("a\0b", 3);
  ASSERT_TRUE(world.fold(control(500, v1::BucketEffect::CREATED, 500)));
  v1::Event put_event = put(500, "photos/cat", 11, {extent(1, 4096, 27)});
  auto& version = *put_event.mutable_put_committed()->mutable_version();
  version.set_modified_at_ms(1700000000000);
  auto& metadata = *version.mutable_info()->add_user_metadata();
  metadata.set_name("colour");
  metadata.set_value("black");
  auto& checksum = *version.mutable_checksum();
  checksum.set_algorithm(v1::Checksum::CRC32C);
  checksum.set_type(v1::Checksum::FULL_OBJECT);
  checksum.set_value("\x01\x02\x03\x04");
  ASSERT_TRUE(world.fold(put_event, uuid_from<RequestId>(id_of(0xabcd))));
  ASSERT_TRUE(world.fold(put_inline(500, nul_key, 5)));
  ASSERT_TRUE(world.fold(upload_created(500, nul_key, id_of(1))));
  ASSERT_TRUE(world.fold(part(500, nul_key, id_of(1), 2, 5, {extent(1, 8192, 5)})));
  v1::Event voided;
  voided.mutable_reservations_voided()->set_incarnation(id_of(5));
  ASSERT_TRUE(world.fold(voided));

  KvRows below = world.rows();
  Overlay rows(below);
  journal::PartitionHead head;
  head.epoch = Epoch{7};
  head.writer = uuid_from<WriterId>(id_of(9));
  head.dead = false;
  put_partition_head(rows, kTestPartition, head);
  KvBatch batch;
  rows.move_to(batch);
  ASSERT_TRUE(world.kv.write(batch));
}

TEST(Golden, RowsOfEveryKind) {
  FoldWorld world;
  fill(world);
  std::string actual;
  for (const auto& [key, value] : dump(world.kv))
    actual += hex(key) + (value.empty() ? "" : " ") + hex(value) + "\n";
  EXPECT_EQ(actual, golden("rows.txt"));
  // A kind that only later builds write.
  EXPECT_EQ(hex(row::noncurrent_key(BucketId{500}, std::string("a\0b", 3), 1000)),
            "76"
            "00000000000001f4"
            "6100ff620001"
            "fffffffffffffc17");
}

TEST(Golden, Snapshot) {
  FoldWorld world;
  fill(world);
  SnapshotWriter writer = SnapshotWriter::open(world.kv).value();
  std::string actual;
  for (std::string piece = writer.next().value(); !piece.empty(); piece = writer.next().value())
    actual += piece;
  EXPECT_EQ(hex(actual), hex(golden("view.snapshot")));
}

TEST(Golden, ASnapshotOfANewerFormatIsRefusedByName) {
  std::string bytes = golden("newer.snapshot");
  ASSERT_FALSE(bytes.empty());
  SnapshotReader reader;
  EXPECT_EQ(reader.add(bytes).error().code, Errc::unsupported);
}

}  // namespace
}  // namespace kura
