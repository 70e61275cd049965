#include "admin/admin_handler.h"

#include <algorithm>

#include "admin/render.h"
#include "s3/auth/body.h"
#include "s3/codec/encoding.h"
#include "s3/codec/uri.h"

namespace kura::admin {
namespace {

constexpr std::string_view kPrefix = "/kura/admin/v1/";
constexpr size_t kBodyBytesMax = 64 * 1024;

bool is_signed(const s3::RequestHead& head) {
  return head.headers.has("authorization") ||
         head.query.find("X-Amz-Signature") != std::string::npos;
}

s3::Response text_response(int status, std::string type, std::string body) {
  s3::Response response;
  response.status = status;
  response.headers.add("content-type", std::move(type));
  response.headers.add("cache-control", "no-store");
  response.body = std::move(body);
  return response;
}

s3::Response json_response(const Json& json, int status = 200) {
  return text_response(
      status, "application/json",
      json.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n");
}

struct Call {
  std::string method, path;  // Behind the prefix.
  s3::QueryParams query;
  Json body = Json::object();
  std::string get(std::string_view name) const {
    for (const auto& [n, v] : query)
      if (n == name) return v;
    return {};
  }
  std::string field(const char* name) const {
    auto it = body.find(name);
    return it != body.end() && it->is_string() ? it->get<std::string>() : std::string();
  }
};

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return 400;
    case Errc::not_found:
    case Errc::no_such_bucket:
    case Errc::no_such_key:
      return 404;
    case Errc::exists:
      return 409;
    case Errc::access_denied:
      return 403;
    case Errc::unavailable:
    case Errc::overloaded:
      return 503;
    case Errc::no_space:
      return 507;
    default:
      return 500;
  }
}

std::string_view code_name(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "InvalidArgument";
    case Errc::not_found:
      return "NotFound";
    case Errc::no_such_bucket:
      return "NoSuchBucket";
    case Errc::no_such_key:
      return "NoSuchKey";
    case Errc::exists:
      return "Exists";
    case Errc::unavailable:
      return "Unavailable";
    case Errc::no_space:
      return "NoSpace";
    case Errc::corrupt:
      return "Corrupt";
    default:
      return "InternalError";
  }
}

s3::Response error_response(const Error& error) {
  s3::Response response = json_response(
      {{"code", code_name(error.code)}, {"message", error.detail}}, status_of(error.code));
  response.error_code = std::string(code_name(error.code));
  return response;
}

template <class T>
Json list_json(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(to_json(item));
  return {{"apiVersion", "kura/v1"}, {"items", list}};
}

Result<AccessKey> key_of(const Call& call) {
  AccessKey key;
  key.bucket = call.field("bucket");
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

Task<Result<Json>> run_keys(Backend& backend, const Call& call) {
  if (call.method == "GET") co_return list_json(backend.keys());
  if (call.path == "keys/disable") {
    Result<void> done = co_await backend.disable_key(call.field("accessKey"));
    if (!done) co_return fail(done.error());
    co_return Json{{"accessKey", call.field("accessKey")}, {"disabled", true}};
  }
  Result<AccessKey> key = key_of(call);
  if (!key) co_return fail(key.error());
  key->access_key = "KU" + backend.random_text(18);
  const std::string secret = backend.random_text(40);
  Json created = to_json(*key);
  created["secretKey"] = secret;
  AccessKey wanted = std::move(*key);
  Result<void> done = co_await backend.create_key(std::move(wanted), secret);
  if (!done) co_return fail(done.error());
  co_return created;
}

Task<Result<Json>> run_reads(Backend& backend, const Call& call) {
  if (call.path == "status") {
    auto status = co_await backend.status();
    if (!status) co_return fail(status.error());
    co_return to_json(*status);
  }
  if (call.path == "drives") {
    auto status = co_await backend.status();
    if (!status) co_return fail(status.error());
    co_return list_json(status->drives);
  }
  if (call.path == "buckets") {
    auto buckets = co_await backend.buckets();
    if (!buckets) co_return fail(buckets.error());
    co_return list_json(*buckets);
  }
  if (call.path == "config") co_return list_json(backend.settings());
  if (call.path == "object/where") {
    auto places = co_await backend.where(call.get("bucket"), call.get("key"));
    if (!places) co_return fail(places.error());
    co_return list_json(*places);
  }
  if (call.path == "journal/tail") {
    const auto from = s3::parse_decimal(call.get("from").empty() ? "0" : call.get("from"));
    const auto most = s3::parse_decimal(call.get("max").empty() ? "20" : call.get("max"));
    if (!from || !most || *most == 0 || *most > 1000)
      co_return fail(Errc::invalid_argument, "from and max are numbers, max at most 1000");
    auto records = co_await backend.tail(*from, static_cast<uint32_t>(*most));
    if (!records) co_return fail(records.error());
    co_return list_json(*records);
  }
  if (call.path == "view/digest") {
    auto digest = co_await backend.view_digest();
    if (!digest) co_return fail(digest.error());
    co_return Json{{"apiVersion", "kura/v1"}, {"digest", *digest}};
  }
  co_return fail(Errc::not_found, "no such resource of the admin API");
}

Task<Result<Json>> run(Backend& backend, const Call& call) {
  if (call.path == "keys" || call.path == "keys/disable")
    co_return co_await run_keys(backend, call);
  if (call.method == "GET") co_return co_await run_reads(backend, call);
  if (call.method == "POST" && call.path == "drives") {
    auto id = co_await backend.add_drive(call.field("path"));
    if (!id) co_return fail(id.error());
    co_return Json{{"id", *id}, {"path", call.field("path")}};
  }
  if (call.method == "POST" && (call.path == "scrub" || call.path == "housekeep")) {
    Result<void> done;
    if (call.path == "scrub")
      done = co_await backend.start_scrub();
    else
      done = co_await backend.housekeep();
    if (!done) co_return fail(done.error());
    co_return Json{{"started", call.path}};
  }
  co_return fail(Errc::not_found, "no such resource of the admin API");
}

}  // namespace

bool AdminHandler::takes(const s3::RequestHead& head) const {
  const std::string_view path = head.path;
  if (path.substr(0, kPrefix.size()) == kPrefix) return true;
  if ((head.method != "GET" && head.method != "HEAD") || is_signed(head)) return false;
  return path == "/metrics" || path == "/health/live" || path == "/health/ready" ||
         path.substr(0, 14) == "/minio/health/";
}

Task<s3::Reply> AdminHandler::handle(const s3::RequestHead& head, s3::BodySource& body,
                                     const s3::ConnectionInfo& connection) {
  if (head.path.compare(0, kPrefix.size(), kPrefix) == 0)
    co_return co_await admin(head, body, connection);
  s3::Reply reply;
  reply.operation = "Health";
  if (head.path == "/metrics") {
    reply.operation = "Metrics";
    auto status = co_await backend_.status();
    if (!status) {
      reply.response = error_response(status.error());
      co_return reply;
    }
    std::string text = metrics_text(*status) + backend_.request_metrics();
    reply.response = text_response(200, "text/plain; version=0.0.4", std::move(text));
    co_return reply;
  }
  const bool live = head.path == "/health/live" || head.path == "/minio/health/live";
  const bool good = live || backend_.ready();
  reply.response = text_response(good ? 200 : 503, "text/plain", "");
  co_return reply;
}

Task<s3::Reply> AdminHandler::admin(const s3::RequestHead& head, s3::BodySource& body,
                                    const s3::ConnectionInfo& connection) {
  s3::Reply reply;
  reply.operation = "Admin";
  auto refuse = [&](const s3::S3Error& error) {
    reply.response =
        json_response({{"code", error.code}, {"message", error.message}}, error.status);
    reply.response.error_code = error.code;
    reply.response.close = error.close;
  };
  auto verified = authenticator_.verify(head);
  if (!verified) {
    refuse(verified.error());
    co_return reply;
  }
  reply.access_key = verified->identity.access_key;
  if (!verified->identity.root) {
    refuse(s3::s3_error("AccessDenied", "The admin API is for the root key"));
    co_return reply;
  }
  auto checked = s3::make_verified_body(body, head, *verified);
  if (!checked) {
    refuse(checked.error());
    co_return reply;
  }
  std::string text;
  for (;;) {
    s3::S3Result<std::string> bytes = co_await (*checked)->next();
    if (!bytes) {
      refuse(bytes.error());
      co_return reply;
    }
    if (bytes->empty()) break;
    text += *bytes;
    if (text.size() > kBodyBytesMax) {
      refuse(s3::s3_error("EntityTooLarge"));
      co_return reply;
    }
  }
  Call call;
  call.method = head.method;
  call.path = head.path.substr(kPrefix.size());
  auto query = s3::parse_query(head.query);
  if (!query) {
    refuse(query.error());
    co_return reply;
  }
  call.query = std::move(*query);
  if (!text.empty()) call.body = Json::parse(text, nullptr, false);
  if (!call.body.is_object()) {
    refuse(s3::s3_error("InvalidRequest", "The body is not a JSON object"));
    co_return reply;
  }
  Result<Json> answer = co_await run(backend_, call);
  reply.response = answer ? json_response(*answer) : error_response(answer.error());
  co_return reply;
}

}  // namespace kura::admin
