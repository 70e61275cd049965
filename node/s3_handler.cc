#include "node/s3_handler.h"

#include "s3/op/address.h"

namespace kura::node {

NodeKeys::NodeKeys(const Tenants& tenants, std::string root_access_key, std::string root_secret_key)
    : tenants_(tenants),
      root_access_key_(std::move(root_access_key)),
      root_secret_key_(std::move(root_secret_key)),
      box_(root_secret_key_, "kura access keys") {}

std::optional<s3::KeyRecord> NodeKeys::find(std::string_view access_key) const {
  s3::KeyRecord record;
  record.identity.access_key = std::string(access_key);
  if (access_key == root_access_key_) {
    record.secret = root_secret_key_;
    record.identity.root = true;
    record.identity.write = true;
    return record;
  }
  const auto state = tenants_.state();
  auto it = state->keys.find(record.identity.access_key);
  if (it == state->keys.end() || it->second.disabled) return std::nullopt;
  auto secret = box_.open(it->second.sealed_secret, access_key);
  if (!secret) return std::nullopt;
  record.secret = std::move(*secret);
  record.identity.write = it->second.access == v1::KeyCreated::READ_WRITE;
  record.identity.bucket = it->second.bucket;
  return record;
}

bool S3Handler::is_for_side(const s3::RequestHead& head) const {
  return side_ && side_->takes(head) &&
         s3::bucket_of_host(head.headers.get("host"), domains_).empty();
}

Task<s3::Reply> S3Handler::handle(const s3::RequestHead& head, s3::BodySource& body,
                                  const s3::ConnectionInfo& connection) {
  if (is_for_side(head)) co_return co_await side_->handle(head, body, connection);
  co_return co_await dispatcher_.handle(head, body, connection);
}

}  // namespace kura::node
