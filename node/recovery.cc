#include "node/recovery.h"

#include <algorithm>

#include "actors/disk/set_ledger.h"
#include "base/fail_point.h"
#include "base/limits.h"
#include "journal/embedded/segment_format.h"
#include "projections/metadata/snapshot.h"

namespace kura::node {
namespace {

constexpr uint64_t kReplayBytes = 1 * kMiB;

// Names only the sets in which a snapshot lies, so that it can be read before anything is folded.
class SnapshotSets final : public SetLedger {
 public:
  explicit SnapshotSets(ControlState state)
      : state_(std::make_shared<const ControlState>(std::move(state))) {}
  std::shared_ptr<const ControlState> state() const override { return state_; }
  Task<Result<SegmentSet>> open_set(SegmentSet) override { co_return not_now(); }
  Task<Result<void>> seal_set(SetId, uint64_t) override { co_return not_now(); }
  Task<Result<void>> replace_member(SetId, uint32_t, DriveId) override { co_return not_now(); }
  Task<Result<void>> drop_set(SetId) override { co_return not_now(); }

 private:
  static tl::unexpected<Error> not_now() { return fail(Errc::unavailable, "recovering"); }
  std::shared_ptr<const ControlState> state_;
};

// Snapshots that the log names, oldest first, each with where its sets are by the end of the log.
struct FoundSnapshots {
  std::vector<v1::SnapshotTaken> taken;
  ControlState sets;
};

Task<Result<FoundSnapshots>> find_snapshots(journal::Journal& journal) {
  FoundSnapshots found;
  Offset at = journal.bounds().start;
  while (at < journal.bounds().end) {
    auto records = co_await journal.read(at, kReplayBytes);
    if (!records) co_return fail(records.error());
    for (const journal::StoredRecord& stored : *records) {
      at = stored.end;
      if (stored.record.partition != kControlPartition ||
          stored.record.kind != journal::RecordKind::event)
        continue;
      auto event = parse_event(stored.record.payload);
      if (!event) co_return fail(event.error());
      if (event->has_snapshot_taken()) {
        for (const v1::SetOpened& set : event->snapshot_taken().sets()) {
          found.sets.next_set = std::min(found.sets.next_set, set.set());
          if (found.sets.sets.count(SetId{set.set()})) continue;
          v1::Event opened;
          *opened.mutable_set_opened() = set;
          found.sets.next_set = set.set();
          auto applied = apply(found.sets, stored.offset, opened);
          if (!applied) co_return fail(applied.error());
        }
        found.taken.push_back(event->snapshot_taken());
      } else if (event->has_set_member_replaced() &&
                 found.sets.sets.count(SetId{event->set_member_replaced().set()})) {
        auto applied = apply(found.sets, stored.offset, *event);
        if (!applied) co_return fail(applied.error());
      }
    }
  }
  co_return found;
}

Task<Result<void>> load_snapshot(BlobStore& blobs, const v1::SnapshotTaken& taken, Kv& kv) {
  auto reader = blobs.read(taken.body(), ByteRange{0, taken.size_bytes()});
  if (!reader) co_return fail(reader.error());
  SnapshotReader rows;
  for (;;) {
    Result<std::string> bytes = co_await (*reader)->next();
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) break;
    auto batch = rows.add(*bytes);
    if (!batch) co_return fail(batch.error());
    if (auto written = kv.write(*batch); !written) co_return written;
  }
  auto info = rows.finish();
  if (!info) co_return fail(info.error());
  if (info->digest != taken.digest()) co_return fail(Errc::corrupt, "the snapshot is another one");
  co_return Result<void>{};
}

// The fold state at the oldest record that is still needed: what the view holds, else a snapshot,
// else nothing when the log is there from its first record.
Task<Result<void>> seed(NodePorts& ports, journal::Journal& journal, const RecoveryDrives& drives,
                        RecoveredView& view) {
  auto opened = ViewFold::open(*view.kv);
  const journal::Bounds bounds = journal.bounds();
  if (opened) {
    const ViewPosition at = (*opened)->position();
    const bool whole_log = bounds.start.value <= journal::kSegmentHeaderBytes;
    const bool fits =
        at.end.value == 0 ? whole_log : at.end >= bounds.start && at.end <= bounds.end;
    if (fits) {
      view.fold = std::move(*opened);
      co_return Result<void>{};
    }
    if (whole_log && at.end.value != 0) co_return fail(Errc::not_found, "a view of another log");
  }
  auto found = co_await find_snapshots(journal);
  if (!found) co_return fail(found.error());
  SnapshotSets ledger(found->sets);
  std::vector<disk::PoolDrive> pool_drives = drives.by_id;
  disk::DiskPool pool(*ports.journal, ledger, drives.pool, std::move(pool_drives));
  Error last{Errc::corrupt, "the log was truncated and names no snapshot"};
  for (auto it = found->taken.rbegin(); it != found->taken.rend(); ++it) {
    view.fold.reset();
    view.kv.reset();
    before_step("view.create");
    auto fresh = ports.open_view(view.drive, true);
    if (!fresh) co_return fail(fresh.error());
    after_step("view.create");
    view.kv = std::move(*fresh);
    before_step("view.load");
    auto loaded = co_await load_snapshot(pool.blobs(), *it, *view.kv);
    if (loaded) after_step("view.load");
    if (!loaded) {
      last = loaded.error();
      continue;
    }
    auto fold = ViewFold::open(*view.kv);
    if (!fold) co_return fail(fold.error());
    view.fold = std::move(*fold);
    view.from_snapshot = true;
    co_return Result<void>{};
  }
  co_return fail(last);
}

Task<Result<void>> replay(journal::Journal& journal, RecoveredView& view) {
  Offset at = std::max(view.fold->position().end, journal.bounds().start);
  while (at < journal.bounds().end) {
    auto records = co_await journal.read(at, kReplayBytes);
    if (!records) co_return fail(records.error());
    std::vector<ViewFold::Item> items;
    for (const journal::StoredRecord& stored : *records)
      items.push_back({&stored.record, nullptr, stored.offset, stored.end});
    before_step("view.replay");
    if (auto folded = view.fold->fold(items); !folded) co_return fail(folded.error());
    after_step("view.replay");
    view.replayed += items.size();
    at = records->back().end;
  }
  co_return Result<void>{};
}

}  // namespace

Task<Result<RecoveredView>> recover_view(NodePorts& ports, journal::Journal& journal,
                                         RecoveryDrives drives) {
  std::stable_sort(drives.usable.begin(), drives.usable.end(),
                   [&](size_t a, size_t b) { return ports.has_view(a) > ports.has_view(b); });
  Error last{Errc::unavailable, "no drive takes the metadata view"};
  for (size_t drive : drives.usable) {
    for (bool fresh : {false, true}) {
      RecoveredView view;
      view.drive = drive;
      auto kv = ports.open_view(drive, fresh);
      if (!kv) {
        last = kv.error();
        continue;
      }
      view.kv = std::move(*kv);
      auto seeded = co_await seed(ports, journal, drives, view);
      if (seeded) seeded = co_await replay(journal, view);
      if (seeded) co_return std::move(view);
      last = seeded.error();
      ports.log("view on " + ports.drives[drive]->label() + ": " + last.detail +
                (fresh ? "" : "; rebuilding it"));
      if (last.code == Errc::unsupported) co_return fail(last);
    }
  }
  co_return fail(last);
}

}  // namespace kura::node
