#include "node/waiting_handler.h"

namespace kura::node {

Task<s3::Reply> WaitingHandler::handle(const s3::RequestHead& head, s3::BodySource&,
                                       const s3::ConnectionInfo& connection) {
  s3::Reply reply;
  reply.operation = "Waiting";
  if (head.path == "/health/live" || head.path == "/minio/health/live") co_return reply;
  const s3::S3Error error = s3::s3_error("ServiceUnavailable");
  reply.response = s3::plain_error(error, head.method == "HEAD", head.path, connection.request_id);
  co_return reply;
}

}  // namespace kura::node
