// A start, step by step (ARCHITECTURE.md, "A start").

#include <algorithm>

#include "actors/disk/geometry.h"
#include "base/bounded_drive.h"
#include "base/fail_point.h"
#include "node/node_parts.h"

namespace kura::node {
namespace {

constexpr uint64_t kSegmentBytesMin = 1 * kMiB;

// A journal segment is at most 1/64 of the smallest drive, so that live log, a spare and a reserve
// leave room for bodies on a small one.
uint64_t segment_bytes_for(uint64_t smallest_drive_bytes) {
  const uint64_t bytes =
      std::clamp(smallest_drive_bytes / 64, kSegmentBytesMin, uint64_t{kJournalSegmentBytes});
  return bytes / (64 * kKiB) * (64 * kKiB);
}

}  // namespace

Task<Result<void>> Node::Parts::identify() {
  std::vector<DriveSighting> sightings;
  for (const auto& drive : ports.drives) {
    const auto answering = bounded(drive, options.drive_timeout_ns);
    DriveSighting sighting = co_await look_at(*answering);
    sightings.push_back(std::move(sighting));
  }
  if (options.starts_over) leave_out_wrong_drives(sightings, options.before);
  const ClusterId fresh_id = ports.random.uuid<ClusterId>();
  auto decided =
      decide_membership(sightings, options.starts_over ? std::nullopt : std::optional(fresh_id));
  if (!decided) co_return fail(decided.error());
  membership = std::move(*decided);
  for (size_t i : membership.online) places[i].id = sightings[i].identity->drive;
  for (size_t i = 0; i < sightings.size(); ++i) {
    const DriveSighting& seen = sightings[i];
    if (!seen.problem && (seen.identity || seen.empty)) continue;
    if (seen.problem)
      leave(i, seen.identity ? DrivePlace::Left::wrong : DrivePlace::Left::unread,
            seen.problem->detail);
    else
      leave(i, DrivePlace::Left::no_drive,
            "it holds files, and not the identity of a drive: empty it and add it");
  }
  Result<void> joined = co_await identify_fresh();
  for (const DrivePlace& place : places)
    if (joined && !place.id.is_nil()) tell_of_use(place);
  co_return joined;
}

void Node::Parts::tell_of_use(const DrivePlace& place) const {
  if (ports.used) ports.used(membership.cluster, place.drive->label(), place.id);
}

void Node::Parts::leave(size_t i, DrivePlace::Left left, std::string why) {
  ports.log(places[i].drive->label() + " is offline: " + why);
  places.leave(i, left, std::move(why));
}

// A known cluster does without a drive that takes no identity: a full one, a read-only one.
Task<Result<void>> Node::Parts::identify_fresh() {
  std::vector<size_t> joined;
  for (size_t i : membership.fresh) {
    const disk::DriveIdentity identity{membership.cluster, ports.random.uuid<DriveId>()};
    const auto answering = bounded(ports.drives[i], options.drive_timeout_ns);
    auto written = co_await disk::write_identity(*answering, identity);
    if (written) {
      places[i].id = identity.drive;
      joined.push_back(i);
      continue;
    }
    not_joined =
        Error{written.error().code, ports.drives[i]->label() + ": " + written.error().detail};
    if (membership.create) co_return fail(*not_joined);
    leave(i, DrivePlace::Left::takes_no_write, written.error().detail);
  }
  membership.fresh = std::move(joined);
  co_return Result<void>{};
}

Task<Result<void>> Node::Parts::open_journal() {
  Result<void> opened = co_await open_or_create_journal();
  if (!opened && opened.error().code == Errc::unavailable)
    co_return fail(Errc::unavailable, opened.error().detail + not_here());
  if (!opened) co_return opened;
  leave_other_history();
  co_await mend_identities();
  co_return co_await judge_journal();
}

// Not before it is known which drives are of this history.
Task<void> Node::Parts::mend_identities() {
  for (size_t i : membership.online) {
    const DrivePlace place = places[i];
    if (place.id.is_nil()) continue;
    const auto answering = bounded(place.drive, options.drive_timeout_ns);
    const disk::DriveIdentity identity{membership.cluster, place.id};
    auto damaged = co_await disk::mend_identity(*answering, identity);
    if (damaged) identities_mended += *damaged;
    if (!damaged)  // It may be read-only. The drive is used as far as it can be.
      ports.log(place.drive->label() + ": its identity is not mended: " + damaged.error().detail);
  }
}

// Drives of another history are as good as lost, to the journal and to everybody else.
void Node::Parts::leave_other_history() {
  const std::vector<DriveId>& left = journal->report().other_history;
  for (size_t i = 0; i < places.size(); ++i) {
    if (std::find(left.begin(), left.end(), places[i].id) == left.end()) continue;
    leave(i, DrivePlace::Left::other_history, std::string(journal::kOtherHistory));
  }
}

Task<Result<void>> Node::Parts::open_or_create_journal() {
  journal::EmbeddedJournalOptions wanted;
  wanted.cluster = membership.cluster;
  wanted.writer = writer;
  wanted.segment_bytes = segment_bytes();
  wanted.drive_timeout_ns = options.drive_timeout_ns;
  wanted.ack_before_sync = options.ack_before_sync;
  std::vector<journal::JournalDrive> known, fresh;
  for (size_t i : membership.online) known.push_back({places[i].id, places[i].drive});
  for (size_t i : membership.fresh) fresh.push_back({places[i].id, places[i].drive});
  if (!membership.create) {
    std::vector<journal::JournalDrive> open_drives = known;
    auto opened =
        co_await journal::EmbeddedJournal::open(*ports.journal, std::move(open_drives), wanted);
    if (opened) {
      journal = std::move(*opened);
      for (const journal::JournalDrive& drive : fresh) {
        journal::JournalDrive joining = drive;
        auto added = co_await journal->add_drive(std::move(joining));
        if (!added) ports.log("journal: " + added.error().detail);
      }
      co_return Result<void>{};
    }
    if (opened.error().code != Errc::not_found) co_return fail(opened.error());
    // Drives that were refused while too many were away have an identity and no journal.
    if (options.starts_over) co_return fail(Errc::unavailable, opened.error().detail + not_here());
    // Identities without a journal: the first start ended before it was there. With segment sets it
    // is a loss, and a new journal would hide it.
    for (const journal::JournalDrive& drive : known) {
      auto sets = co_await drive.drive->list("sets");
      if (sets && !sets->empty())
        co_return fail(Errc::corrupt, drive.drive->label() +
                                          " holds objects but no drive holds the journal: bring "
                                          "back the drives that do");
    }
    // Nor is what a first start that was refused has left a cluster that could do without it.
    if (not_joined) co_return fail(*not_joined);
  }
  std::vector<journal::JournalDrive> all = known;
  all.insert(all.end(), fresh.begin(), fresh.end());
  const auto drives = static_cast<uint32_t>(ports.drives.size());
  wanted.journal = ports.random.uuid<JournalId>();
  wanted.mirror_count = disk::parity_for(drives, v1::STANDARD, options.parity_standard) + 1;
  auto created = co_await journal::EmbeddedJournal::create(*ports.journal, std::move(all), wanted);
  if (!created) co_return fail(created.error());
  journal = std::move(*created);
  co_return Result<void>{};
}

uint64_t Node::Parts::smallest_drive_bytes() const {
  uint64_t bytes = UINT64_MAX;
  for (const DrivePlace& place : places) {
    if (place.id.is_nil()) continue;
    if (auto space = place.drive->space()) bytes = std::min(bytes, space->total_bytes);
  }
  return bytes;
}

uint64_t Node::Parts::segment_bytes() const {
  return options.journal_segment_bytes ? options.journal_segment_bytes
                                       : segment_bytes_for(smallest_drive_bytes());
}

size_t Node::Parts::segments_max() const {
  if (options.journal_segments_max) return options.journal_segments_max;
  return log_segments_max(smallest_drive_bytes(), segment_bytes());
}

// A quarter of the memory for requests: what uploads have written and not yet synced.
uint64_t Node::Parts::uploads_bytes() const {
  return std::min(disk::DiskPoolOptions{}.unsynced_bytes_max, options.request_memory_bytes / 4);
}

disk::DiskPoolOptions Node::Parts::pool_options() const {
  disk::DiskPoolOptions pool;
  pool.cluster = membership.cluster;
  pool.incarnation = writer;
  pool.journal = journal->id();
  pool.standard_parity = options.parity_standard;
  pool.reduced_parity = options.parity_reduced;
  if (options.member_bytes) pool.member_bytes_max = options.member_bytes;
  pool.reserve_extra_bytes = segments_max() * segment_bytes();
  pool.maintenance_interval_ns = options.maintenance_ns;
  pool.idle_ns = options.set_idle_ns;
  pool.archive = options.archive;
  pool.drive_timeout_ns = options.drive_timeout_ns;
  pool.check_interval_ns = options.drive_check_ns;
  pool.unsynced_bytes_max = uploads_bytes();
  pool.read_only = !read_only.empty();
  return pool;
}

// Those with a drive of the cluster.
std::vector<size_t> Node::Parts::used_places() const {
  std::vector<size_t> used;
  for (size_t i = 0; i < places.size(); ++i)
    if (!places[i].id.is_nil()) used.push_back(i);
  return used;
}

Task<Result<void>> Node::Parts::open_view() {
  RecoveryDrives drives;
  drives.usable = used_places();
  for (size_t i : drives.usable) drives.by_id.push_back({places[i].id, places[i].drive, {}});
  drives.pool = pool_options();
  drives.read_only = !read_only.empty();
  drives.writers = journal->report().writers;
  auto recovered = co_await recover_view(ports, *journal, std::move(drives));
  // With more drives it may be found whole.
  if (!recovered && !read_only.empty() && recovered.error().code != Errc::unsupported &&
      recovered.error().code != Errc::no_space)
    co_return fail(Errc::unavailable, recovered.error().detail + not_here());
  if (!recovered) co_return fail(recovered.error());
  view = std::move(*recovered);
  // From any thread, and at once: what is read from it now may fail a start, or many requests.
  view.kv->on_damage([this](Error error) { fatal(std::move(error)); });
  metadata = std::make_unique<MetadataView>(*view.kv);
  co_return Result<void>{};
}

Task<Result<void>> Node::Parts::start_actors() {
  host = std::make_unique<ActorHost>(*ports.journal);
  Committer::Options ends;
  ends.on_fatal = [this](Error error) { fatal(std::move(error)); };
  committer = std::make_unique<Committer>(*ports.journal, *journal, *view.fold, std::move(ends));
  auto ended_reservation = [this](const v1::Reservation& reservation) {
    if (disks) disks->reservation_ended(reservation);
  };
  ControlPartition::Options control_options{writer, ended_reservation};
  control = std::make_unique<ControlActors>(*host, *ports.journal, *view.fold, *committer,
                                            std::move(control_options),
                                            view.fold->head(kControlPartition).epoch);
  PartitionOptions partition_options;
  partition_options.writer = writer;
  partition_options.part_bytes_min = options.part_bytes_min;
  partition_options.reservation_ended = ended_reservation;
  std::vector<Epoch> epochs;
  for (uint16_t p = 0; p < kPartitions; ++p)
    epochs.push_back(view.fold->head(PartitionId{p}).epoch);
  buckets = std::make_unique<BucketActors>(*host, ports.io, *view.kv, *committer,
                                           std::move(partition_options), epochs);
  control->set_partitions(buckets.get());
  if (!read_only.empty()) co_return Result<void>{};
  buckets->claim_all();
  co_return co_await control->catch_up(*view.kv);
}

Task<Result<void>> Node::Parts::record_drives() {
  const ClusterId recorded = control->state()->cluster;
  if (recorded.is_nil() && read_only.empty()) {
    ControlCommand create = CreateCluster{membership.cluster};
    auto created = co_await control->record(std::move(create));
    if (!created) co_return fail(created.error());
  }
  if (!recorded.is_nil() && recorded != membership.cluster)
    co_return fail(Errc::exists, "the journal is of another cluster than the drives");
  if (!read_only.empty()) {
    tell_of_missing_drives();
    co_return Result<void>{};
  }
  for (size_t i : unrecorded_drives()) {
    std::string label = places[i].drive->label();
    auto replaced = co_await forget_predecessors(std::move(label));
    if (!replaced)
      ports.log("goes on counting a drive that is not there: " + replaced.error().detail);
    ControlCommand add = AddDrive{places[i].id, places[i].drive->label()};
    before_step("drive.record");
    auto added = co_await control->record(std::move(add));
    if (!added) co_return fail(added.error());
    after_step("drive.record");
  }
  co_await forget_half_added();
  tell_of_missing_drives();
  co_return Result<void>{};
}

// What joined the journal in a process that ended before it was recorded, and is not here: nobody
// knows it, so nobody could remove it, and each start would need one drive more. It holds no set.
Task<void> Node::Parts::forget_half_added() {
  const auto state = control->state();
  const std::vector<DriveId> counted = journal->drives();
  for (DriveId id : counted) {
    if (state->drives.count(id)) continue;
    auto left = co_await journal->remove_drive(id);
    if (!left) ports.log("the journal counts a drive that is not there: " + left.error().detail);
  }
}

// Places of drives that are here and not yet known to the cluster.
std::vector<size_t> Node::Parts::unrecorded_drives() const {
  const auto state = control->state();
  std::vector<size_t> out;
  for (size_t i = 0; i < places.size(); ++i)
    if (!places[i].id.is_nil() && !state->drives.count(places[i].id)) out.push_back(i);
  return out;
}

Task<Result<void>> Node::Parts::start_disks() {
  std::vector<disk::PoolDrive> all;
  const auto state = control->state();
  const std::vector<DriveId>& left = journal->report().other_history;
  for (const auto& [id, label] : state->drives) {
    disk::PoolDrive drive{id, nullptr, {}};
    if (const DrivePlace* place = places.of(id))
      drive.drive = place->drive;
    else if (const DrivePlace* left_out = places.at(label); left_out && left_out->id.is_nil())
      drive.reason = left_out->refusal;
    if (std::find(left.begin(), left.end(), id) != left.end())
      drive.reason = journal::kOtherHistory;
    all.push_back(std::move(drive));
  }
  disks = std::make_unique<disk::DiskPool>(*ports.disk, *control, pool_options(), std::move(all));
  inline_bodies = disks->inline_bodies(*journal);
  live = std::make_unique<ViewLiveBodies>(*metadata);
  Result<void> started = co_await disks->start();
  if (!started) co_return started;
  disk::DiskPool* pool = disks.get();
  ViewLiveBodies* bodies = live.get();
  BucketActors* writer_of = buckets.get();
  ports.disk->post([pool, bodies, writer_of] { pool->begin_maintenance(*bodies, *writer_of); });
  co_return Result<void>{};
}

// Each loop admits its share: no lock, and loops get connections in turn.
s3::SessionOptions Node::Parts::session_options() const {
  s3::SessionOptions session;
  const auto loops = static_cast<uint32_t>(ports.io.size());
  session.admission.requests_max = std::max<uint32_t>(1, options.requests_max / loops);
  session.admission.waiting_max = std::max<uint32_t>(1, session.admission.waiting_max / loops);
  // What is left of uploads_bytes(). One request must fit into three quarters, whatever it is.
  session.admission.memory_bytes =
      std::max((s3::kRequestBytes + s3::kDocumentBytes) / 3 * 4,
               (options.request_memory_bytes - uploads_bytes()) / loops);
  return session;
}

void Node::Parts::make_servers() {
  store = std::make_unique<Store>(Store{*buckets, *control, *metadata, disks->blobs(),
                                        *inline_bodies, ports.clock, ports.random});
  keys = std::make_unique<NodeKeys>(*control, options.root_access_key, options.root_secret_key);
  s3::AuthSettings auth{options.s3.region, options.s3.region_strict};
  authenticator = std::make_unique<s3::Authenticator>(*keys, ports.clock, std::move(auth));
  handler = std::make_unique<S3Handler>(*store, options.s3, *authenticator, read_only);
  for (size_t io = 0; io < ports.io.size(); ++io) {
    std::function<void(const s3::RequestLogEntry&)> log;
    if (options.request_log)
      log = [this, io](const s3::RequestLogEntry& entry) { options.request_log(io, entry); };
    servers.push_back(std::make_unique<s3::HttpServer>(
        *ports.io[io], *handler, ports.random, session_options(),
        std::max<size_t>(1, options.connections_max / ports.io.size()), std::move(log)));
  }
  HousekeepingOptions house;
  house.interval_ns = options.housekeeping_ns;
  house.segments_max = segments_max();
  house.snapshot_chunk_bytes = options.snapshot_chunk_bytes;
  house.log = ports.log;
  house.on_view_failed = [this](Error error) { fatal(std::move(error)); };
  house.on_view_full = [this] {
    if (!view_may_move()) return;
    fatal(Error{Errc::no_space, "its drive is full, and another one is not"});
  };
  housekeeping = std::make_unique<Housekeeping>(*ports.journal, *journal, *view.fold, *view.kv,
                                                *control, *committer, *disks, std::move(house));
}

// Whether the next start finds room for the view on another drive than this one did.
// Not while its drive is a mirror of the journal: where too few others have room for the log the
// next start would only read, and here reads and deletions go on.
bool Node::Parts::view_may_move() const {
  const journal::JournalStatus status = journal->status();
  for (const auto& mirror : status.mirrors)
    if (mirror.drive == places[view.drive].id) return false;
  const std::vector<DriveId> offline = disks->offline();
  std::vector<size_t> online;
  for (size_t i = 0; i < ports.drives.size(); ++i) {
    const DriveId id = places[i].id;
    if (!id.is_nil() && std::find(offline.begin(), offline.end(), id) == offline.end())
      online.push_back(i);
  }
  return another_takes_view(ports, online, view.drive);
}

void Node::Parts::make_drive_watch() {
  DriveWatchPorts watch;
  watch.offline = [this] { return disks->offline(); };
  watch.parity = [this] { return std::min(parity(), journal->status().mirrors_wanted - 1); };
  watch.take_back = [this] { return read_only.empty() ? take_back() : await_drives(); };
  if (read_only.empty()) watch.tell_journal = [this] { return tell_journal(); };
  const DriveId view_id = places[view.drive].id;
  watch.view_left_behind = [this, view_id, mounted = places[view.drive].drive] {
    return places[view.drive].drive != mounted || places[view.drive].id != view_id;
  };
  watch.on_view_lost = [this](Error error) { fatal(std::move(error)); };
  drive_watch = std::make_unique<DriveWatch>(std::move(watch), view_id, options.drive_check_ns);
  view_watch = std::make_unique<ViewWatch>(
      places[view.drive].drive, ViewWatch::Times{options.drive_check_ns, options.drive_timeout_ns},
      [this](Error error) { fatal(std::move(error)); });
}

Task<Result<void>> Node::Parts::start() {
  writer = ports.random.uuid<WriterId>();
  for (auto step : {&Parts::identify, &Parts::open_journal, &Parts::open_view, &Parts::start_actors,
                    &Parts::record_drives, &Parts::start_disks}) {
    Result<void> done = co_await (this->*step)();
    if (!done) co_return done;
  }
  const bool writes = read_only.empty();
  if (writes) {
    std::vector<size_t> used = used_places();
    co_await remove_other_views(ports, std::move(used), view, options.drive_timeout_ns);
    co_await fit_journal();
  }
  make_servers();
  if (writes && options.housekeeping_ns > 0) spawn(*ports.journal, housekeeping->run());
  scrubber = std::make_unique<Scrubber>(*disks, *journal, *view.kv, options.scrub_interval_ns);
  if (writes && options.scrub_interval_ns > 0) spawn(*ports.journal, scrubber->run());
  make_drive_watch();
  if (options.drive_check_ns > 0) spawn(*ports.journal, drive_watch->run());
  if (options.drive_check_ns > 0) spawn(*ports.disk, view_watch->run());
  is_ready = true;
  co_return Result<void>{};
}

}  // namespace kura::node
