// Goal: what the embedded journal acknowledged is there after any row of crashes, whole and in
// order, while up to m of its drives rot, fail, die and come back. Method: one writer appends and
// truncates; the seed crashes the machine at any moment, recovery included, and damages the drives
// that may be damaged. After each start everything is read back.

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "base/crc32c.h"
#include "journal/embedded/embedded_journal.h"
#include "sim/sim_chance.h"
#include "sim/sim_drive.h"
#include "sim/sim_loop.h"

namespace kura::sim {
namespace {

using journal::EmbeddedJournal;
using journal::EmbeddedJournalOptions;
using journal::Record;

constexpr size_t kDisks = 5;
constexpr uint32_t kMirrors = 3;  // m is 2.

struct Outcome {
  uint64_t hash = 0;
  uint64_t acknowledged = 0, starts = 0, crashes_in_recovery = 0, records_read = 0;
  uint64_t repaired_bytes = 0, cut_bytes = 0, replaced = 0, refused_starts = 0;
  std::string violation;
};

struct Scenario {
  Scenario(uint64_t seed, bool ack_before_sync);
  ~Scenario() { power_off(Unsynced::kept); }

  void power_on();
  void power_off(Unsynced policy);
  void disturb();
  void settle();
  Task<void> live();
  Task<bool> check();
  Task<bool> append_some();
  Record draw_record();
  void violate(std::string what) {
    if (out.violation.empty()) out.violation = std::move(what);
  }

  SimWorld world;
  ChanceSites chances;
  SimRandom random;
  SimClock clock;
  std::vector<std::unique_ptr<SimDisk>> disks;
  std::vector<size_t> bad;  // Drives that may be damaged: at most m.
  EmbeddedJournalOptions options;
  std::unique_ptr<SimLoop> loop;
  std::unique_ptr<EmbeddedJournal> journal;
  bool recovered = false;
  bool calm = false;

  std::map<Offset, uint32_t> acknowledged;  // Offset to a digest of the record.
  std::set<uint32_t> sent;                  // Digests of all records ever handed over.
  Offset truncated;
  uint64_t next_seq = 1;
  bool created = false;
  Outcome out;
};

uint32_t digest(const Record& record) {
  return crc32c(std::to_string(record.seq) + ":" + record.payload + ":" + record.body);
}

Scenario::Scenario(uint64_t seed, bool ack_before_sync)
    : world(seed), chances(world.random("chance")), random(world.random("scenario")), clock(world) {
  DiskOptions disk;
  disk.sector_bytes = random.pick(2) == 0 ? 512 : 4096;
  for (uint32_t i = 0; i < kDisks; ++i)
    disks.push_back(std::make_unique<SimDisk>(world, i + 1, disk));
  for (uint64_t i = 0, n = random.pick(kMirrors); i < n; ++i) bad.push_back(random.pick(kDisks));
  options.journal.bytes[0] = 1;
  options.mirror_count = kMirrors;
  options.segment_bytes = 4096 + 512 * static_cast<uint64_t>(random.between(2, 60));
  options.body_cache_bytes = 0;
  options.ack_before_sync = ack_before_sync;
}

void Scenario::power_on() {
  ++out.starts;
  recovered = false;
  loop = std::make_unique<SimLoop>(world, "journal", clock);
  spawn(*loop, live());
}

void Scenario::power_off(Unsynced policy) {
  if (!loop) return;
  if (!recovered) ++out.crashes_in_recovery;
  loop->stop();
  for (auto& disk : disks) disk->crash(policy);
  destroy_spawned_tasks(*loop);
  journal = nullptr;
  loop = nullptr;
}

void Scenario::disturb() {
  if (bad.empty()) return;
  SimDisk& disk = *disks[bad[random.pick(bad.size())]];
  switch (random.pick(6)) {
    case 0:
      disk.set_dead(true);
      break;
    case 1:
      disk.set_dead(false);
      break;
    case 2:
      disk.rot_one("journal/");
      break;
    case 3:
      disk.set_slow(static_cast<uint32_t>(random.between(1, 50)));
      break;
    case 4:
      disk.replace_empty();
      break;
    default:
      disk.options().faults.sync_error = static_cast<uint32_t>(random.pick(50'000));
      disk.options().faults.read_error = static_cast<uint32_t>(random.pick(50'000));
      break;
  }
}

void Scenario::settle() {
  calm = true;
  for (auto& disk : disks) {
    disk->set_dead(false);
    disk->set_slow(1);
    disk->options().faults = {};
  }
}

Record Scenario::draw_record() {
  Record record;
  record.partition = PartitionId{static_cast<uint16_t>(random.pick(16))};
  record.epoch = Epoch{1};
  record.writer.bytes[0] = 1;
  record.seq = next_seq++;
  for (uint64_t i = 0, n = random.pick(300); i < n; ++i)
    record.payload += static_cast<char>(random.draw());
  for (uint64_t i = 0, n = random.pick(700); i < n; ++i)
    record.body += static_cast<char>(random.draw());
  return record;
}

Task<void> Scenario::live() {
  std::vector<journal::JournalDrive> drives;
  for (size_t i = 0; i < kDisks; ++i) {
    DriveId id;
    id.bytes[0] = 0xd0;
    id.bytes[15] = static_cast<uint8_t>(i);
    drives.push_back({id, disks[i]->mount()});
  }
  options.writer = random.uuid<WriterId>();
  auto opened = co_await EmbeddedJournal::open(*loop, drives, options);
  if (!opened && opened.error().code == Errc::not_found && !created)
    opened = co_await EmbeddedJournal::create(*loop, drives, options);
  if (!opened) {
    ++out.refused_starts;
    // With drives dead for now it may have to wait for them; at rest it may not.
    if (calm || opened.error().code == Errc::corrupt)
      violate("the journal does not open: " + opened.error().detail);
    co_return;
  }
  created = true;
  journal = std::move(*opened);
  out.repaired_bytes += journal->report().repaired_bytes;
  out.cut_bytes += journal->report().cut_bytes;
  out.replaced += journal->report().replaced.size();
  const bool whole = co_await check();
  recovered = whole;
  while (recovered && !calm) {
    const bool more = co_await append_some();
    if (!more) co_return;  // The outcome is unknown: the process would end.
  }
}

Task<bool> Scenario::append_some() {
  std::vector<Record> records;
  for (uint64_t i = 0, n = 1 + random.pick(4); i < n; ++i) records.push_back(draw_record());
  for (const Record& record : records) sent.insert(digest(record));
  auto offsets = co_await journal->append(records, journal::AppendClass::normal);
  if (!offsets && offsets.error().code == Errc::unknown) co_return false;
  if (!offsets) {
    co_await sleep_for(10 * kMillisecond);
    co_return true;
  }
  for (size_t i = 0; i < records.size(); ++i) acknowledged[(*offsets)[i]] = digest(records[i]);
  out.acknowledged += records.size();
  if (random.pick(20) == 0 && acknowledged.size() > 20) {
    auto it = acknowledged.begin();
    std::advance(it, static_cast<ptrdiff_t>(random.pick(acknowledged.size() - 10)));
    truncated = std::max(truncated, it->first);
    Result<void> done = co_await journal->truncate(it->first);
    if (!done && done.error().code == Errc::unknown) co_return false;
  }
  co_return true;
}

// Everything acknowledged and not truncated is there, at its offset, with its bytes; everything
// that is there was sent.
Task<bool> Scenario::check() {
  std::map<Offset, uint32_t> found;
  const journal::Bounds bounds = journal->bounds();
  uint64_t last_seq = 0;
  for (Offset at = bounds.start; at < bounds.end;) {
    auto some = co_await journal->read(at, 4000);
    if (!some || some->empty()) {
      violate("the journal cannot be read back: " + (some ? "no records" : some.error().detail));
      co_return false;
    }
    for (const journal::StoredRecord& one : *some) {
      found[one.offset] = digest(one.record);
      if (!sent.contains(digest(one.record))) violate("a record that nobody wrote");
      if (one.record.seq <= last_seq) violate("records out of order");
      last_seq = one.record.seq;
      ++out.records_read;
    }
    at = some->back().end;
  }
  for (const auto& [offset, sum] : acknowledged) {
    if (offset < bounds.start && offset < truncated) continue;
    auto it = found.find(offset);
    if (it == found.end())
      violate("an acknowledged record is lost: " + std::to_string(offset.value));
    else if (it->second != sum)
      violate("an acknowledged record has changed");
  }
  co_return out.violation.empty();
}

Outcome run(uint64_t seed, bool ack_before_sync = false) {
  Scenario s(seed, ack_before_sync);
  s.power_on();
  // Created before anything goes wrong: a half-made journal is a matter of its own tests.
  s.world.run_until([&] { return s.created; }, s.world.now_ns() + 60 * kSecond);
  for (int round = 0; round < 12 && s.out.violation.empty(); ++round) {
    const bool at_once = s.random.pick(4) == 0;
    s.world.run_for(s.random.exponential(at_once ? 3 * kMillisecond : 60 * kMillisecond));
    if (s.random.pick(2) == 0) s.disturb();
    s.world.run_for(s.random.exponential(30 * kMillisecond));
    s.power_off(static_cast<Unsynced>(s.random.pick(4)));
    s.power_on();
  }
  s.settle();
  s.power_off(Unsynced::mixed);
  s.power_on();
  const auto done = [&] { return s.recovered || !s.out.violation.empty(); };
  if (!s.world.run_until(done, s.world.now_ns() + 60 * kSecond))
    s.violate("the journal never opens although every drive answers");
  s.out.hash = s.world.hash();
  return s.out;
}

TEST(JournalScenario, NothingAcknowledgedIsLost) {
  Outcome sum;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const Outcome one = run(seed);
    ASSERT_EQ(one.violation, "") << "seed " << seed;
    sum.acknowledged += one.acknowledged;
    sum.crashes_in_recovery += one.crashes_in_recovery;
    sum.repaired_bytes += one.repaired_bytes;
    sum.cut_bytes += one.cut_bytes;
    sum.replaced += one.replaced;
    sum.records_read += one.records_read;
  }
  // A scenario that reaches none of this would pass for no reason.
  EXPECT_GT(sum.acknowledged, 3000u);
  EXPECT_GT(sum.records_read, 3000u);
  EXPECT_GT(sum.crashes_in_recovery, 30u);
  EXPECT_GT(sum.repaired_bytes, 1000u);
  EXPECT_GT(sum.cut_bytes, 1000u);
  EXPECT_GT(sum.replaced, 10u);
}

TEST(JournalScenario, SameSeedSameTrace) {
  for (uint64_t seed = 1; seed <= 20; ++seed) ASSERT_EQ(run(seed).hash, run(seed).hash) << seed;
}

TEST(JournalScenario, AcknowledgingBeforeTheSyncIsCaught) {
  int caught = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) caught += run(seed, true).violation.empty() ? 0 : 1;
  EXPECT_GT(caught, 10);
}

}  // namespace
}  // namespace kura::sim
