#include "node/waiting_handler.h"

#include <nlohmann/json.hpp>

namespace kura::node {
namespace {

constexpr std::string_view kAdminPrefix = "/kura/admin/v1/";

}  // namespace

Task<s3::Reply> WaitingHandler::handle(const s3::RequestHead& head, s3::BodySource&,
                                       const s3::ConnectionInfo& connection) {
  s3::Reply reply;
  reply.operation = "Waiting";
  const bool asks_for_life = head.path == "/health/live" || head.path == "/minio/health/live";
  if (!asks_for_life) reply.response = answer(head, connection.request_id);
  reply.response.close = true;  // Another process is about to look again.
  co_return reply;
}

s3::Response WaitingHandler::answer(const s3::RequestHead& head, const std::string& request_id) {
  s3::S3Error error =
      s3::s3_error("ServiceUnavailable", "The node waits for drives, or for room on them.");
  if (!head.path.starts_with(kAdminPrefix))
    return s3::plain_error(error, head.method == "HEAD", head.path, request_id);
  auto verified = authenticator_.verify(head);
  error.message = "waiting for drives: " + what_;
  if (!verified) error = verified.error();
  const nlohmann::ordered_json document{
      {"apiVersion", "kura/v1"}, {"code", error.code}, {"message", error.message}};
  s3::Response response;
  response.status = error.status;
  response.error_code = error.code;
  response.headers.add("content-type", "application/json");
  response.body =
      document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return response;
}

std::optional<s3::KeyRecord> RootKey::find(std::string_view access_key) const {
  if (access_key != access_key_) return std::nullopt;
  s3::KeyRecord record;
  record.secret = secret_;
  record.identity.access_key = access_key_;
  record.identity.root = record.identity.write = true;
  return record;
}

}  // namespace kura::node
