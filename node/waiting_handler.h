// WaitingHandler: what clients hear from a node that lost more drives than it can spare and waits
// for them: 503, and that it lives.

#pragma once

#include "s3/http/session.h"

namespace kura::node {

class WaitingHandler final : public s3::RequestHandler {
 public:
  Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                         const s3::ConnectionInfo& connection) override;
};

}  // namespace kura::node
