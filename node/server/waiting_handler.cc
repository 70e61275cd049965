#include "node/server/waiting_handler.h"

#include "admin/answer.h"
#include "admin/routes.h"

namespace kura::node {

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
  if (!head.path.starts_with(admin::kAdminPrefix))
    return s3::plain_error(error, head.method == "HEAD", head.path, request_id);
  auto verified = authenticator_.verify(head);
  error.message = "waiting for drives: " + what_;
  if (!verified) error = verified.error();
  return admin::error_response(error);
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
