// From the head of a request to its answer: signature, address, route, permission, body, operation,
// error document. The one handler behind the HTTP sessions that speaks S3.

#pragma once

#include "s3/auth/authenticator.h"
#include "s3/http/session.h"
#include "s3/op/operation.h"

namespace kura::s3 {

class Dispatcher final : public RequestHandler {
 public:
  // All of them outlive it. `read_only`: why writes are refused; empty: they are not. From any
  // loop.
  Dispatcher(Authenticator& authenticator, Store& store, const Settings& settings,
             std::string read_only = {})
      : authenticator_(authenticator),
        context_{store, settings},
        read_only_(std::move(read_only)) {}

  Task<Reply> handle(const RequestHead& head, BodySource& body,
                     const ConnectionInfo& connection) override;

 private:
  // What handle() does, with the error still an error. Fills in the rest of `reply` as it learns
  // it.
  Task<S3Result<Response>> answer(const RequestHead& head, BodySource& body,
                                  const ConnectionInfo& connection, Reply& reply);

  Authenticator& authenticator_;
  Context context_;
  const std::string read_only_;
};

}  // namespace kura::s3
