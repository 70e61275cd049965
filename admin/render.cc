#include "admin/render.h"

namespace kura::admin {

Json document(const Json& fields) {
  Json out{{"apiVersion", "kura/v1"}};
  out.update(fields);
  return out;
}

Json to_json(const DriveReport& d) {
  return {{"id", d.id},
          {"path", d.label},
          {"online", d.online},
          {"reason", d.reason},
          {"totalBytes", d.total_bytes},
          {"freeBytes", d.free_bytes},
          {"mirror", d.mirror},
          {"view", d.view}};
}

Json to_json(const RemovalReport& r) {
  return {{"movedBytes", r.moved_bytes},
          {"roomBytes", r.room_bytes},
          {"fits", r.moved_bytes <= r.room_bytes},
          {"unreadableBytes", r.unreadable_bytes},
          {"parity", {{"STANDARD", r.standard_parity}, {"REDUCED_REDUNDANCY", r.reduced_parity}}},
          {"takesWrites", r.takes_writes}};
}

Json scrub_json(const StatusReport& s) {
  return {{"busy", s.scrub_busy},
          {"runs", s.scrub_runs},
          {"readBytes", s.scrub_bytes},
          {"plannedBytes", s.scrub_bytes_planned},
          {"error", s.scrub_error},
          {"damagedShards", s.scrub_damaged},
          {"repairedShards", s.repaired_shards},
          {"lostStripes", s.scrub_lost},
          {"damagedJournal", s.journal_damages},
          {"repairedJournal", s.journal_repairs},
          {"repairedIdentities", s.identity_repairs}};
}

Json to_json(const StatusReport& s) {
  Json drives = Json::array();
  for (const DriveReport& drive : s.drives) drives.push_back(to_json(drive));
  Json by_parity = Json::object();
  for (const auto& [parity, bytes] : s.bytes_by_parity)
    by_parity["EC:" + std::to_string(parity)] = bytes;
  return {{"version", s.version},
          {"cluster", s.cluster},
          {"state", s.state},
          {"readOnly", !s.why_read_only.empty()},
          {"readOnlyReason", s.why_read_only},
          {"uptimeSeconds", s.uptime_s},
          {"drives", drives},
          {"parity", {{"STANDARD", s.standard_parity}, {"REDUCED_REDUNDANCY", s.reduced_parity}}},
          {"sets",
           {{"open", s.sets_open},
            {"sealed", s.sets_sealed},
            {"membersMissing", s.members_missing},
            {"membersRebuilt", s.members_rebuilt},
            {"bytesBelowFullParity", s.bytes_below_full_parity},
            {"bytesUnreadable", s.bytes_unreadable},
            {"bytesByParity", by_parity}}},
          {"scrub", scrub_json(s)},
          {"journal",
           {{"start", s.journal_start},
            {"end", s.journal_end},
            {"segments", s.journal_segments},
            {"diskBytesPerMirror", s.journal_disk_bytes},
            {"generation", s.journal_generation},
            {"mirrors", s.journal_mirrors},
            {"mirrorsWanted", s.journal_mirrors_wanted},
            {"degraded", s.journal_degraded},
            {"degradedReason", s.journal_degraded_reason}}},
          {"view",
           {{"offset", s.view_offset},
            {"drive", s.view_drive},
            {"replayedRecords", s.view_replayed},
            {"fromSnapshot", s.view_from_snapshot},
            {"builtAnew", s.view_built_anew},
            {"snapshotDegraded", s.snapshot_degraded}}},
          {"usage", {{"buckets", s.buckets}, {"objects", s.objects}, {"bytes", s.bytes}}}};
}

Json to_json(const BucketReport& b) {
  return {{"name", b.name},
          {"objects", b.objects},
          {"versions", b.versions},
          {"bytes", b.bytes},
          {"uploads", b.uploads}};
}

Json to_json(const PlaceReport& p) {
  return {{"kind", p.kind},     {"set", p.set},
          {"offset", p.offset}, {"storedBytes", p.stored_bytes},
          {"part", p.part},     {"drives", p.drives}};
}

Json to_json(const RecordReport& r) {
  return {{"offset", r.offset},        {"partition", r.partition}, {"kind", r.kind},
          {"event", r.event},          {"epoch", r.epoch},         {"seq", r.seq},
          {"bodyBytes", r.body_bytes}, {"requestId", r.request_id}};
}

Json to_json(const SettingReport& s) {
  Json json{{"name", s.name}, {"value", s.value}, {"origin", s.origin}, {"source", s.source}};
  if (s.line > 0) json["line"] = s.line;
  return json;
}

Json to_json(const AccessKey& k) {
  return {{"accessKey", k.access_key},
          {"access", k.access == v1::KeyCreated::READ_ONLY ? "read-only" : "read-write"},
          {"bucket", k.bucket},
          {"description", k.description},
          {"createdAtMs", k.created_at_ms},
          {"disabled", k.disabled}};
}

namespace {

void family(std::string& out, const char* name, const char* type, const char* help) {
  out += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}
void one(std::string& out, const char* name, const char* type, const char* help, uint64_t value) {
  family(out, name, type, help);
  out += std::string(name) + " " + std::to_string(value) + "\n";
}

void drive_metrics(std::string& out, const StatusReport& s) {
  struct Column {
    const char* name;
    const char* help;
    uint64_t (*value)(const DriveReport&);
  };
  static constexpr Column kColumns[] = {
      {"kura_drive_up", "1 while the drive is online.",
       [](const DriveReport& d) { return uint64_t{d.online}; }},
      {"kura_drive_capacity_bytes", "Size of the drive's file system.",
       [](const DriveReport& d) { return d.total_bytes; }},
      {"kura_drive_free_bytes", "Free on the drive's file system.",
       [](const DriveReport& d) { return d.free_bytes; }}};
  for (const Column& column : kColumns) {
    family(out, column.name, "gauge", column.help);
    for (const DriveReport& drive : s.drives)
      out += std::string(column.name) + "{drive=\"" + drive.id + "\"} " +
             std::to_string(column.value(drive)) + "\n";
  }
}

void append_metrics(std::string& out, const StatusReport& s) {
  const char* name = "kura_journal_append_duration_seconds";
  family(out, name, "histogram", "From an append to its sync on every mirror.");
  uint64_t sum = 0;
  for (size_t i = 0; i < s.journal_append_us.size(); ++i) {
    sum += s.journal_append_us[i];
    const double bound = static_cast<double>(uint64_t{1} << i) / 1e6;
    out += std::string(name) + "_bucket{le=\"" + std::to_string(bound) + "\"} " +
           std::to_string(sum) + "\n";
  }
  out += std::string(name) + "_bucket{le=\"+Inf\"} " + std::to_string(s.journal_appends) + "\n";
  out += std::string(name) + "_sum " +
         std::to_string(static_cast<double>(s.journal_append_ns_sum) / 1e9) + "\n";
  out += std::string(name) + "_count " + std::to_string(s.journal_appends) + "\n";
}

}  // namespace

std::string metrics_text(const StatusReport& s) {
  std::string out;
  family(out, "kura_build_info", "gauge", "Constant 1, by version.");
  out += "kura_build_info{version=\"" + s.version + "\"} 1\n";
  drive_metrics(out, s);
  append_metrics(out, s);
  if (s.certificate_ends_s != 0)
    one(out, "kura_tls_certificate_not_after_seconds", "gauge",
        "Unix time until which the certificate is valid.",
        static_cast<uint64_t>(s.certificate_ends_s));
  one(out, "kura_journal_records_total", "counter", "Records appended.", s.journal_records);
  one(out, "kura_journal_syncs_total", "counter", "Syncs of journal files.", s.journal_syncs);
  one(out, "kura_journal_damages_total", "counter",
      "Places of the journal found wrong on one drive: at the start, by reads and by scrubs.",
      s.journal_damages);
  one(out, "kura_journal_repairs_total", "counter", "Places of the journal made right.",
      s.journal_repairs);
  one(out, "kura_journal_end_offset", "gauge", "Where the next record goes.", s.journal_end);
  one(out, "kura_journal_disk_bytes", "gauge", "On each mirror.", s.journal_disk_bytes);
  one(out, "kura_journal_degraded", "gauge",
      "1 while it has fewer mirrors than parity + 1 of the drives, no room for its mirror set, or "
      "a change of its mirrors got half-way.",
      s.journal_degraded ? 1 : 0);
  one(out, "kura_read_only", "gauge", "1 while nothing can be written.",
      s.why_read_only.empty() ? 0 : 1);
  one(out, "kura_view_snapshot_degraded", "gauge",
      "1 while a snapshot of the view survives the loss of fewer drives than a new one would.",
      s.snapshot_degraded ? 1 : 0);
  one(out, "kura_view_applied_offset", "gauge", "Last record that the view holds.", s.view_offset);
  one(out, "kura_view_replayed_records", "gauge", "Folded at the start of the process.",
      s.view_replayed);
  one(out, "kura_view_built_anew", "gauge",
      "1 if the view was built anew at the start of the process.", s.view_built_anew ? 1 : 0);
  one(out, "kura_sets_open", "gauge", "Segment sets that are written to.", s.sets_open);
  one(out, "kura_sets_sealed", "gauge", "Segment sets that are complete.", s.sets_sealed);
  one(out, "kura_bytes_below_full_parity", "gauge",
      "Live stored bytes in sets with a missing member.", s.bytes_below_full_parity);
  one(out, "kura_bytes_unreadable", "gauge",
      "Live stored bytes in sets that lack more members than they have parity.",
      s.bytes_unreadable);
  family(out, "kura_set_bytes", "gauge",
         "Live stored bytes in segment sets, by the parity that they were written with.");
  for (const auto& [parity, bytes] : s.bytes_by_parity)
    out +=
        "kura_set_bytes{parity=\"" + std::to_string(parity) + "\"} " + std::to_string(bytes) + "\n";
  one(out, "kura_set_members_missing", "gauge", "Member files that are not there.",
      s.members_missing);
  one(out, "kura_set_members_rebuilt_total", "counter", "Member files rebuilt.", s.members_rebuilt);
  one(out, "kura_scrub_runs_total", "counter", "Completed scrubs.", s.scrub_runs);
  one(out, "kura_scrub_damaged_shards_total", "counter", "Found by scrubs.", s.scrub_damaged);
  one(out, "kura_scrub_lost_stripes_total", "counter",
      "Stripes with live bytes that were found with too few shards to read them.", s.scrub_lost);
  one(out, "kura_drive_identity_repairs_total", "counter", "Damaged identity files rewritten.",
      s.identity_repairs);
  one(out, "kura_repaired_shards_total", "counter", "Shards rewritten.", s.repaired_shards);
  one(out, "kura_buckets", "gauge", "Buckets.", s.buckets);
  one(out, "kura_objects", "gauge", "Objects in all buckets.", s.objects);
  one(out, "kura_object_bytes", "gauge", "Bytes of all objects, as clients see them.", s.bytes);
  one(out, "kura_http_connections", "gauge", "Open connections.", s.connections);
  one(out, "kura_http_connections_refused_total", "counter", "Connections over the limit.",
      s.connections_refused);
  one(out, "kura_s3_requests_in_flight", "gauge", "Requests under way.", s.requests_in_flight);
  one(out, "kura_s3_requests_waiting", "gauge", "Requests that wait to be admitted.",
      s.requests_waiting);
  one(out, "kura_s3_requests_refused_total", "counter", "Requests refused with SlowDown.",
      s.requests_refused);
  one(out, "kura_s3_request_bytes", "gauge", "Memory charged to the requests under way.",
      s.request_bytes);
  return out;
}

}  // namespace kura::admin
