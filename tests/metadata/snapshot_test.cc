#include "projections/metadata/snapshot.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "projections/control/control_rows.h"
#include "tests/metadata/fold_world.h"

namespace kura {
namespace {

std::string snapshot_of(Kv& kv, SnapshotInfo* info = nullptr) {
  SnapshotWriter writer = SnapshotWriter::open(kv).value();
  std::string out;
  for (std::string piece = writer.next().value(); !piece.empty(); piece = writer.next().value())
    out += piece;
  if (info != nullptr) *info = writer.info();
  return out;
}

// Loads in pieces of the given length.
Result<SnapshotInfo> load(std::string_view bytes, size_t piece_bytes, Kv& kv) {
  SnapshotReader reader;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece_bytes, bytes.size()))) {
    Result<KvBatch> batch = reader.add(bytes.substr(0, piece_bytes));
    if (!batch) return fail(batch.error());
    if (Result<void> ok = kv.write(*batch); !ok) return fail(ok.error());
  }
  return reader.finish();
}

FoldWorld& filled(FoldWorld& world, uint32_t objects) {
  for (uint32_t i = 0; i < objects; ++i)
    EXPECT_TRUE(world.fold(put(500, "key" + std::to_string(i), i, {extent(1, i * 64, i)}),
                           uuid_from<RequestId>(id_of(i + 1))));
  return world;
}

TEST(Snapshot, RestoresEveryRow) {
  FoldWorld world;
  filled(world, 3000);  // More than one chunk.
  SnapshotInfo written;
  const std::string bytes = snapshot_of(world.kv, &written);
  for (size_t piece_bytes : {size_t{1} << 30, size_t{1000}, size_t{7}}) {
    MemoryKv restored;
    const SnapshotInfo read = load(bytes, piece_bytes, restored).value();
    EXPECT_EQ(read.digest, written.digest);
    EXPECT_EQ(read.rows, written.rows);
    EXPECT_EQ(read.position.offset, Offset{world.next_offset() - 100});
    EXPECT_EQ(read.position.end, Offset{world.next_offset()});
    EXPECT_EQ(dump(restored), dump(world.kv));
    EXPECT_EQ(MetadataView(restored).digest().value().value, world.view.digest().value().value);
  }
}

TEST(Snapshot, IsOfTheMomentWhenItWasOpened) {
  FoldWorld world;
  filled(world, 10);
  const std::string before = snapshot_of(world.kv);
  SnapshotWriter writer = SnapshotWriter::open(world.kv).value();
  std::string bytes = writer.next().value();
  ASSERT_TRUE(world.fold(put(500, "key-between", 1)));
  for (std::string piece = writer.next().value(); !piece.empty(); piece = writer.next().value())
    bytes += piece;
  EXPECT_EQ(bytes, before);
}

TEST(Snapshot, AnyFlippedOrMissingByteIsCorrupt) {
  FoldWorld world;
  filled(world, 3);
  const std::string bytes = snapshot_of(world.kv);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (char flip : {'\x01', '\x80'}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flip);
      MemoryKv kv;
      EXPECT_FALSE(load(damaged, 1 << 30, kv)) << "byte " << i;
    }
    MemoryKv kv;
    EXPECT_FALSE(load(bytes.substr(0, i), 1 << 30, kv)) << "cut at " << i;
  }
  MemoryKv kv;
  EXPECT_FALSE(load(bytes + "x", 1 << 30, kv));
}

TEST(Snapshot, NeedsAPosition) {
  MemoryKv kv;
  EXPECT_EQ(SnapshotWriter::open(kv).error().code, Errc::not_found);
}

TEST(Digest, IsOfWhatIsHeldAndNotOfWhereTheLogStands) {
  FoldWorld world, other;
  filled(world, 5), filled(other, 5);
  const ViewDigest digest = world.view.digest().value();
  EXPECT_EQ(digest.value, other.view.digest().value().value);
  EXPECT_EQ(digest.offset, Offset{1400});
  EXPECT_EQ(digest.value.size(), 16u);

  // A restart claims, voids what the last process reserved and applies control: nothing that is
  // held.
  v1::Event voided, applied;
  voided.mutable_reservations_voided()->set_incarnation(id_of(5));
  applied.mutable_control_applied()->set_up_to(77);
  ASSERT_TRUE(other.fold(voided));
  ASSERT_TRUE(other.fold(applied));
  EXPECT_EQ(digest.value, other.view.digest().value().value);
  const auto rows = dump(other.kv);
  for (const auto& [key, value] : rows) {
    if (key[0] == 'n' || key[0] == 'w' || key[0] == 'a') continue;
    MemoryKv damaged;
    KvBatch all;
    for (const auto& row : rows) all.put(row.first, row.first == key ? value + "!" : row.second);
    ASSERT_TRUE(damaged.write(all));
    EXPECT_NE(MetadataView(damaged).digest().value().value, digest.value) << key[0];
  }

  // A restart also seals the segment sets that were open.
  ControlState state;
  state.sets[SetId{1}].sealed_bytes = 4096;
  KvBatch sealed;
  for (auto& [key, value] : control_rows(state))
    if (is_control_position(key)) sealed.put(key, value);
  EXPECT_EQ(sealed.changes().size(), 2u);
  ASSERT_TRUE(other.kv.write(sealed));
  EXPECT_EQ(digest.value, other.view.digest().value().value);
}

}  // namespace
}  // namespace kura
