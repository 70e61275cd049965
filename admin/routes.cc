#include "admin/routes.h"

#include <algorithm>

#include "s3/codec/encoding.h"

namespace kura::admin {
namespace {

constexpr uint64_t kRecordsDefault = 100, kRecordsMax = 1000;
constexpr uint64_t kBucketsPageMax = 500;  // About a millisecond of the loop that renders them.

template <class T>
Json list_json(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return {{"items", list}};
}

Task<Result<Json>> get_status(Backend& backend, const Call&) {
  auto status = co_await backend.counted_status();
  if (!status) co_return fail(status.error());
  co_return to_json(*status);
}

Task<Result<Json>> get_drives(Backend& backend, const Call&) {
  auto status = co_await backend.status();
  if (!status) co_return fail(status.error());
  co_return list_json(status->drives);
}

Task<Result<Json>> add_drive(Backend& backend, const Call& call) {
  const std::string path = call.field("path");
  std::string taken = path;
  auto id = co_await backend.add_drive(std::move(taken));
  if (!id) co_return fail(id.error());
  co_return Json{{"id", *id}, {"path", path}};
}

Task<Result<Json>> check_drive(Backend& backend, const Call& call) {
  const std::string path = call.field("path");
  std::string looked_at = path;
  auto id = co_await backend.check_drive(std::move(looked_at));
  if (!id) co_return fail(id.error());
  Json planned{{"path", path}};
  if (!id->empty()) planned["id"] = *id;
  co_return planned;
}

// The drive as it was listed.
Task<Result<Json>> find_removed_drive(Backend& backend, const Call& call) {
  std::string named = call.field("drive");
  auto lost = co_await backend.find_lost_drive(std::move(named));
  if (!lost) co_return fail(lost.error());
  co_return Json{{"id", lost->id}, {"path", lost->label}, {"reason", lost->reason}};
}

// And what follows.
Task<Result<Json>> check_remove_drive(Backend& backend, const Call& call) {
  auto lost = co_await find_removed_drive(backend, call);
  if (!lost) co_return fail(lost.error());
  std::string id = lost->at("id").get<std::string>();
  auto plan = co_await backend.plan_removal(std::move(id));
  if (!plan) co_return fail(plan.error());
  lost->update(to_json(*plan));
  co_return *lost;
}

Task<Result<Json>> remove_drive(Backend& backend, const Call& call) {
  auto lost = co_await find_removed_drive(backend, call);
  if (!lost) co_return fail(lost.error());
  std::string id = lost->at("id").get<std::string>();
  auto done = co_await backend.remove_drive(std::move(id));
  if (!done) co_return fail(done.error());
  (*lost)["removed"] = true;
  co_return *lost;
}

// With "next" in the answer there are more, behind it: it is the "after" of the next page.
Task<Result<Json>> get_buckets(Backend& backend, const Call& call) {
  const std::string max_text = call.get("max");
  const std::optional<uint64_t> most =
      max_text.empty() ? kBucketsPageMax : s3::parse_decimal(max_text);
  if (!most || *most == 0 || *most > kBucketsPageMax)
    co_return fail(Errc::invalid_argument, "max is a number from 1 to 500");
  std::string after = call.get("after");
  auto page = co_await backend.buckets(std::move(after), static_cast<uint32_t>(*most));
  if (!page) co_return fail(page.error());
  Json json = list_json(page->buckets);
  if (page->truncated) json["next"] = page->buckets.back().name;
  co_return json;
}

Task<Result<Json>> get_config(Backend& backend, const Call&) {
  co_return list_json(backend.settings());
}

Task<Result<Json>> get_places(Backend& backend, const Call& call) {
  std::string bucket = call.get("bucket"), key = call.get("key");
  auto places = co_await backend.where(std::move(bucket), std::move(key));
  if (!places) co_return fail(places.error());
  co_return list_json(*places);
}

Task<Result<Json>> get_journal_tail(Backend& backend, const Call& call) {
  const std::string from_text = call.get("from"), max_text = call.get("max");
  const std::optional<uint64_t> from = s3::parse_decimal(from_text);
  const std::optional<uint64_t> most =
      max_text.empty() ? kRecordsDefault : s3::parse_decimal(max_text);
  if ((!from && !from_text.empty()) || !most || *most == 0 || *most > kRecordsMax)
    co_return fail(Errc::invalid_argument, "from and max are numbers, max from 1 to 1000");
  auto records = co_await backend.tail(from, static_cast<uint32_t>(*most));
  if (!records) co_return fail(records.error());
  co_return list_json(*records);
}

Task<Result<Json>> get_view_digest(Backend& backend, const Call&) {
  auto digest = co_await backend.view_digest();
  if (!digest) co_return fail(digest.error());
  co_return Json{{"digest", *digest}};
}

Task<Result<Json>> get_keys(Backend& backend, const Call&) { co_return list_json(backend.keys()); }

Result<AccessKey> key_of(const Call& call) {
  AccessKey key;
  key.bucket = call.field("bucket");
  if (key.bucket.empty() && call.body.contains("bucket"))
    return fail(Errc::invalid_argument, "bucket is empty; without it the key is for all buckets");
  key.description = call.field("description");
  const std::string access = call.field("access");
  if (access == "read-only")
    key.access = v1::KeyCreated::READ_ONLY;
  else if (access == "read-write" || access.empty())
    key.access = v1::KeyCreated::READ_WRITE;
  else
    return fail(Errc::invalid_argument, "access is read-only or read-write");
  return key;
}

Task<Result<Json>> create_key(Backend& backend, const Call& call) {
  Result<AccessKey> key = key_of(call);
  if (!key) co_return fail(key.error());
  key->access_key = "KU" + backend.random_text(18);
  const std::string secret = backend.random_text(40);
  AccessKey wanted = *key;
  Result<void> done = co_await backend.create_key(std::move(wanted), secret);
  if (!done) co_return fail(done.error());
  Json created = to_json(*key);
  for (const AccessKey& known : backend.keys())
    if (known.access_key == key->access_key) created = to_json(known);
  created["secretKey"] = secret;
  co_return created;
}

Task<Result<Json>> check_create_key(Backend& backend, const Call& call) {
  Result<AccessKey> key = key_of(call);
  if (!key) co_return fail(key.error());
  Result<void> possible = backend.check_create_key(*key);
  if (!possible) co_return fail(possible.error());
  Json planned = to_json(*key);
  for (const char* later : {"accessKey", "createdAtMs", "disabled"}) planned.erase(later);
  co_return planned;
}

Task<Result<Json>> check_disable_key(Backend& backend, const Call& call) {
  const std::string access_key = call.field("accessKey");
  Result<void> possible = backend.check_disable_key(access_key);
  if (!possible) co_return fail(possible.error());
  Json planned;
  for (const AccessKey& known : backend.keys())
    if (known.access_key == access_key) planned = to_json(known);
  co_return planned;
}

Task<Result<Json>> disable_key(Backend& backend, const Call& call) {
  const std::string access_key = call.field("accessKey");
  std::string named = access_key;
  Result<void> done = co_await backend.disable_key(std::move(named));
  if (!done) co_return fail(done.error());
  co_return Json{{"accessKey", access_key}, {"disabled", true}};
}

Task<Result<Json>> start_scrub(Backend& backend, const Call&) {
  Result<void> done = co_await backend.start_scrub();
  if (!done) co_return fail(done.error());
  co_return Json{{"started", "scrub"}};
}

Task<Result<Json>> check_scrub(Backend& backend, const Call&) {
  auto status = co_await backend.status();
  if (!status) co_return fail(status.error());
  Json drives = Json::array();
  for (const DriveReport& drive : status->drives)
    if (drive.online) drives.push_back(drive.label);
  co_return Json{
      {"busy", status->scrub_busy}, {"plannedBytes", status->scrub_bytes_next}, {"drives", drives}};
}

// With "wait" the answer comes when no scrub runs, or after some seconds.
Task<Result<Json>> get_scrub(Backend& backend, const Call& call) {
  if (!call.get("wait").empty()) co_await backend.wait_for_scrub();
  auto status = co_await backend.status();
  if (!status) co_return fail(status.error());
  co_return scrub_json(*status);
}

Task<Result<Json>> housekeep(Backend& backend, const Call&) {
  Result<void> done = co_await backend.housekeep();
  if (!done) co_return fail(done.error());
  co_return Json{{"started", "housekeep"}};
}

}  // namespace

bool Call::has(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](auto& pair) { return pair.first == name; });
}

std::string Call::get(std::string_view name) const {
  for (const auto& [n, v] : query)
    if (n == name) return v;
  return {};
}

std::string Call::field(const char* name) const {
  auto it = body.find(name);
  return it != body.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const std::vector<Route>& routes() {
  static const std::vector<Route> table = {
      {"GET", "status", get_status},
      {"GET", "drives", get_drives},
      {"POST", "drives", add_drive, {"path"}, check_drive},
      {"POST", "drives/remove", remove_drive, {"drive"}, check_remove_drive},
      {"GET", "buckets", get_buckets},
      {"GET", "object/where", get_places},
      {"GET", "journal/tail", get_journal_tail},
      {"GET", "view/digest", get_view_digest},
      {"GET", "keys", get_keys},
      {"POST", "keys", create_key, {"access", "bucket", "description"}, check_create_key},
      {"POST", "keys/disable", disable_key, {"accessKey"}, check_disable_key},
      {"GET", "config", get_config},
      {"GET", "scrub", get_scrub},
      {"POST", "scrub", start_scrub, {}, check_scrub},
      {"POST", "housekeep", housekeep},
  };
  return table;
}

Result<void> check_fields(const Route& route, const Json& body) {
  for (auto it = body.begin(); it != body.end(); ++it) {
    if (std::find(route.fields.begin(), route.fields.end(), it.key()) == route.fields.end())
      return fail(Errc::invalid_argument, "there is no field '" + it.key() + "' here");
    if (!it->is_string()) return fail(Errc::invalid_argument, it.key() + " is not a text");
  }
  return {};
}

const Route* find_route(std::string_view method, std::string_view path) {
  const std::vector<Route>& all = routes();
  auto row = std::find_if(all.begin(), all.end(), [&](const Route& route) {
    return route.method == method && route.path == path;
  });
  return row == all.end() ? nullptr : &*row;
}

std::string methods_of(std::string_view path) {
  std::string methods;
  for (const Route& route : routes())
    if (route.path == path) methods += (methods.empty() ? "" : ", ") + std::string(route.method);
  return methods;
}

}  // namespace kura::admin
