#include "node/server/admin_backend.h"

#include <deque>

#include "actors/disk/archive.h"
#include "actors/tenant/decide_control.h"
#include "node/scrubber.h"
#include "projections/metadata/fold.h"
#include "projections/metadata/view_scan.h"
#include "s3/codec/encoding.h"
#include "s3/op/lookup.h"

namespace kura::node {
namespace {

constexpr uint64_t kTailPageBytes = 256 * kKiB;
constexpr int kScrubNaps = 50;
constexpr int64_t kScrubNapNs = 100'000'000;
// About a millisecond; then others may have the loop, and those who serve the processor: whoever
// asks, a pass takes at most half of one.
constexpr size_t kScanRows = 1000;
constexpr int64_t kScanPauseNs = 1'000'000;
constexpr size_t kScanBuckets = 100;  // An iterator for each, as for a set.
constexpr size_t kScanSets = 100;

}  // namespace

NodeBackend::NodeBackend(Node& node, const Config& config, DriveFolders& folders, Loop& loop,
                         Loop& scan_loop, const admin::RequestMetrics& metrics,
                         const ProcessLog& log)
    : node_(node),
      config_(config),
      folders_(folders),
      loop_(loop),
      scan_loop_(scan_loop),
      metrics_(metrics),
      log_(log),
      started_ns_(loop.clock().monotonic_ns()) {}

Task<bool> NodeBackend::takes_writes() { return run_on(loop_, takes_writes_here()); }

Task<bool> NodeBackend::takes_writes_here() { co_return node_.why_read_only().empty(); }

// For what a node that started to read only could not even begin. Errors: unavailable.
Result<void> NodeBackend::check_writable() const {
  const std::string& why = node_.started_read_only();
  if (!why.empty()) return fail(Errc::unavailable, why);
  return {};
}

Task<Result<admin::StatusReport>> NodeBackend::status() { return run_on(loop_, status_here()); }

Task<Result<admin::StatusReport>> NodeBackend::counted_status() {
  auto out = co_await run_on(loop_, status_here());
  if (!out) co_return out;
  auto total = co_await run_on(scan_loop_, total_here());
  if (!total) co_return fail(total.error());
  out->objects = total->objects;
  out->bytes = total->bytes;
  auto by_parity = co_await run_on(scan_loop_, bytes_by_parity_here());
  if (!by_parity) co_return fail(by_parity.error());
  out->bytes_by_parity = std::move(*by_parity);
  co_return out;
}

// A set keeps the parity with which it was opened, however many drives there are later.
Task<Result<std::map<uint64_t, uint64_t>>> NodeBackend::bytes_by_parity_here() {
  std::map<uint64_t, uint64_t> bytes;
  const auto control = node_.tenants().state();
  size_t asked = 0;
  for (const auto& [id, set] : control->sets) {
    auto live = node_.store().view.live_bytes(id);
    if (!live) co_return fail(live.error());
    const auto archived = control->archived_bytes.find(id);
    if (archived != control->archived_bytes.end()) *live += archived->second;
    if (*live > 0) bytes[set.parity_shards] += *live;
    if (++asked % kScanSets == 0) co_await next_turn();
  }
  co_return bytes;
}

namespace {

void add_scrub(const Scrubber::Status& scrub, const disk::ScrubCounters& of_sets,
               admin::StatusReport& out) {
  out.scrub_busy = scrub.busy;
  out.scrub_runs = scrub.runs;
  out.scrub_error = scrub.last_error;
  out.scrub_damaged = of_sets.damaged_shards;
  out.scrub_lost = of_sets.lost_stripes;
  out.scrub_bytes = of_sets.run_bytes;
  out.scrub_bytes_planned = of_sets.run_bytes_planned;
  out.scrub_bytes_next = of_sets.next_run_bytes;
  out.identity_repairs = of_sets.repaired_identities;
  out.repaired_shards = of_sets.repaired_shards;
}

void add_journal(const journal::JournalStatus& journal, admin::StatusReport& out) {
  out.journal_start = journal.bounds.start.value;
  out.journal_end = journal.bounds.end.value;
  out.journal_segments = journal.segments;
  out.journal_disk_bytes = journal.disk_bytes;
  out.journal_generation = journal.generation;
  out.journal_appends = journal.appends;
  out.journal_records = journal.records;
  out.journal_syncs = journal.syncs;
  out.journal_damages = journal.damages;
  out.journal_repairs = journal.repairs;
  out.journal_append_ns_sum = journal.append_ns_sum;
  out.journal_append_us.assign(journal.append_us.begin(), journal.append_us.end());
  for (const auto& mirror : journal.mirrors) out.journal_mirrors.push_back(mirror.label);
}

}  // namespace

Task<Result<admin::StatusReport>> NodeBackend::status_here() {
  admin::StatusReport out;
  out.version = kVersion;
  if (tls_) out.certificate_ends_s = tls_->ends_s();
  out.uptime_s =
      static_cast<uint64_t>((loop_.clock().monotonic_ns() - started_ns_) / 1'000'000'000);
  const auto control = node_.tenants().state();
  out.cluster = to_hex(control->cluster);
  auto pool = co_await node_.disks().status();
  if (!pool) co_return fail(pool.error());
  bool degraded = pool->bytes_unreadable > 0;
  for (const disk::DriveStatus& drive : pool->drives) {
    degraded = degraded || !drive.online;
    std::string label = drive.label;
    const auto known = control->drives.find(drive.id);
    if (label.empty() && known != control->drives.end()) label = known->second;
    out.drives.push_back({.id = to_hex(drive.id),
                          .label = label,
                          .reason = drive.reason,
                          .online = drive.online,
                          .total_bytes = drive.space.total_bytes,
                          .free_bytes = drive.space.free_bytes});
  }
  out.standard_parity = pool->standard_parity;
  out.reduced_parity = pool->reduced_parity;
  out.sets_open = pool->sets_open;
  out.sets_sealed = pool->sets_sealed;
  out.bytes_below_full_parity = pool->bytes_below_full_parity;
  out.bytes_unreadable = pool->bytes_unreadable;
  out.members_missing = pool->members_missing;
  out.members_rebuilt = pool->members_rebuilt;
  add_scrub(node_.scrubber().status(), pool->scrub, out);
  out.identity_repairs += node_.identities_mended();
  const journal::JournalStatus journal = node_.journal().status();
  add_journal(journal, out);
  out.journal_mirrors_wanted = node_.mirrors_wanted();
  out.journal_degraded_reason = node_.journal_degraded_reason();
  out.journal_degraded = journal.degraded || !out.journal_degraded_reason.empty();
  const disk::KeptSnapshots kept = co_await node_.disks().kept_snapshots();
  out.snapshot_degraded = kept.outdone;
  degraded = degraded || out.journal_degraded || out.snapshot_degraded;
  const ViewRecovery view = node_.view_recovery();
  out.view_offset = node_.view_position().offset.value;
  out.view_drive = view.drive;
  out.view_replayed = view.replayed;
  out.view_from_snapshot = view.from_snapshot;
  out.view_built_anew = view.built_anew;
  for (admin::DriveReport& drive : out.drives) {
    drive.view = drive.online && drive.label == view.drive;
    for (const auto& mirror : journal.mirrors)
      drive.mirror = drive.mirror || to_hex(mirror.drive) == drive.id;
  }
  out.buckets = control->buckets.size();
  for (const auto& server : node_.servers()) {
    const s3::HttpServer::Counters counted = co_await server->counters();
    out.connections += counted.connections;
    out.requests_in_flight += counted.in_flight;
    out.connections_refused += counted.refused;
    out.requests_waiting += counted.admission.waiting;
    out.requests_refused += counted.admission.refused;
    out.request_bytes += counted.admission.held_bytes;
  }
  out.why_read_only = node_.why_read_only();
  out.state = !node_.ready()               ? "starting"
              : !out.why_read_only.empty() ? "read-only"
              : degraded                   ? "degraded"
                                           : "ready";
  co_return out;
}

// Whoever asks while a pass runs waits for the next one, with all others who do: so there is one
// at a time however many ask, and each answer is of a moment after its question.
Task<Result<BucketCounters>> NodeBackend::total_here() {
  co_return co_await suspend<Result<BucketCounters>>([this](Resolver<Result<BucketCounters>> r) {
    totals_wanted_.push_back(r);
    if (!std::exchange(scanning_, true)) spawn(scan_loop_, scan_totals());
  });
}

Task<void> NodeBackend::scan_totals() {
  while (!totals_wanted_.empty()) {
    const auto asked = std::exchange(totals_wanted_, {});
    CounterScan scan(node_.view_kv());
    Result<bool> all = scan.step(kScanRows);
    while (all && !*all) {
      co_await sleep_for(kScanPauseNs);
      all = scan.step(kScanRows);
    }
    for (const auto& resolve : asked)
      resolve(all ? Result<BucketCounters>(scan.total()) : fail(all.error()));
  }
  scanning_ = false;
}

Task<Result<admin::BucketPage>> NodeBackend::buckets(std::string after, uint32_t buckets_max) {
  return run_on(scan_loop_, buckets_here(std::move(after), buckets_max));
}

Task<Result<admin::BucketPage>> NodeBackend::buckets_here(std::string after, uint32_t buckets_max) {
  admin::BucketPage out;
  const auto control = node_.tenants().state();
  for (auto it = control->buckets.upper_bound(after); it != control->buckets.end(); ++it) {
    out.truncated = out.buckets.size() == buckets_max;
    if (out.truncated) break;
    auto counters = node_.store().view.counters(it->second.id);
    if (!counters) co_return fail(counters.error());
    out.buckets.push_back(
        {it->first, counters->objects, counters->versions, counters->bytes, counters->uploads});
    if (out.buckets.size() % kScanBuckets == 0) co_await next_turn();
  }
  co_return out;
}

namespace {

std::vector<std::string> labels_of(SetId id, const ControlState& control) {
  std::vector<std::string> out;
  auto set = control.sets.find(id);
  if (set == control.sets.end()) return out;
  for (const DriveId& member : set->second.members) {
    auto drive = control.drives.find(member);
    out.push_back(drive == control.drives.end() ? to_hex(member) : drive->second);
  }
  return out;
}

// Where the record of an inline body begins, once the log is cut behind it.
void add_archived(const v1::JournalBody& body, const ArchivedLog& piece, uint32_t part,
                  const ControlState& control, std::vector<admin::PlaceReport>& out) {
  const uint64_t at = body.offset() - piece.from.value;
  for (const disk::Span& span : disk::spans_of(control, piece.body, at, body.length())) {
    admin::PlaceReport place;
    place.kind = "archived";
    place.set = span.set.value;
    place.offset = span.offset;
    place.stored_bytes = span.bytes;
    place.part = part;
    place.drives = labels_of(span.set, control);
    out.push_back(std::move(place));
  }
}

// `log`: where the log begins.
void add_places(const v1::Body& body, uint32_t part, const ControlState& control, Offset log,
                const std::vector<std::string>& mirrors, std::vector<admin::PlaceReport>& out) {
  const auto piece = body.has_journal() && Offset(body.journal().offset()) < log
                         ? control.find_archived(Offset(body.journal().offset()))
                         : nullptr;
  if (piece) {
    add_archived(body.journal(), *piece, part, control, out);
  } else if (body.has_journal() && body.journal().length() > 0) {
    admin::PlaceReport place;
    place.kind = "journal";
    place.offset = body.journal().offset();
    place.stored_bytes = body.journal().length();
    place.part = part;
    place.drives = mirrors;
    out.push_back(std::move(place));
  }
  for (const v1::Extent& extent : body.extents()) {
    admin::PlaceReport place;
    place.kind = extent.layout() == v1::Extent::PACKED ? "packed" : "striped";
    place.set = extent.set();
    place.offset = extent.offset();
    place.stored_bytes = extent.stored_bytes();
    place.part = part;
    place.drives = labels_of(SetId{extent.set()}, control);
    out.push_back(std::move(place));
  }
}

}  // namespace

Task<Result<Offset>> NodeBackend::log_start_here() { co_return node_.journal().bounds().start; }

Task<Result<std::vector<admin::PlaceReport>>> NodeBackend::where(std::string bucket,
                                                                 std::string key) {
  const auto control = node_.tenants().state();
  const Bucket* found = control->find_bucket(bucket);
  if (!found) co_return fail(Errc::no_such_bucket, "no bucket '" + bucket + "'");
  auto version = node_.store().view.current(found->id, key);
  if (!version) co_return fail(version.error());
  if (!*version) co_return fail(Errc::no_such_key, "no object '" + key + "'");
  auto report = co_await status();
  if (!report) co_return fail(report.error());
  auto log = co_await run_on(loop_, log_start_here());
  if (!log) co_return fail(log.error());
  auto parts = s3::parts_of(node_.store().view, **version);
  if (!parts && parts.error().code == Errc::not_found)
    co_return fail(Errc::unavailable, "the object was just overwritten or deleted");
  if (!parts) co_return fail(parts.error());
  std::vector<admin::PlaceReport> out;
  add_places((*version)->body(), 0, *control, *log, report->journal_mirrors, out);
  for (const v1::Part& part : *parts)
    add_places(part.body(), part.number(), *control, *log, report->journal_mirrors, out);
  co_return out;
}

namespace {

admin::RecordReport report_of(const journal::StoredRecord& stored) {
  static constexpr const char* kKinds[] = {"", "claim", "event", "noop", "release"};
  const journal::Record& r = stored.record;
  admin::RecordReport report;
  report.offset = stored.offset.value;
  report.partition = r.partition.value;
  report.epoch = r.epoch.value;
  report.seq = r.seq;
  report.body_bytes = r.body.size();
  report.request_id = to_hex(r.request_id);
  report.kind = kKinds[static_cast<int>(r.kind)];
  if (r.kind != journal::RecordKind::event) return report;
  auto event = parse_event(r.payload);
  if (!event) return report;
  const auto* field = v1::Event::descriptor()->FindFieldByNumber(event->event_case());
  report.event = field ? field->name() : "unknown";
  return report;
}

// Where to begin to read: records can only be found from the start of their segment on.
Offset start_of_segment(const std::vector<journal::SegmentSpan>& segments, uint64_t offset) {
  Offset start = segments.front().start;
  for (const journal::SegmentSpan& segment : segments)
    if (segment.start.value <= offset) start = segment.start;
  return start;
}

}  // namespace

Task<Result<std::vector<admin::RecordReport>>> NodeBackend::tail(std::optional<uint64_t> from,
                                                                 uint32_t records_max) {
  return run_on(loop_, tail_here(from, records_max));
}

Task<Result<std::vector<admin::RecordReport>>> NodeBackend::tail_here(std::optional<uint64_t> from,
                                                                      uint32_t records_max) {
  const std::vector<journal::SegmentSpan> segments = node_.journal().segments();
  const Offset end = node_.journal().bounds().end;
  std::deque<admin::RecordReport> out;
  // Without an offset: the last segment, and those before it while there are too few records.
  size_t segment = segments.size() - 1;
  Offset begin = from ? start_of_segment(segments, *from) : segments[segment].start;
  Offset stop = end;
  for (;;) {
    std::deque<admin::RecordReport> found;
    Offset at = begin;
    while (at < stop) {
      auto records = co_await node_.journal().read(at, kTailPageBytes);
      if (!records) co_return fail(records.error());
      if (records->empty()) break;
      for (const journal::StoredRecord& stored : *records) {
        if (stored.offset < stop && (!from || stored.offset.value >= *from))
          found.push_back(report_of(stored));
        if (from && found.size() == records_max) break;
        if (found.size() + out.size() > records_max) found.pop_front();
      }
      if (from && found.size() == records_max) break;
      at = records->back().end;
    }
    out.insert(out.begin(), found.begin(), found.end());
    if (from || out.size() >= records_max || segment == 0) break;
    stop = segments[segment].start;
    begin = segments[--segment].start;
  }
  co_return std::vector<admin::RecordReport>(out.begin(), out.end());
}

Task<Result<void>> NodeBackend::create_key(AccessKey key, std::string secret) {
  if (auto writable = check_writable(); !writable) co_return writable;
  if (key.access_key == config_.root_access_key) co_return fail(Errc::exists, "the root key");
  key.sealed_secret = node_.seal_secret(key.access_key, secret);
  AccessKey sealed = std::move(key);
  co_return co_await node_.tenants().create_key(std::move(sealed));
}

Task<Result<void>> NodeBackend::disable_key(std::string access_key) {
  if (auto writable = check_writable(); !writable) co_return writable;
  co_return co_await node_.tenants().disable_key(std::move(access_key));
}

Result<void> NodeBackend::check(const ControlCommand& command) const {
  if (auto writable = check_writable(); !writable) return writable;
  auto event = decide_control(*node_.tenants().state(), command, 0);
  if (!event) return fail(event.error());
  return {};
}

Result<void> NodeBackend::check_create_key(AccessKey key) const {
  return check(CreateKey{std::move(key)});
}

Result<void> NodeBackend::check_disable_key(std::string access_key) const {
  return check(DisableKey{std::move(access_key)});
}

std::vector<AccessKey> NodeBackend::keys() const {
  std::vector<AccessKey> out;
  for (const auto& [id, key] : node_.tenants().state()->keys) {
    out.push_back(key);
    out.back().disabled = !node_.keys().find(id);  // One sealed under another root secret is, too.
  }
  return out;
}

std::vector<admin::SettingReport> NodeBackend::settings() const {
  std::vector<admin::SettingReport> out;
  for (const Setting& s : config_.settings)
    out.push_back({s.name, s.secret && !s.value.empty() ? "(set)" : s.value,
                   std::string(name_of(s.origin)), s.source, s.line});
  return out;
}

Task<Result<void>> NodeBackend::start_scrub() { return run_on(loop_, start_scrub_here()); }

Task<Result<void>> NodeBackend::start_scrub_here() {
  if (auto writable = check_writable(); !writable) co_return writable;
  node_.scrubber().request();
  co_return Result<void>{};
}

Task<void> NodeBackend::wait_for_scrub() {
  for (int nap = 0; nap < kScrubNaps; ++nap) {
    auto busy = co_await run_on(loop_, scrub_busy_here());
    if (!busy) break;
    co_await sleep_for(kScrubNapNs);
  }
}

Task<bool> NodeBackend::scrub_busy_here() { co_return node_.scrubber().status().busy; }

Task<Result<void>> NodeBackend::housekeep() {
  if (auto writable = check_writable(); !writable) co_return writable;
  Task<Result<void>> pass = node_.housekeep_now();
  co_return co_await run_on(loop_, std::move(pass));
}

Task<Result<std::string>> NodeBackend::view_digest() {
  return run_on(scan_loop_, view_digest_here());
}

Task<Result<std::string>> NodeBackend::view_digest_here() {
  DigestScan scan(node_.view_kv());
  Result<bool> all = scan.step(kScanRows);
  while (all && !*all) {
    co_await sleep_for(kScanPauseNs);
    all = scan.step(kScanRows);
  }
  if (!all) co_return fail(all.error());
  co_return s3::hex_encode(scan.digest().value);
}

std::string NodeBackend::request_metrics() const {
  return metrics_.text() +
         "# HELP kura_log_dropped_lines_total Lines of the log that stderr did not take in time.\n"
         "# TYPE kura_log_dropped_lines_total counter\nkura_log_dropped_lines_total " +
         std::to_string(log_.dropped()) + "\n";
}

std::string NodeBackend::random_text(size_t characters) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string text;
  for (size_t i = 0; i < characters; ++i)
    text += kAlphabet[node_.store().random.below(sizeof kAlphabet - 1)];
  return text;
}

}  // namespace kura::node
