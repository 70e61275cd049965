#include "node/recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "actors/disk/set_ledger.h"
#include "base/drive_calls.h"
#include "base/fail_point.h"
#include "base/joined.h"
#include "base/limits.h"
#include "node/recovery_rules.h"
#include "node/view_watch.h"
#include "projections/metadata/snapshot.h"

namespace kura::node {
namespace {

constexpr uint64_t kReplayBytes = 1 * kMiB;
constexpr size_t kLoadBytes = 64 * kKiB;  // Of a snapshot for one batch, or one chunk of it.

// The log as this start reads it. Remembers that it could not: then no other view helps; and that
// no snapshot which it names could be read: then only a view that is there does.
class Log {
 public:
  explicit Log(journal::Journal& journal) : journal_(journal) {}
  journal::Bounds bounds() const { return journal_.bounds(); }
  // REQUIRES: `from` is before the end.
  Task<Result<std::vector<journal::StoredRecord>>> read(Offset from) {
    auto records = co_await journal_.read(from, kReplayBytes);
    if (records && records->empty()) records = fail(Errc::corrupt, "the log ends before its end");
    if (!records) error_ = records.error();
    co_return records;
  }
  // Whether it has, where the view folded its last record, one after which the head of that
  // partition is the view's. It has another one when the view is of a copy of the store on which
  // another process went on. True also where that cannot be seen any more.
  Task<bool> has_last_of(ViewFold& fold) {
    const ViewPosition at = fold.position();
    const journal::Bounds log = journal_.bounds();
    if (at.end.value == 0 || at.offset < log.start || at.offset >= log.end) co_return true;
    auto records = co_await journal_.read(at.offset, 1);
    if (!records) co_return records.error().code != Errc::corrupt;  // Of a record: for replay.
    if (records->empty()) co_return true;
    const journal::StoredRecord& last = records->front();
    const journal::PartitionHead& head = fold.head(last.record.partition);
    // Its end moves to the next segment when that is begun.
    if (last.end < at.end || last.record.epoch > head.epoch) co_return false;
    co_return last.record.epoch < head.epoch || last.record.writer == head.writer;
  }
  // No view helps from here on.
  tl::unexpected<Error> fail_for_good(Error error) {
    error_ = error;
    return kura::fail(std::move(error));
  }
  const std::optional<Error>& error() const { return error_; }
  const std::optional<Error>& no_snapshot() const { return no_snapshot_; }
  void set_no_snapshot(Error error) { no_snapshot_ = std::move(error); }

 private:
  journal::Journal& journal_;
  std::optional<Error> error_, no_snapshot_;
};

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
  Task<Result<void>> archive_log(ArchivedLog, bool) override { co_return not_now(); }
  Task<Result<void>> drop_archive(Offset) override { co_return not_now(); }

 private:
  static tl::unexpected<Error> not_now() { return fail(Errc::unavailable, "recovering"); }
  std::shared_ptr<const ControlState> state_;
};

// Snapshots that the log names, oldest first, each with where its sets are by the end of the log.
struct FoundSnapshots {
  std::vector<v1::SnapshotTaken> taken;
  ControlState sets;
};

Task<Result<FoundSnapshots>> find_snapshots(Log& log) {
  FoundSnapshots found;
  Offset at = log.bounds().start;
  while (at < log.bounds().end) {
    auto records = co_await log.read(at);
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

tl::unexpected<Error> no_room() { return fail(Errc::no_space, "the drive has no room for it"); }

Result<void> load_rows(SnapshotReader& rows, std::string_view bytes, Kv& kv) {
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kLoadBytes, bytes.size()))) {
    auto batch = rows.add(bytes.substr(0, kLoadBytes));
    if (!batch) return fail(batch.error());
    if (auto written = kv.write(*batch); !written) return written;
    if (kv.room() != KvRoom::enough) return no_room();
  }
  return {};
}

// What a view is built from beside the log.
struct Source {
  BlobStore& blobs;
  const v1::SnapshotTaken* snapshot = nullptr;  // Null: the log is whole.
  bool unread = false;                          // The snapshot cannot be read, for no view.
};

// REQUIRES: there is a snapshot.
Task<Result<void>> load_snapshot(Source& source, Kv& kv) {
  const v1::SnapshotTaken& taken = *source.snapshot;
  auto reader = source.blobs.read(taken.body(), ByteRange{0, taken.size_bytes()});
  source.unread = !reader;
  if (!reader) co_return fail(reader.error());
  SnapshotReader rows;
  for (;;) {
    Result<std::string> bytes = co_await (*reader)->next();
    source.unread = !bytes;
    if (!bytes) co_return fail(bytes.error());
    if (bytes->empty()) break;
    if (auto loaded = load_rows(rows, *bytes, kv); !loaded) co_return loaded;
  }
  auto info = rows.finish();
  if (!info) co_return fail(info.error());
  if (info->digest != taken.digest()) co_return fail(Errc::corrupt, "the snapshot is another one");
  co_return Result<void>{};
}

// A view holds what was acknowledged, so all mirrors had it. One of a process of this journal that
// goes on behind the end of the log shows that they have lost it. (Of another process it is the
// view of another store, or of a copy.)
std::optional<Error> lost_end(ViewFold& fold, const journal::Bounds& log,
                              const RecoveryDrives& drives, const std::string& label) {
  const ViewPosition at = fold.position();
  const WriterId& writer = fold.head(kControlPartition).writer;
  const bool ours =
      std::find(drives.writers.begin(), drives.writers.end(), writer) != drives.writers.end();
  if (at.end <= log.end || !ours) return {};
  return Error{
      Errc::corrupt,
      "the journal ends at offset " + std::to_string(log.end.value) + " on all drives " +
          "that are here, and the metadata view on " + label + " knows it up to " +
          std::to_string(at.end.value) + ": what was acknowledged between is lost unless " +
          "drives that have it come back; to go on without it remove the folder view of " + label};
}

// Folds what the rows of `view.kv` lack of the log; only a tail may stay in memory. Errors:
// not_found (the log does not have it).
Task<Result<void>> catch_up(Log& log, RecoveredView& view, KvRoom least = KvRoom::lacking) {
  auto fold = ViewFold::open(*view.kv);
  if (!fold) co_return fail(fold.error());
  view.fold = std::move(*fold);
  view.built_anew = view.fold->position().end.value == 0 || view.from_snapshot;
  if (!view_fits(view.fold->position(), log.bounds()))
    co_return fail(Errc::not_found, "the log does not go on where the view ends");
  const bool ours = co_await log.has_last_of(*view.fold);
  if (!ours) co_return fail(Errc::not_found, "the view is of another history of the log");
  Offset at = std::max(view.fold->position().end, log.bounds().start);
  while (at < log.bounds().end) {
    auto records = co_await log.read(at);
    if (!records) co_return fail(records.error());
    std::vector<ViewFold::Item> items;
    for (const journal::StoredRecord& stored : *records)
      items.push_back({&stored.record, nullptr, stored.offset, stored.end});
    before_step("view.replay");
    if (auto folded = view.fold->fold(items); !folded) co_return fail(folded.error());
    after_step("view.replay");
    if (least == KvRoom::enough && view.kv->room() != least) co_return no_room();
    view.replayed += items.size();
    at = records->back().end;
  }
  co_return Result<void>{};
}

Task<Result<RecoveredView>> resume(NodePorts& ports, Log& log, const RecoveryDrives& drives,
                                   size_t drive) {
  RecoveredView view;
  view.drive = drive;
  auto kv = drives.read_only ? ports.views->open_to_read(drive) : ports.views->open(drive);
  if (!kv) co_return fail(kv.error());
  view.kv = std::move(*kv);
  auto held = ViewFold::open(*view.kv);
  if (!held) co_return fail(held.error());
  auto lost = lost_end(**held, log.bounds(), drives, ports.drives[drive]->label());
  if (lost) co_return log.fail_for_good(std::move(*lost));
  Result<void> done = co_await catch_up(log, view);
  if (!done) co_return fail(done.error());
  co_return std::move(view);
}

// Builds a view beside what the drive holds, and puts it in its place unless the node only reads.
Task<Result<RecoveredView>> build(NodePorts& ports, Log& log, Source& source, size_t drive,
                                  bool read_only) {
  RecoveredView view;
  view.drive = drive;
  view.from_snapshot = source.snapshot != nullptr;
  before_step("view.create");
  auto fresh = ports.views->open_new(drive);
  if (!fresh) co_return fail(fresh.error());
  after_step("view.create");
  view.kv = std::move(*fresh);
  if (source.snapshot) {
    before_step("view.load");
    Result<void> loaded = co_await load_snapshot(source, *view.kv);
    if (!loaded) co_return fail(loaded.error());
    after_step("view.load");
  }
  Result<void> done = co_await catch_up(log, view, KvRoom::enough);
  if (done && read_only) co_return std::move(view);
  if (done) done = view.kv->flush();
  if (!done) co_return fail(done.error());
  view.fold.reset();
  view.kv.reset();
  before_step("view.adopt");
  if (auto adopted = ports.views->adopt_new(drive); !adopted) co_return fail(adopted.error());
  after_step("view.adopt");
  auto kv = ports.views->open(drive);
  if (!kv) co_return fail(kv.error());
  view.kv = std::move(*kv);
  auto fold = ViewFold::open(*view.kv);
  if (!fold) co_return fail(fold.error());
  view.fold = std::move(*fold);
  co_return std::move(view);
}

// What to say when no snapshot can be read, the newest one for this reason.
Error no_snapshot(const FoundSnapshots& found, const RecoveryDrives& drives, const Error& reason) {
  std::set<std::string> away;
  for (const v1::Extent& extent : found.taken.back().body().extents()) {
    const auto set = found.sets.sets.find(SetId{extent.set()});
    if (set == found.sets.sets.end()) continue;
    for (const DriveId& member : set->second.members)
      if (std::none_of(drives.by_id.begin(), drives.by_id.end(),
                       [&](const disk::PoolDrive& d) { return d.drive && d.id == member; }))
        away.insert(to_hex(member));
  }
  std::string text = "no drive that is here holds the metadata view, and no snapshot of it can be ";
  text += "read (" + reason.detail + "): bring back the drive that holds the view";
  if (!away.empty()) text += ", or drives that hold the snapshot";
  const char* separator = ": ";
  for (const std::string& id : away) text += std::exchange(separator, ", ") + id;
  return Error{reason.code, text};
}

// From the newest snapshot that can be read, or from the log when it is whole.
Task<Result<RecoveredView>> rebuild(NodePorts& ports, Log& log, const RecoveryDrives& drives,
                                    size_t drive) {
  FoundSnapshots found;
  if (!is_whole(log.bounds())) {
    auto named = co_await find_snapshots(log);
    if (!named) co_return fail(named.error());
    found = std::move(*named);
    if (found.taken.empty())
      co_return fail(Errc::corrupt, "the log was truncated and names no snapshot");
  }
  SnapshotSets ledger(found.sets);
  std::vector<disk::PoolDrive> pool_drives = drives.by_id;
  disk::DiskPool pool(*ports.journal, ledger, drives.pool, std::move(pool_drives));
  Source source{pool.blobs()};
  if (is_whole(log.bounds())) co_return co_await build(ports, log, source, drive, drives.read_only);
  std::optional<Error> of_newest;
  size_t unread = 0;
  for (auto it = found.taken.rbegin(); it != found.taken.rend(); ++it) {
    source.snapshot = &*it;
    auto built = co_await build(ports, log, source, drive, drives.read_only);
    if (built) co_return built;
    if (!of_newest) of_newest = built.error();
    if (log.error() || built.error().code == Errc::unsupported) co_return built;
    unread += source.unread;
  }
  if (unread == found.taken.size()) log.set_no_snapshot(no_snapshot(found, drives, *of_newest));
  co_return fail(*of_newest);
}

// Whether drives answer: the map makes its calls on this loop, and one that hangs would keep it.
class Probes {
 public:
  Probes(const NodePorts& ports, int64_t timeout_ns) : ports_(ports), timeout_ns_(timeout_ns) {}
  Task<bool> answers(size_t drive) {
    if (hung_.contains(drive)) co_return false;
    std::shared_ptr<Drive> probed = ports_.drives[drive];
    const bool stuck = co_await hangs(std::move(probed), timeout_ns_);
    if (!stuck) co_return true;
    hung_.insert(drive);
    ports_.log("view on " + ports_.drives[drive]->label() + ": the drive hangs; trying another");
    co_return false;
  }

 private:
  const NodePorts& ports_;
  const int64_t timeout_ns_;
  std::set<size_t> hung_;
};

// How far the view on a drive got; zero where it cannot be read.
Offset end_of_view(const NodePorts& ports, size_t drive) {
  auto kv = ports.views->open_to_read(drive);
  if (!kv) return {};
  auto fold = ViewFold::open(**kv);
  return fold ? (*fold)->position().end : Offset{};
}

// A way to a view: what the drive holds is resumed, or one is built beside it.
struct Attempt {
  size_t drive;
  bool beside;
};

// What drives hold comes first, the newest of it before all: a view that had moved to another drive
// leaves an old one on a drive that comes back.
Task<std::vector<Attempt>> order_attempts(const NodePorts& ports, const RecoveryDrives& drives,
                                          Probes& probes) {
  std::vector<std::pair<Offset, size_t>> held;
  std::vector<size_t> others;
  for (size_t drive : drives.usable)
    if (ports.views->exists(drive))
      held.push_back({Offset{}, drive});
    else
      others.push_back(drive);
  for (auto& [end, drive] : held) {
    if (held.size() == 1) break;
    const bool answers = co_await probes.answers(drive);
    if (answers) end = end_of_view(ports, drive);
  }
  std::stable_sort(held.begin(), held.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Attempt> attempts;
  attempts.reserve(2 * (held.size() + others.size()));
  for (const auto& [end, drive] : held) attempts.push_back({drive, false});
  for (const auto& [end, drive] : held) attempts.push_back({drive, true});
  for (size_t drive : others) {
    if (!drives.read_only) attempts.push_back({drive, false});
    attempts.push_back({drive, true});
  }
  co_return attempts;
}

bool takes_view(Drive& drive, uint64_t view_bytes) {
  const auto space = drive.space();
  return space && has_room_for_view(space->free_bytes, view_bytes);
}

Error nowhere(const NodePorts& ports, const RecoveryDrives& drives) {
  std::vector<std::string> labels;
  for (size_t drive : drives.usable) labels.push_back(ports.drives[drive]->label());
  return {Errc::no_space,
          "no drive has room for the metadata view; make some on one of " + joined(labels)};
}

}  // namespace

bool another_takes_view(const NodePorts& ports, const std::vector<size_t>& others, size_t drive) {
  const uint64_t bytes = ports.views->bytes(drive);
  return std::any_of(others.begin(), others.end(), [&](size_t other) {
    return other != drive && takes_view(*ports.drives[other], bytes);
  });
}

Task<Result<RecoveredView>> recover_view(NodePorts& ports, journal::Journal& journal,
                                         RecoveryDrives drives) {
  Log log(journal);
  Probes probes(ports, drives.pool.drive_timeout_ns);
  Error last{Errc::unavailable, "no drive takes the metadata view"};
  std::optional<RecoveredView> on_full_drive;  // Another drive may have room.
  const std::vector<Attempt> attempts = co_await order_attempts(ports, drives, probes);
  for (const auto& [drive, beside] : attempts) {
    if (on_full_drive &&
        (drive == on_full_drive->drive ||
         !takes_view(*ports.drives[drive], ports.views->bytes(on_full_drive->drive))))
      continue;
    const bool answers = co_await probes.answers(drive);
    if (!answers) continue;
    Task<Result<RecoveredView>> recovering =
        beside ? rebuild(ports, log, drives, drive) : resume(ports, log, drives, drive);
    auto view = co_await std::move(recovering);
    if (view && !drives.read_only && view->kv->room() != KvRoom::enough) {
      if (!on_full_drive) on_full_drive = std::move(*view);
      continue;
    }
    if (view) co_return view;
    last = view.error();
    if (log.no_snapshot()) break;  // Nor for another drive.
    // Another view would be made from the same log, by the same build.
    if (log.error() || last.code == Errc::unsupported) co_return fail(last);
    ports.log("view on " + ports.drives[drive]->label() + ": " + last.detail +
              (beside ? "" : "; going on without it"));
  }
  if (on_full_drive) co_return std::move(*on_full_drive);
  if (log.no_snapshot()) co_return fail(*log.no_snapshot());
  if (last.code == Errc::no_space) co_return fail(nowhere(ports, drives));
  co_return fail(last);
}

Task<void> remove_other_views(const NodePorts& ports, std::vector<size_t> drives,
                              const RecoveredView& used, int64_t timeout_ns) {
  std::erase_if(
      drives, [&](size_t drive) { return drive == used.drive || !ports.views->holds_any(drive); });
  if (drives.empty()) co_return;
  const Offset end = used.fold->position().end;
  const bool durable = used.kv->flush().has_value();
  for (size_t drive : drives) {
    std::shared_ptr<Drive> probed = ports.drives[drive];
    const bool stuck = co_await hangs(std::move(probed), timeout_ns);
    if (stuck) continue;
    const bool old = durable && end_of_view(ports, drive) <= end;
    auto removed = old ? ports.views->remove(drive) : ports.views->remove_new(drive);
    if (!removed)
      ports.log("view on " + ports.drives[drive]->label() + ": " + removed.error().detail);
  }
}

}  // namespace kura::node
