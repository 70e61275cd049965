// WaitingHandler: what clients hear from a node that lost more drives than it can spare and waits
// for them: 503, and that it lives. Whoever has the root key hears what it waits for, too.

#pragma once

#include <string>

#include "s3/auth/authenticator.h"
#include "s3/http/session.h"

namespace kura::node {

class WaitingHandler final : public s3::RequestHandler {
 public:
  // `what`: it waits for, with the names of drives. `authenticator` knows the root key only, and
  // outlives it.
  WaitingHandler(std::string what, s3::Authenticator& authenticator)
      : what_(std::move(what)), authenticator_(authenticator) {}
  Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                         const s3::ConnectionInfo& connection) override;

 private:
  s3::Response answer(const s3::RequestHead& head, const std::string& request_id);

  const std::string what_;
  s3::Authenticator& authenticator_;
};

// The root key and no other.
class RootKey final : public s3::KeyLookup {
 public:
  RootKey(std::string access_key, std::string secret)
      : access_key_(std::move(access_key)), secret_(std::move(secret)) {}
  std::optional<s3::KeyRecord> find(std::string_view access_key) const override;

 private:
  const std::string access_key_, secret_;
};

}  // namespace kura::node
