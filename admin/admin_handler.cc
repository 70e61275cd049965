#include "admin/admin_handler.h"

#include "admin/answer.h"
#include "admin/routes.h"
#include "s3/auth/body.h"

namespace kura::admin {
namespace {

constexpr size_t kBodyBytesMax = 64 * 1024;

bool is_signed(const s3::RequestHead& head) {
  return head.headers.has("authorization") ||
         head.query.find("X-Amz-Signature") != std::string::npos;
}

// Errors that S3 has no answer for, because S3's clients never see them: the rest is S3's table.
struct OwnError {
  Errc code;
  std::string_view name;
  int status;
};
constexpr OwnError kOwnErrors[] = {{Errc::not_found, "NotFound", 404},
                                   {Errc::exists, "Exists", 409},
                                   {Errc::corrupt, "Corrupt", 500}};

// The administrator is told the cause, unlike a client of S3.
s3::S3Error error_of(const Error& error) {
  s3::S3Error told = s3::s3_error(error);
  for (const OwnError& own : kOwnErrors) {
    if (own.code != error.code) continue;
    told.code = own.name;
    told.status = own.status;
  }
  if (!error.detail.empty()) told.message = error.detail;
  return told;
}

// A path that is there with another method is 405, with the methods that it has.
s3::Response no_route(const std::string& path) {
  const std::string methods = methods_of(path);
  if (methods.empty())
    return error_response(error_of(Error{Errc::not_found, "no such resource of the admin API"}));
  s3::Response response =
      error_response(s3::s3_error("MethodNotAllowed", path + " takes " + methods));
  response.headers.add("allow", methods);
  return response;
}

// The whole body, as the JSON object that it must be; an empty body is an empty object.
Task<s3::S3Result<Json>> read_json(s3::BodySource& body) {
  std::string text;
  for (;;) {
    s3::S3Result<std::string> bytes = co_await body.next();
    if (!bytes) co_return s3::s3_fail(bytes.error());
    if (bytes->empty()) break;
    text += *bytes;
    if (text.size() > kBodyBytesMax) co_return s3::s3_fail("EntityTooLarge");
  }
  Json json = Json::object();
  if (!text.empty()) json = Json::parse(text, nullptr, false);
  if (!json.is_object()) co_return s3::s3_fail("InvalidRequest", "The body is not a JSON object");
  co_return json;
}

// The paths that ask whether this node serves. MinIO tells cluster and node apart; here they
// are one, but /minio/health/cluster also asks for writes (see handle()).
bool is_ready_path(std::string_view path) {
  return path == "/health/ready" || path == "/minio/health/ready" ||
         path == "/minio/health/cluster" || path == "/minio/health/cluster/read";
}

}  // namespace

bool AdminHandler::takes(const s3::RequestHead& head) const {
  const std::string_view path = head.path;
  if (path.starts_with(kAdminPrefix)) return true;
  if ((head.method != "GET" && head.method != "HEAD") || is_signed(head)) return false;
  return path == "/metrics" || path == "/health/live" || path == "/health/ready" ||
         path.substr(0, 14) == "/minio/health/";
}

Task<s3::Reply> AdminHandler::handle(const s3::RequestHead& head, s3::BodySource& body,
                                     const s3::ConnectionInfo& connection) {
  if (head.path.starts_with(kAdminPrefix)) co_return co_await admin(head, body);
  s3::Reply reply;
  reply.operation = "Health";
  if (head.path == "/metrics") {
    reply.operation = "Metrics";
    auto status = co_await backend_.counted_status();
    if (!status) {
      reply.response = error_response(error_of(status.error()));
      co_return reply;
    }
    std::string text = metrics_text(*status) + backend_.request_metrics();
    reply.response = text_response(200, "text/plain; version=0.0.4", std::move(text));
    co_return reply;
  }
  const bool live = head.path == "/health/live" || head.path == "/minio/health/live";
  if (!live && !is_ready_path(head.path)) {
    reply.response = text_response(404, "text/plain", "");
    co_return reply;
  }
  bool good = live || backend_.ready();
  // MinIO's name for its quorum to write; ".../cluster/read" is that to read.
  if (good && head.path == "/minio/health/cluster") good = co_await backend_.takes_writes();
  reply.response = text_response(good ? 200 : 503, "text/plain", "");
  co_return reply;
}

Task<s3::Reply> AdminHandler::admin(const s3::RequestHead& head, s3::BodySource& body) {
  s3::Reply reply;
  reply.operation = "Admin";
  s3::S3Result<s3::Response> response = co_await answer(head, body, reply);
  reply.response = response ? std::move(*response) : error_response(response.error());
  co_return reply;
}

Task<s3::S3Result<s3::Response>> AdminHandler::answer(const s3::RequestHead& head,
                                                      s3::BodySource& body, s3::Reply& reply) {
  auto verified = authenticator_.verify(head);
  if (!verified) co_return s3::s3_fail(verified.error());
  reply.access_key = verified->identity.access_key;
  if (!verified->identity.root)
    co_return s3::s3_fail("AccessDenied", "The admin API is for the root key");
  auto checked = s3::make_verified_body(body, head, *verified);
  if (!checked) co_return s3::s3_fail(checked.error());
  const std::string path = head.path.substr(kAdminPrefix.size());
  const Route* route = find_route(head.method, path);
  if (!route) co_return no_route(path);
  Call call;
  auto query = s3::parse_query(head.query);
  if (!query) co_return s3::s3_fail(query.error());
  call.query = std::move(*query);
  s3::S3Result<Json> document = co_await read_json(**checked);
  if (!document) co_return s3::s3_fail(document.error());
  call.body = std::move(*document);
  if (auto known = check_fields(*route, call.body); !known)
    co_return s3::s3_fail(error_of(known.error()));
  const bool dry = call.has("dry-run");
  if (dry && !route->dry_run)
    co_return s3::s3_fail("InvalidArgument", "There is no dry run of this");
  Result<Json> done = co_await (dry ? route->dry_run : route->handler)(backend_, call);
  if (!done) co_return s3::s3_fail(error_of(done.error()));
  if (dry) (*done)["dryRun"] = true;
  co_return json_response(*done);
}

}  // namespace kura::admin
