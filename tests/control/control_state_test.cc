#include "projections/control/control_state.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <sstream>

#include "projections/control/control_rows.h"
#include "projections/kv/memory_kv.h"

namespace kura {
namespace {

std::string id_of(uint32_t n) { return std::string(15, '\0') + static_cast<char>(n); }

v1::Event cluster_created() {
  v1::Event event;
  event.mutable_cluster_created()->set_cluster_id(id_of(1));
  return event;
}

v1::Event drive_added(uint32_t drive) {
  v1::Event event;
  event.mutable_drive_added()->set_drive_id(id_of(drive));
  event.mutable_drive_added()->set_label("drive " + std::to_string(drive));
  return event;
}

v1::Event drive_removed(uint32_t drive) {
  v1::Event event;
  event.mutable_drive_removed()->set_drive_id(id_of(drive));
  return event;
}

v1::Event set_opened(uint32_t set) {
  v1::Event event;
  auto& opened = *event.mutable_set_opened();
  opened.set_set(set);
  opened.set_data_shards(2);
  opened.set_parity_shards(1);
  for (uint32_t drive : {1, 2, 3}) opened.add_drive_ids(id_of(drive));
  opened.set_member_bytes(1000);
  return event;
}

v1::Event set_sealed(uint32_t set, uint64_t length) {
  v1::Event event;
  event.mutable_set_sealed()->set_set(set);
  event.mutable_set_sealed()->set_length(length);
  return event;
}

v1::Event set_dropped(uint32_t set) {
  v1::Event event;
  event.mutable_set_dropped()->set_set(set);
  return event;
}

v1::Event member_replaced(uint32_t set, uint32_t member, uint32_t drive) {
  v1::Event event;
  event.mutable_set_member_replaced()->set_set(set);
  event.mutable_set_member_replaced()->set_member(member);
  event.mutable_set_member_replaced()->set_drive_id(id_of(drive));
  return event;
}

v1::Event bucket_created(const std::string& name) {
  v1::Event event;
  event.mutable_bucket_created()->set_name(name);
  event.mutable_bucket_created()->set_owner("owner");
  event.mutable_bucket_created()->set_region("eu-west-1");
  event.mutable_bucket_created()->set_created_at_ms(1234);
  return event;
}

v1::Event bucket_deleting(uint64_t bucket) {
  v1::Event event;
  event.mutable_bucket_deleting()->set_bucket(bucket);
  return event;
}

v1::Event bucket_deleted(uint64_t bucket, uint64_t operation) {
  v1::Event event;
  event.mutable_bucket_deleted()->set_bucket(bucket);
  event.mutable_bucket_deleted()->set_operation(operation);
  return event;
}

v1::Event abandoned(uint64_t bucket, uint64_t operation) {
  v1::Event event;
  event.mutable_bucket_delete_abandoned()->set_bucket(bucket);
  event.mutable_bucket_delete_abandoned()->set_operation(operation);
  return event;
}

v1::Event key_created(const std::string& name) {
  v1::Event event;
  auto& created = *event.mutable_key_created();
  created.set_access_key(name);
  created.set_sealed_secret("sealed");
  created.set_access(v1::KeyCreated::READ_ONLY);
  created.set_bucket("b");
  created.set_description("for tests");
  created.set_created_at_ms(55);
  return event;
}

v1::Event key_disabled(const std::string& name) {
  v1::Event event;
  event.mutable_key_disabled()->set_access_key(name);
  return event;
}

v1::Event snapshot_taken(uint64_t offset) {
  v1::Event event;
  event.mutable_snapshot_taken()->set_offset(offset);
  event.mutable_snapshot_taken()->set_size_bytes(offset / 2);
  event.mutable_snapshot_taken()->set_digest("digest");
  event.mutable_snapshot_taken()->mutable_body()->add_extents()->set_set(4);
  return event;
}

// Applies events at offsets 10, 20, ...
struct World {
  ControlState state;
  uint64_t offset = 0;
  Errc code{};
  bool apply(const v1::Event& event) {
    ControlState next = state;
    Result<void> ok = kura::apply(next, Offset{offset + 10}, event);
    if (!ok) {
      code = ok.error().code;
      return false;
    }
    offset += 10;
    state = std::move(next);
    return true;
  }
};

TEST(ControlState, BucketsLiveAndDieByTheirIds) {
  World world;
  ASSERT_TRUE(world.apply(bucket_created("a")));
  const Bucket* bucket = world.state.find_bucket("a");
  ASSERT_NE(bucket, nullptr);
  EXPECT_EQ(bucket->id, BucketId{10});
  EXPECT_EQ(bucket->region, "eu-west-1");
  EXPECT_EQ(bucket->owner, "owner");
  EXPECT_EQ(bucket->created_at_ms, 1234);
  EXPECT_FALSE(world.apply(bucket_created("a"))) << "the name is taken";
  EXPECT_EQ(world.code, Errc::corrupt);

  ASSERT_TRUE(world.apply(bucket_deleting(10)));
  EXPECT_EQ(world.state.find_bucket("a")->deleting, Offset{20});
  EXPECT_FALSE(world.apply(bucket_deleting(10))) << "one deletion at a time";
  EXPECT_FALSE(world.apply(bucket_deleted(10, 10))) << "another operation";
  ASSERT_TRUE(world.apply(abandoned(10, 20)));
  EXPECT_EQ(world.state.find_bucket("a")->deleting, std::nullopt);
  EXPECT_FALSE(world.apply(bucket_deleted(10, 20))) << "its operation is over";

  ASSERT_TRUE(world.apply(bucket_deleting(10)));
  ASSERT_TRUE(world.apply(bucket_deleted(10, 40)));
  EXPECT_EQ(world.state.find_bucket("a"), nullptr);
  EXPECT_TRUE(world.state.bucket_names.empty());
  ASSERT_TRUE(world.apply(bucket_created("a")));
  EXPECT_EQ(world.state.find_bucket("a")->id, BucketId{60}) << "another bucket of that name";
  EXPECT_EQ(world.state.applied, Offset{60});
}

TEST(ControlState, SetsHaveIdsThatAreNeverReused) {
  World world;
  ASSERT_TRUE(world.apply(set_opened(1)));
  EXPECT_EQ(world.state.next_set, 2u);
  EXPECT_EQ(world.state.sets.at(SetId{1}).members.size(), 3u);
  EXPECT_FALSE(world.apply(set_sealed(1, 1001))) << "behind its capacity";
  ASSERT_TRUE(world.apply(member_replaced(1, 2, 9)));
  EXPECT_EQ(world.state.sets.at(SetId{1}).members[2], uuid_from<DriveId>(id_of(9)));
  EXPECT_FALSE(world.apply(member_replaced(1, 3, 9)));
  ASSERT_TRUE(world.apply(set_sealed(1, 1000)));
  EXPECT_EQ(world.state.sets.at(SetId{1}).sealed_bytes, 1000u);
  EXPECT_FALSE(world.apply(set_sealed(1, 1000)));
  ASSERT_TRUE(world.apply(set_dropped(1)));
  EXPECT_FALSE(world.apply(set_dropped(1)));
  EXPECT_FALSE(world.apply(set_opened(1)));
  v1::Event short_of_members = set_opened(2);
  short_of_members.mutable_set_opened()->mutable_drive_ids()->RemoveLast();
  EXPECT_FALSE(world.apply(short_of_members));
}

TEST(ControlState, ASetIsOfOneProcess) {
  World world;
  ASSERT_TRUE(world.apply(set_opened(1)));
  EXPECT_TRUE(world.state.sets.at(SetId{1}).incarnation.is_nil()) << "as in older journals";
  v1::Event opened = set_opened(2);
  opened.mutable_set_opened()->set_incarnation("a process");
  EXPECT_FALSE(world.apply(opened));
  const std::string process = "the process of 2";
  opened.mutable_set_opened()->set_incarnation(process);
  ASSERT_TRUE(world.apply(opened));
  const ControlState restored = load_control(control_rows(world.state)).value();
  for (const ControlState* state : {static_cast<const ControlState*>(&world.state), &restored}) {
    EXPECT_TRUE(state->sets.at(SetId{1}).incarnation.is_nil());
    EXPECT_EQ(state->sets.at(SetId{2}).incarnation.view(), process);
  }
}

TEST(ControlState, DrivesKeysClusterAndSnapshots) {
  World world;
  ASSERT_TRUE(world.apply(cluster_created()));
  EXPECT_FALSE(world.apply(cluster_created()));
  ASSERT_TRUE(world.apply(drive_added(1)));
  EXPECT_FALSE(world.apply(drive_added(1)));
  ASSERT_TRUE(world.apply(drive_removed(1)));
  EXPECT_FALSE(world.apply(drive_removed(1)));
  ASSERT_TRUE(world.apply(drive_added(1))) << "a drive may come back";
  ASSERT_TRUE(world.apply(key_created("k")));
  EXPECT_FALSE(world.apply(key_created("k")));
  EXPECT_FALSE(world.state.keys.at("k").disabled);
  ASSERT_TRUE(world.apply(key_disabled("k")));
  EXPECT_TRUE(world.state.keys.at("k").disabled);
  EXPECT_FALSE(world.apply(key_disabled("other")));
  for (uint64_t offset : {100, 200, 300}) ASSERT_TRUE(world.apply(snapshot_taken(offset)));
  ASSERT_EQ(world.state.snapshots.size(), 2u) << "the newest two";
  EXPECT_EQ(world.state.snapshots[0].offset, Offset{200});
  EXPECT_FALSE(world.apply(snapshot_taken(250)));
}

v1::Event archived(uint64_t from, uint64_t to, uint32_t set) {
  v1::Event event;
  event.mutable_log_archived()->set_from(from);
  event.mutable_log_archived()->set_to(to);
  v1::Extent& extent = *event.mutable_log_archived()->mutable_body()->add_extents();
  extent.set_set(set);
  extent.set_stored_bytes(to - from);
  return event;
}

v1::Event archive_dropped(uint64_t from) {
  v1::Event event;
  event.mutable_log_archive_dropped()->set_from(from);
  return event;
}

TEST(ControlState, ArchivedPiecesOfTheLogAreFoundByPlace) {
  World world;
  ASSERT_TRUE(world.apply(archived(100, 200, 1)));
  ASSERT_TRUE(world.apply(archived(300, 450, 2)));
  ASSERT_TRUE(world.apply(archived(200, 300, 1)));
  EXPECT_FALSE(world.apply(archived(50, 101, 1)));
  EXPECT_FALSE(world.apply(archived(449, 500, 1)));
  EXPECT_FALSE(world.apply(archived(299, 300, 1)));
  EXPECT_FALSE(world.apply(archived(100, 150, 1))) << "another piece that begins there";
  EXPECT_FALSE(world.apply(archived(600, 600, 1)));
  v1::Event shorter = archived(600, 700, 1);
  shorter.mutable_log_archived()->set_to(701);
  EXPECT_FALSE(world.apply(shorter));

  const ControlState restored = load_control(control_rows(world.state)).value();
  for (const ControlState* state : {static_cast<const ControlState*>(&world.state), &restored}) {
    ASSERT_EQ(state->archived.size(), 3u);
    EXPECT_EQ(state->find_archived(Offset{99}), nullptr);
    EXPECT_EQ(state->find_archived(Offset{100})->to, Offset{200});
    EXPECT_EQ(state->find_archived(Offset{299})->from, Offset{200});
    EXPECT_EQ(state->find_archived(Offset{449})->from, Offset{300});
    EXPECT_EQ(state->find_archived(Offset{450}), nullptr);
    EXPECT_EQ(state->archived_bytes.at(SetId{1}), 200u);
    EXPECT_EQ(state->archived_bytes.at(SetId{2}), 150u);
  }

  ASSERT_TRUE(world.apply(archived(200, 300, 2))) << "copied elsewhere";
  EXPECT_EQ(world.state.find_archived(Offset{250})->body.extents(0).set(), 2u);
  EXPECT_EQ(world.state.archived_bytes.at(SetId{1}), 100u);
  EXPECT_FALSE(world.apply(archive_dropped(150)));
  ASSERT_TRUE(world.apply(archive_dropped(100)));
  EXPECT_FALSE(world.apply(archive_dropped(100)));
  EXPECT_EQ(world.state.find_archived(Offset{150}), nullptr);
  EXPECT_FALSE(world.state.archived_bytes.contains(SetId{1}));
  EXPECT_EQ(world.state.archived_bytes.at(SetId{2}), 250u);
}

TEST(ControlState, UnknownEventsStopThePartition) {
  World world;
  EXPECT_FALSE(world.apply(v1::Event()));
  EXPECT_EQ(world.code, Errc::unsupported);
  v1::Event of_data;
  of_data.mutable_upload_aborted()->set_bucket(1);
  EXPECT_FALSE(world.apply(of_data));
  EXPECT_EQ(world.code, Errc::corrupt);
  v1::Event newer = key_created("k");
  newer.mutable_key_created()->set_access(static_cast<v1::KeyCreated::Access>(7));
  EXPECT_FALSE(world.apply(newer));
  EXPECT_EQ(world.code, Errc::unsupported);
}

v1::Event any_event(uint32_t n) {
  const uint32_t a = n / 16 % 5 + 1, b = n / 80 % 5;
  const std::string name(1, static_cast<char>('a' + a));
  switch (n % 16) {
    case 0:
      return cluster_created();
    case 1:
      return drive_added(a);
    case 2:
      return drive_removed(a);
    case 3:
      return set_opened(a + b);
    case 4:
      return set_sealed(a, b);
    case 5:
      return set_dropped(a);
    case 6:
      return member_replaced(a, b, 9);
    case 7:
      return key_created(name);
    case 8:
      return key_disabled(name);
    case 9:
      return snapshot_taken(n);
    case 10:
    case 11:
      return bucket_created(name);
    case 12:
      return bucket_deleting(a * 10);
    case 13:
      return bucket_deleted(a * 10, a * 10 + b * 10 + 10);
    default:
      return abandoned(a * 10, a * 10 + b * 10 + 10);
  }
}

std::vector<ControlRow> rows_of(Kv& kv) {
  std::vector<ControlRow> out;
  auto it = kv.iterate();
  for (it->seek(""); it->valid(); it->next()) out.emplace_back(it->key(), it->value());
  return out;
}

TEST(ControlRows, ChangesAddUpToAllRowsAndRestoreTheState) {
  ASSERT_TRUE(rc::check([] {
    const auto script = *rc::gen::container<std::vector<uint32_t>>(rc::gen::inRange(0u, 16u * 25));
    World world;
    MemoryKv kv;
    for (uint32_t n : script) {
      const v1::Event event = any_event(n);
      if (!world.apply(event)) continue;
      KvBatch batch;
      put_control_changes(world.state, event, batch);
      RC_ASSERT(kv.write(batch).has_value());
    }
    if (world.offset == 0) return;
    RC_ASSERT(rows_of(kv) == control_rows(world.state));
    const ControlState restored = load_control(kv).value();
    // The rows hold every field, so equal rows of the restored state mean an equal state.
    RC_ASSERT(control_rows(restored) == control_rows(world.state));
    RC_ASSERT(restored.bucket_names == world.state.bucket_names);
    RC_ASSERT(restored.applied == world.state.applied);
    RC_ASSERT(restored.next_set == world.state.next_set);
  }));
}

TEST(ControlRows, DamagedRowsAreCorrupt) {
  World world;
  for (const v1::Event& event : {cluster_created(), drive_added(1), set_opened(1), key_created("k"),
                                 bucket_created("b"), snapshot_taken(9)})
    ASSERT_TRUE(world.apply(event));
  const auto rows = control_rows(world.state);
  ASSERT_EQ(rows.size(), 6u);
  for (size_t i = 0; i < rows.size(); ++i) {
    auto damaged = rows;
    damaged[i].second = "\xff";
    EXPECT_FALSE(load_control(damaged)) << i;
  }
  EXPECT_FALSE(load_control({{"kz", ""}}));
  EXPECT_FALSE(load_control({{"x", ""}}));
}

std::string hex(std::string_view bytes) {
  std::ostringstream out;
  for (char c : bytes) out << "0123456789abcdef"[uint8_t(c) >> 4] << "0123456789abcdef"[c & 15];
  return out.str();
}

// The rows live on drives: these bytes may only ever be added to.
TEST(ControlRows, BytesAreThoseOfTheGoldenFile) {
  World world;
  for (const v1::Event& event :
       {cluster_created(), drive_added(1), set_opened(1), set_sealed(1, 640), key_created("k"),
        key_disabled("k"), bucket_created("b"), bucket_deleting(70), snapshot_taken(9),
        archived(4096, 4736, 1)})
    ASSERT_TRUE(world.apply(event));
  std::ostringstream actual;
  for (const auto& [key, value] : control_rows(world.state))
    actual << hex(key) << " " << hex(value) << "\n";
  std::ifstream file(KURA_GOLDEN_DIR "/control_rows.txt");
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(actual.str(), golden.str());
}

}  // namespace
}  // namespace kura
