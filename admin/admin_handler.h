// AdminHandler: health, metrics and the admin API under /kura/admin/v1 (JSON; SigV4 by the root
// key). The resources are in admin/routes.cc.

#pragma once

#include "admin/backend.h"
#include "s3/auth/authenticator.h"
#include "s3/http/session.h"

namespace kura::admin {

class AdminHandler {
 public:
  // Both outlive it.
  AdminHandler(Backend& backend, s3::Authenticator& authenticator)
      : backend_(backend), authenticator_(authenticator) {}

  // Whether the request is for this handler and not for S3.
  bool takes(const s3::RequestHead& head) const;
  Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                         const s3::ConnectionInfo& connection);

 private:
  Task<s3::Reply> admin(const s3::RequestHead& head, s3::BodySource& body);
  Task<s3::S3Result<s3::Response>> answer(const s3::RequestHead& head, s3::BodySource& body,
                                          s3::Reply& reply);

  Backend& backend_;
  s3::Authenticator& authenticator_;
};

}  // namespace kura::admin
