// What the admin API needs of the running node. The node implements it; the handler renders it.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "projections/control/control_state.h"

namespace kura::admin {

struct DriveReport {
  std::string id, label, reason;
  bool online = false;
  bool mirror = false, view = false;  // It holds a mirror of the journal, the metadata view.
  uint64_t total_bytes = 0, free_bytes = 0;
};

// What happens when a lost drive is forgotten now.
struct RemovalReport {
  uint64_t moved_bytes = 0, room_bytes = 0, unreadable_bytes = 0;
  uint64_t standard_parity = 0, reduced_parity = 0;
  bool takes_writes = false;
};

struct StatusReport {
  std::string version, cluster, state;  // "ready", "degraded", "read-only", "starting".
  std::string why_read_only;            // Empty: it takes writes.
  uint64_t uptime_s = 0;
  int64_t certificate_ends_s = 0;  // Unix time; 0: it serves without one.
  std::vector<DriveReport> drives;
  uint64_t standard_parity = 0, reduced_parity = 0;
  uint64_t sets_open = 0, sets_sealed = 0, bytes_below_full_parity = 0, members_missing = 0;
  uint64_t bytes_unreadable = 0;  // Live stored bytes in sets with too few members.
  uint64_t members_rebuilt = 0, scrub_runs = 0, scrub_damaged = 0, scrub_lost = 0;
  uint64_t repaired_shards = 0, identity_repairs = 0;
  uint64_t scrub_bytes = 0, scrub_bytes_planned = 0;  // Of the sets, by the run under way.
  uint64_t scrub_bytes_next = 0;                      // By one that would begin now.
  bool scrub_busy = false;
  std::string scrub_error;  // Of the last completed scrub.
  uint64_t journal_start = 0, journal_end = 0, journal_segments = 0, journal_disk_bytes = 0;
  uint64_t journal_generation = 0, journal_appends = 0, journal_records = 0, journal_syncs = 0;
  uint64_t journal_damages = 0, journal_repairs = 0, journal_append_ns_sum = 0;
  std::vector<uint64_t> journal_append_us;  // [i]: appends below 2^i us.
  std::vector<std::string> journal_mirrors;
  uint64_t journal_mirrors_wanted = 0;
  bool journal_degraded = false;
  std::string journal_degraded_reason;  // Empty: it is not.
  // A snapshot of the view survives the loss of fewer drives than parity, until there is a new one.
  bool snapshot_degraded = false;
  uint64_t view_offset = 0;
  std::string view_drive;      // Label.
  uint64_t view_replayed = 0;  // Records folded at the start of the process.
  bool view_from_snapshot = false, view_built_anew = false;
  uint64_t buckets = 0;
  uint64_t objects = 0, bytes = 0;               // Of counted_status(), as the next.
  std::map<uint64_t, uint64_t> bytes_by_parity;  // Live stored bytes in sets, by parity shards.
  uint64_t connections = 0, connections_refused = 0;
  uint64_t requests_in_flight = 0, requests_waiting = 0, requests_refused = 0;
  uint64_t request_bytes = 0;  // Charged to the requests under way.
};

struct BucketReport {
  std::string name;
  uint64_t objects = 0, versions = 0, bytes = 0, uploads = 0;
};

struct BucketPage {
  std::vector<BucketReport> buckets;  // By name.
  bool truncated = false;
};

struct PlaceReport {
  std::string kind;  // "journal", "archived", "packed", "striped".
  uint64_t offset = 0, stored_bytes = 0;
  uint32_t set = 0, part = 0;
  std::vector<std::string> drives;  // Labels, by member; of a journal record: its mirrors.
};

struct RecordReport {
  uint64_t offset = 0, epoch = 0, seq = 0, body_bytes = 0;
  uint32_t partition = 0;
  std::string kind, event, request_id;
};

struct SettingReport {
  std::string name, value, origin, source;
  uint32_t line = 0;  // Of the file that is the source; 0: it is none.
};

// All Tasks may be awaited from any loop.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual bool ready() const = 0;  // For reads. From any thread.
  virtual Task<bool> takes_writes() = 0;
  virtual Task<Result<StatusReport>> status() = 0;
  // With objects and bytes, which costs a pass over the counters of all buckets and sets.
  virtual Task<Result<StatusReport>> counted_status() = 0;
  // At most `buckets_max` with names behind `after`.
  virtual Task<Result<BucketPage>> buckets(std::string after, uint32_t buckets_max) = 0;
  virtual Task<Result<std::string>> add_drive(std::string path) = 0;  // The drive's id.
  // What add_drive() finds before it changes anything. Empty: the drive would get an id.
  virtual Task<Result<std::string>> check_drive(std::string path) = 0;
  // The drive of this id or, if it alone is offline there, path. Errors: not_found, exists (it is
  // online), invalid_argument (several were at that path).
  virtual Task<Result<DriveReport>> find_lost_drive(std::string id_or_path) = 0;
  virtual Task<Result<void>> remove_drive(std::string id) = 0;           // Of find_lost_drive().
  virtual Task<Result<RemovalReport>> plan_removal(std::string id) = 0;  // Of find_lost_drive().
  virtual Task<Result<std::vector<PlaceReport>>> where(std::string bucket, std::string key) = 0;
  // The first records at or behind `from`; without it the last of the log.
  virtual Task<Result<std::vector<RecordReport>>> tail(std::optional<uint64_t> from,
                                                       uint32_t records_max) = 0;
  virtual Task<Result<void>> create_key(AccessKey key, std::string secret) = 0;
  virtual Task<Result<void>> disable_key(std::string access_key) = 0;
  // The errors of these two, of all but the journal.
  virtual Result<void> check_create_key(AccessKey key) const = 0;
  virtual Result<void> check_disable_key(std::string access_key) const = 0;
  virtual std::vector<AccessKey> keys() const = 0;
  virtual std::vector<SettingReport> settings() const = 0;
  virtual Task<Result<void>> start_scrub() = 0;
  virtual Task<void> wait_for_scrub() = 0;  // Some seconds at most.
  virtual Task<Result<void>> housekeep() = 0;
  virtual Task<Result<std::string>> view_digest() = 0;     // Hex.
  virtual std::string random_text(size_t characters) = 0;  // For keys.
  virtual std::string request_metrics() const = 0;         // Prometheus text.
};

}  // namespace kura::admin
