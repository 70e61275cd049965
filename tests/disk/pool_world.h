// A drive pool on simulated drives: with a ledger and a table of bodies that survive crashes, as
// the journal and the view do.

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actors/disk/disk_pool.h"
#include "sim/sim_drive.h"
#include "sim/sim_loop.h"
#include "tests/sim/sim_fixture.h"

namespace kura::disk {

// Set events, folded by the real rule after a short wait.
class MemoryLedger final : public SetLedger {
 public:
  explicit MemoryLedger(size_t drives);
  Task<Result<SegmentSet>> open_set(SegmentSet draft) override;
  Task<Result<void>> seal_set(SetId set, uint64_t length_bytes) override;
  Task<Result<void>> replace_member(SetId set, uint32_t member, DriveId drive) override;
  Task<Result<void>> drop_set(SetId set) override;
  Task<Result<void>> archive_log(ArchivedLog piece, bool again) override;
  Task<Result<void>> drop_archive(Offset from) override;
  std::shared_ptr<const ControlState> state() const override {
    std::lock_guard lock(mutex_);
    return state_;
  }

  void add_drive(DriveId id);
  Result<void> record(const v1::Event& event);
  int refuse_next = 0;               // So many calls fail with unavailable.
  std::function<void()> after_open;  // Of the next set. Once.

 private:
  Task<Result<void>> reach();  // The control partition; then somebody else may have been there.
  Task<Result<void>> record_later(v1::Event event);
  mutable std::mutex mutex_;
  std::shared_ptr<const ControlState> state_;
  uint64_t offset_ = 1;
};

// The fold of bodies: by key, of one bucket.
class MemoryBodies final : public LiveBodies, public BucketWriter {
 public:
  Result<uint64_t> live_bytes(SetId set) const override;
  Result<uint64_t> live_log_bytes(uint64_t piece) const override;
  Result<LivePage> bodies_in_log(Offset from, Offset to, const std::string& after) const override;
  Result<LivePage> bodies_in(SetId set, const std::string& after,
                             uint32_t bodies_max) const override;
  Result<bool> is_live(const v1::BodiesMoved_Move& place) const override;
  Task<Result<Outcome>> submit(Command command) override;

  std::map<std::string, v1::Body> bodies;
  std::map<std::string, std::string> content;  // What was stored.
  uint64_t moves = 0;
  uint64_t events_of_moves = 0;
  std::optional<Errc> refuse;
  bool count_log_bytes = true;  // Else no byte of the log seems live.
};

DriveId drive_id(size_t i);
// Bytes that tell keys, versions and positions apart.
std::string content_of(const std::string& key, uint64_t bytes);

class PoolWorld {
 public:
  explicit PoolWorld(size_t drives, uint64_t seed = 1, sim::DiskOptions disk = {},
                     sim::Schedule schedule = sim::Schedule::random);
  ~PoolWorld();

  // Starts a process over the drives; those in `without` are not there.
  Result<void> start(const std::vector<size_t>& without = {});
  void crash(sim::Unsynced policy);
  void restart(const std::vector<size_t>& without = {});  // After a clean stop.

  // Runs a task on the pool's loop to its end.
  template <class T>
  T run(Task<T> task) {
    return sim::run_task(world, *loop, std::move(task));
  }

  // Stores content_of(key, bytes) in pieces of `piece` and commits it as the event would.
  Task<Result<void>> put(std::string key, uint64_t bytes, uint64_t piece = 256 * kKiB,
                         v1::StorageClass storage_class = v1::STANDARD, bool hint = true);
  Task<Result<std::string>> get(v1::Body body, ByteRange range);
  Result<void> put_now(const std::string& key, uint64_t bytes, uint64_t piece = 256 * kKiB,
                       v1::StorageClass storage_class = v1::STANDARD, bool hint = true) {
    return run<Result<void>>(put(key, bytes, piece, storage_class, hint));
  }
  Result<std::string> get_now(const std::string& key);
  // Every body that was committed reads back right.
  void expect_all();
  void forget(std::string key);  // Deleted.

  void seal_all();  // Every open set is sealed when it returns.
  PoolStatus status();
  void maintain(int passes = 1);
  void settle(int64_t ns = sim::kSecond) { world.run_for(ns); }
  SegmentSet set_of(const std::string& key);
  void keep_snapshot(uint64_t bytes);                   // Recorded in the ledger.
  Result<void> add_new_drive(size_t place, size_t id);  // To the running process.

  // Past the pool, on a running process's drive.
  void flip(size_t place, const std::string& name, uint64_t offset);
  void write_file(size_t place, const std::string& name, const std::string& content);
  std::string take_file(size_t place, const std::string& name);

  sim::SimWorld world;
  sim::SimClock clock;
  std::vector<std::unique_ptr<sim::SimDisk>> disks;
  std::vector<DriveId> ids;  // Of the drive in each place.
  uint8_t history = 0x11;    // Another one for the copy of a store that goes on by itself.
  std::vector<std::shared_ptr<Drive>> mounts;  // Of the running process; null: not there.
  MemoryLedger ledger;
  MemoryBodies bodies;
  DiskPoolOptions options;
  std::unique_ptr<sim::SimLoop> loop;
  std::unique_ptr<DiskPool> pool;

 private:
  void end_process();
  uint64_t incarnation_ = 0;
};

}  // namespace kura::disk
