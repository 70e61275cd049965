// What the pool does by itself: rebuild, scrub, compaction, dropping, drives that come and go.

#include <algorithm>

#include "actors/disk/drive_identity.h"
#include "actors/disk/stripe.h"
#include "pool_world.h"

namespace kura::disk {
namespace {

void fill(PoolWorld& pool, int bodies = 12) {
  for (int i = 0; i < bodies; ++i) {
    ASSERT_TRUE(pool.put_now("large-" + std::to_string(i), 900'000 + i));
    ASSERT_TRUE(pool.put_now("small-" + std::to_string(i), 40'000 + i));
  }
}

uint64_t live_in_all(PoolWorld& pool) {
  uint64_t bytes = 0;
  for (const auto& [key, body] : pool.bodies.bodies)
    for (const v1::Extent& extent : body.extents()) bytes += extent.stored_bytes();
  return bytes;
}

TEST(Rebuild, AReplacedDriveGetsItsMembersBack) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
  pool.crash(sim::Unsynced::dropped);
  pool.disks[2]->replace_empty();
  pool.ids[2] = drive_id(50);
  pool.ledger.add_drive(drive_id(50));
  ASSERT_TRUE(pool.start());
  EXPECT_EQ(pool.status().bytes_below_full_parity, live_in_all(pool));
  pool.maintain();
  const PoolStatus status = pool.status();
  EXPECT_EQ(status.bytes_below_full_parity, 0u);
  EXPECT_EQ(status.members_missing, 0u);
  EXPECT_GT(status.members_rebuilt, 0u);
  // The rebuilt members carry the bodies alone with three others.
  for (size_t i : {0, 1})
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
  pool.expect_all();
}

TEST(Rebuild, AnEmptiedDriveWithItsIdentityGetsItsMembersBack) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
  pool.crash(sim::Unsynced::dropped);
  pool.disks[5]->replace_empty();
  ASSERT_TRUE(pool.start());  // Writes the same identity again.
  EXPECT_EQ(pool.status().bytes_below_full_parity, live_in_all(pool));
  pool.maintain();
  EXPECT_EQ(pool.status().members_missing, 0u);
  for (size_t i : {0, 1})
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
  pool.expect_all();
}

TEST(Rebuild, ACrashInTheMiddleStartsThatSetAgain) {
  for (int steps : {50, 200, 400, 800, 1600, 3200}) {
    PoolWorld pool(6, static_cast<uint64_t>(steps));
    ASSERT_TRUE(pool.start());
    fill(pool, 8);
    pool.seal_all();
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
    pool.crash(sim::Unsynced::dropped);
    pool.disks[2]->replace_empty();
    pool.ids[2] = drive_id(50);
    pool.ledger.add_drive(drive_id(50));
    ASSERT_TRUE(pool.start());
    auto pass = [](DiskPool* target) -> Task<void> { (void)co_await target->maintain_now(); };
    spawn(*pool.loop, pass(pool.pool.get()));
    for (int i = 0; i < steps; ++i) pool.world.step();
    pool.crash(sim::Unsynced::torn);
    ASSERT_TRUE(pool.start());
    pool.settle();
    for (const std::string& name : pool.disks[2]->names())
      EXPECT_FALSE(name.ends_with(".new")) << name;
    pool.maintain();
    EXPECT_EQ(pool.status().members_missing, 0u);
    for (size_t i : {0, 1})
      ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
    pool.expect_all();
  }
}

TEST(Rebuild, DamageOnASourceDoesNotSpread) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
  pool.crash(sim::Unsynced::dropped);
  pool.disks[2]->replace_empty();
  pool.ids[2] = drive_id(50);
  pool.ledger.add_drive(drive_id(50));
  for (int i = 0; i < 200; ++i) pool.disks[0]->rot_one("sets/");
  ASSERT_TRUE(pool.start());
  pool.maintain();
  EXPECT_EQ(pool.status().members_missing, 0u);
  EXPECT_EQ(pool.status().scrub.lost_stripes, 0u);
  pool.settle();
  EXPECT_GT(pool.status().scrub.repaired_shards, 0u) << "sources are repaired on the way";
  for (size_t i : {3, 4})
    ASSERT_TRUE(pool.run<Result<void>>(pool.pool->take_offline(drive_id(i), "test")));
  pool.expect_all();
}

ScrubCounters scrub(PoolWorld& pool) {
  const uint64_t runs = pool.status().scrub.runs;
  EXPECT_TRUE(pool.run<Result<void>>(pool.pool->scrub()));
  const ScrubCounters counters = pool.status().scrub;
  EXPECT_EQ(counters.runs, runs + 1);
  return counters;
}

TEST(Scrub, FindsNothingWhereNothingIsWrong) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  const ScrubCounters counters = scrub(pool);
  EXPECT_GT(counters.sets, 0u);
  EXPECT_GT(counters.bytes, live_in_all(pool));
  EXPECT_EQ(counters.damaged_shards, 0u);
  EXPECT_EQ(counters.lost_stripes, 0u);
}

// Goal: a flip anywhere in what stripes hold (header, payload, parity) and in the header of the
// file is found and mended. Method: flips at chosen places of one member, one run for each.
TEST(Scrub, FindsAndRepairsAFlipOfEveryKind) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 2'000'000));
  pool.seal_all();
  const v1::Extent extent = pool.bodies.bodies.at("large").extents(0);
  const SegmentSet set = pool.set_of("large");
  const std::string name = set_file_name(set.id);
  const uint64_t at = extent.offset();
  uint64_t found = 0;
  for (uint32_t member : {0U, 3U, 4U, 5U}) {  // Data and parity.
    for (uint64_t offset : {uint64_t{3}, uint64_t{60}, at, at + 8, at + 20, at + 50, at + 53,
                            at + 64, at + 70'000, at + 64 + 131'071}) {
      size_t place = 0;
      while (drive_id(place) != set.members[member]) ++place;
      pool.flip(place, name, offset);
      const ScrubCounters counters = scrub(pool);
      EXPECT_EQ(counters.damaged_shards, found + 1) << "member " << member << " byte " << offset;
      found = counters.damaged_shards;
      EXPECT_EQ(counters.repaired_shards, found);
    }
  }
  const ScrubCounters clean = scrub(pool);
  EXPECT_EQ(clean.damaged_shards, found);
  pool.expect_all();
}

// What clients were told is safe is verified also before the set is full.
TEST(Scrub, CoversSetsThatAreStillOpen) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 2'000'000));
  const v1::Extent extent = pool.bodies.bodies.at("large").extents(0);
  const SegmentSet set = pool.set_of("large");
  ASSERT_FALSE(set.sealed_bytes);
  for (size_t place = 0; place < 2; ++place)
    pool.flip(place, set_file_name(set.id), extent.offset() + 100);
  const ScrubCounters counters = scrub(pool);
  EXPECT_EQ(counters.damaged_shards, 2u);
  EXPECT_EQ(counters.repaired_shards, 2u);
  EXPECT_EQ(counters.lost_stripes, 0u);
  EXPECT_EQ(scrub(pool).damaged_shards, 2u);
}

// A process left it open, and the next one is still looking for its end.
TEST(Scrub, CoversSetsThatAreBeingSealed) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 2'000'000));
  const v1::Extent extent = pool.bodies.bodies.at("large").extents(0);
  const SegmentSet set = pool.set_of("large");
  for (size_t place = 0; place < 2; ++place)
    pool.flip(place, set_file_name(set.id), extent.offset() + 100);
  pool.crash(sim::Unsynced::kept);
  ASSERT_TRUE(pool.start());
  ASSERT_FALSE(pool.ledger.state()->sets.at(set.id).sealed_bytes);
  const ScrubCounters counters = scrub(pool);
  EXPECT_EQ(counters.damaged_shards, 2u);
  EXPECT_EQ(counters.repaired_shards, 2u);
}

// A drive whose identity rots is not lost: the file has a copy, and the running node knows it.
TEST(Identity, IsMendedWhileTheNodeRuns) {
  PoolWorld pool(6);
  pool.options.check_interval_ns = sim::kSecond;
  ASSERT_TRUE(pool.start());
  const std::string right = encode(DriveIdentity{pool.options.cluster, drive_id(2)});
  for (const std::string file : {"drive", "drive.copy"}) {
    for (const std::string& damaged :
         {std::string(), right.substr(0, 20), std::string(right.size(), '\0'),
          right.substr(0, 10) + '\xff' + right.substr(11)}) {
      pool.write_file(2, file, damaged);
      pool.settle(10 * sim::kSecond);
      EXPECT_TRUE(pool.pool->offline().empty());
      auto content = pool.run<Result<std::string>>(read_file(*pool.mounts[2], file));
      ASSERT_TRUE(content);
      EXPECT_EQ(*content, right) << file;
    }
  }
  EXPECT_EQ(pool.status().scrub.repaired_identities, 8u);
  pool.write_file(2, "drive", "x");
  pool.write_file(2, "drive.copy", "y");
  pool.settle(10 * sim::kSecond);
  EXPECT_TRUE(pool.pool->offline().empty());
  EXPECT_EQ(pool.status().scrub.repaired_identities, 10u);
}

TEST(Identity, IsReadFromItsCopy) {
  PoolWorld pool(1);
  ASSERT_TRUE(pool.start());
  const DriveIdentity right{pool.options.cluster, drive_id(0)};
  std::shared_ptr<Drive> drive = pool.mounts[0];
  ASSERT_TRUE(pool.run<Result<void>>(write_identity(*drive, right)));
  using Read = Result<std::optional<DriveIdentity>>;
  for (const std::string damaged :
       {"", "KURADRV\n\xff\xff\xff\xff"}) {  // Also as if it were newer.
    ASSERT_TRUE(pool.run<Result<void>>(replace_file(*drive, "drive", damaged)));
    Read read = pool.run<Read>(read_identity(*drive));
    ASSERT_TRUE(read && *read) << read.error().detail;
    EXPECT_TRUE(**read == right);
  }
  ASSERT_TRUE(pool.run<Result<void>>(replace_file(*drive, "drive.copy", "")));
  EXPECT_FALSE(pool.run<Read>(read_identity(*drive)));
}

TEST(Scrub, KeepsItsPace) {
  PoolWorld pool(6);
  pool.options.scrub_bytes_per_second = 2 * kMiB;
  ASSERT_TRUE(pool.start());
  fill(pool, 6);
  pool.seal_all();
  const int64_t began = pool.world.now_ns();
  const ScrubCounters counters = scrub(pool);
  const int64_t took_ms = (pool.world.now_ns() - began) / sim::kMillisecond;
  EXPECT_GE(took_ms, static_cast<int64_t>(counters.bytes * 1000 / (2 * kMiB)) - 200);
}

TEST(Compaction, MostlyDeadSetsAreCopiedOutAndDropped) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), i % 3 == 0 ? 30'000 : 1'000'000));
  pool.seal_all();
  uint64_t before = 0, after = 0;
  for (const auto& disk : pool.disks) before += disk->used_bytes();
  for (int i = 0; i < 60; ++i)
    if (i % 10 > 1) pool.forget("key-" + std::to_string(i));
  pool.maintain(4);
  EXPECT_GT(pool.status().bodies_moved, 0u);
  EXPECT_GT(pool.status().sets_dropped, 0u);
  pool.expect_all();
  pool.seal_all();
  for (const auto& disk : pool.disks) after += disk->used_bytes();
  EXPECT_LT(after, before / 2);
  pool.expect_all();
}

TEST(Compaction, EverythingDeletedLeavesNoFile) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  fill(pool);
  pool.seal_all();
  while (!pool.bodies.bodies.empty()) pool.forget(pool.bodies.bodies.begin()->first);
  pool.maintain(3);
  EXPECT_TRUE(pool.ledger.state()->sets.empty());
  const std::vector<std::string> identity{"drive", "drive.copy"};
  for (const auto& disk : pool.disks) EXPECT_EQ(disk->names(), identity);
}

TEST(Compaction, AReaderKeepsItsSet) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("key", 3'000'000));
  pool.seal_all();
  const std::string content = pool.bodies.content.at("key");
  auto reader = pool.pool->blobs().read(pool.bodies.bodies.at("key"), {0, 3'000'000});
  ASSERT_TRUE(reader);
  auto first = pool.run<Result<std::string>>((*reader)->next());
  ASSERT_TRUE(first);
  pool.forget("key");
  pool.maintain(5);
  EXPECT_EQ(pool.ledger.state()->sets.size(), 1u);
  std::string read = *first;
  for (;;) {
    auto next = pool.run<Result<std::string>>((*reader)->next());
    ASSERT_TRUE(next);
    if (next->empty()) break;
    read += *next;
  }
  EXPECT_TRUE(read == content);
  reader->reset();
  pool.maintain(2);
  EXPECT_TRUE(pool.ledger.state()->sets.empty());
}

TEST(Compaction, AReservationKeepsItsSetUntilItsEventIsFolded) {
  PoolWorld pool(4);
  pool.options.member_bytes_max = kMiB;
  ASSERT_TRUE(pool.start());
  auto writer = pool.run<Result<std::unique_ptr<BlobWriter>>>(
      pool.pool->blobs().write(v1::STANDARD, 200'000));
  ASSERT_TRUE(writer);
  const std::string content = content_of("late", 200'000);
  ASSERT_TRUE(pool.run<Result<void>>((*writer)->append(content)));
  auto body = pool.run<Result<v1::Body>>((*writer)->finish());
  ASSERT_TRUE(body);
  const v1::Reservation reservation = (*writer)->reservation();
  writer->reset();
  EXPECT_EQ(pool.status().reservations, 1u);
  // Rolls the set over, so that it is sealed.
  ASSERT_TRUE(pool.put_now("other", 3'000'000));
  pool.settle();
  pool.forget("other");
  pool.maintain(5);
  ASSERT_TRUE(pool.ledger.state()->sets.contains(SetId(body->extents(0).set())));
  auto read = pool.run<Result<std::string>>(pool.get(*body, {0, 200'000}));
  ASSERT_TRUE(read && *read == content);
  pool.pool->blobs().release(reservation);
  pool.maintain(3);
  EXPECT_FALSE(pool.ledger.state()->sets.contains(SetId(body->extents(0).set())));
}

TEST(Compaction, AnUnknownOutcomeOfAMoveKeepsTheCopies) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), 1'000'000));
  pool.seal_all();
  for (int i = 0; i < 12; ++i)
    if (i % 4 != 0) pool.forget("key-" + std::to_string(i));
  pool.bodies.refuse = Errc::unknown;
  pool.maintain(2);
  EXPECT_GT(pool.status().reservations, 0u);
  pool.expect_all();
}

TEST(Compaction, CopiesOfAMoveThatIsRefusedAreFree) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  for (int i = 0; i < 12; ++i)
    ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), i % 2 == 0 ? 1'000'000 : 30'000));
  pool.seal_all();
  for (int i = 0; i < 12; ++i)
    if (i % 6 > 1) pool.forget("key-" + std::to_string(i));
  pool.bodies.refuse = Errc::unavailable;
  pool.maintain(2);
  EXPECT_EQ(pool.status().bodies_moved, 0u);
  EXPECT_EQ(pool.status().reservations, 0u) << "their sets would never be dropped";
  pool.expect_all();
}

// Goal: damage beyond parity costs the body that it hit, and no room of the others in its set.
TEST(Compaction, ABodyThatCannotBeReadKeepsNoOtherInItsSet) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  for (int i = 0; i < 12; ++i)
    ASSERT_TRUE(pool.put_now("key-" + std::to_string(i), i % 2 == 0 ? 1'000'000 : 30'000));
  pool.seal_all();
  for (int i = 4; i < 12; ++i) pool.forget("key-" + std::to_string(i));
  const SegmentSet set = pool.set_of("key-0");
  const v1::Extent extent = pool.bodies.bodies.at("key-0").extents(0);
  for (uint32_t member = 0; member <= set.parity_shards; ++member) {
    const auto place = std::find(pool.ids.begin(), pool.ids.end(), set.members[member]);
    pool.flip(static_cast<size_t>(place - pool.ids.begin()), set_file_name(set.id),
              extent.offset() + 100);
  }
  ASSERT_FALSE(pool.get_now("key-0"));
  const v1::Body lost = pool.bodies.bodies.at("key-0");
  pool.maintain(3);
  EXPECT_GT(pool.status().bodies_moved, 0u);
  for (const auto& [key, body] : pool.bodies.bodies) {
    if (key == "key-0") continue;
    for (const v1::Extent& where : body.extents()) EXPECT_NE(where.set(), set.id.value) << key;
    EXPECT_TRUE(pool.get_now(key)) << key;
  }
  EXPECT_EQ(pool.bodies.bodies.at("key-0").SerializeAsString(), lost.SerializeAsString());
  EXPECT_TRUE(pool.ledger.state()->sets.contains(set.id)) << "it may still be mended by hand";
}

// A GET that looked a body up before it moved looks again; unavailable would be a 503.
TEST(Compaction, ADroppedSetIsNotFound) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("large", 900'000));
  ASSERT_TRUE(pool.put_now("small", 30'000));
  pool.seal_all();
  std::vector<v1::Body> before;
  for (const auto& [key, body] : pool.bodies.bodies) before.push_back(body);
  pool.forget("large");
  pool.forget("small");
  pool.maintain(3);
  ASSERT_TRUE(pool.ledger.state()->sets.empty());
  for (const v1::Body& body : before) {
    auto read = pool.run<Result<std::string>>(pool.get(body, {0, 1}));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Errc::not_found) << read.error().detail;
  }
}

TEST(Drives, ANewDriveIsUsedAtOnce) {
  PoolWorld pool(6);
  ASSERT_TRUE(pool.start({5}));
  ASSERT_TRUE(pool.put_now("before", 600'000));
  EXPECT_EQ(pool.set_of("before").members.size(), 5u);
  ASSERT_TRUE(pool.add_new_drive(5, 70));
  ASSERT_TRUE(pool.put_now("after", 600'000));
  const auto members = pool.set_of("after").members;
  EXPECT_EQ(members.size(), 6u);
  EXPECT_TRUE(std::find(members.begin(), members.end(), drive_id(70)) != members.end());
  pool.expect_all();
}

TEST(Drives, AnIdentityThatVanishesTakesTheDriveOfflineAndComesBack) {
  PoolWorld pool(6);
  pool.options.check_interval_ns = 500 * sim::kMillisecond;
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("before", 600'000));
  const std::string kept = pool.take_file(1, std::string(kDriveIdentityFile));
  pool.settle(2 * sim::kSecond);
  EXPECT_FALSE(pool.status().drives[1].online);
  ASSERT_TRUE(pool.put_now("without", 600'000));
  EXPECT_EQ(pool.set_of("without").members.size(), 5u);
  pool.expect_all();
  pool.write_file(1, std::string(kDriveIdentityFile), kept);
  pool.settle(2 * sim::kSecond);
  EXPECT_TRUE(pool.status().drives[1].online);
  ASSERT_TRUE(pool.put_now("again", 600'000));
  EXPECT_EQ(pool.set_of("again").members.size(), 6u);
  pool.expect_all();
}

TEST(Drives, FilesOfSetsThatTheJournalNeverOpenedRefuseToStart) {
  PoolWorld pool(4);
  ASSERT_TRUE(pool.start());
  ASSERT_TRUE(pool.put_now("key", 600'000));
  pool.write_file(0, set_file_name(SetId(4'000'000)), "foreign");
  ASSERT_TRUE(pool.run<Result<void>>(pool.pool->stop()));
  pool.crash(sim::Unsynced::dropped);
  auto refused = pool.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_TRUE(pool.disks[0]->has(set_file_name(SetId(4'000'000)))) << "and removes nothing";
}

}  // namespace
}  // namespace kura::disk
