// S3Handler: sends each request to health, metrics and admin, or to S3. And the node's access keys.

#pragma once

#include <memory>

#include "actors/tenant/tenants.h"
#include "node/node.h"
#include "s3/auth/authenticator.h"
#include "s3/http/session.h"
#include "s3/op/dispatcher.h"
#include "security/sealed_box.h"

namespace kura::node {

// The root key of the configuration, and the enabled keys of the control state.
class NodeKeys final : public s3::KeyLookup {
 public:
  NodeKeys(const Tenants& tenants, std::string root_access_key, std::string root_secret_key);
  std::optional<s3::KeyRecord> find(std::string_view access_key) const override;
  const SealedBox& box() const { return box_; }

 private:
  const Tenants& tenants_;
  const std::string root_access_key_, root_secret_key_;
  SealedBox box_;
};

class S3Handler final : public s3::RequestHandler {
 public:
  // All references outlive it. `read_only`: why writes are refused; empty: they are not.
  S3Handler(Store& store, const s3::Settings& settings, s3::Authenticator& authenticator,
            std::string read_only)
      : dispatcher_(authenticator, store, settings, std::move(read_only)),
        domains_(settings.domains) {}

  void set_side_handler(SideHandler* side) { side_ = side; }
  Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                         const s3::ConnectionInfo& connection) override;
  bool always_admits(const s3::RequestHead& head) const override { return is_for_side(head); }

 private:
  bool is_for_side(const s3::RequestHead& head) const;

  s3::Dispatcher dispatcher_;
  const std::vector<std::string> domains_;  // Below them every path is a key.
  SideHandler* side_ = nullptr;
};

}  // namespace kura::node
