// AdminClient: the command line's way to a running node, over the signed admin API.

#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace kura::node {

struct AdminTarget {
  std::string endpoint = "http://127.0.0.1:9000";  // http:// or https://host:port
  std::string access_key, secret_key;
  std::string region = "us-east-1";  // Of the signature: a node with --region-strict wants its own.
  std::string ca_path;
  bool insecure = false;
  std::string endpoint_source = "--endpoint", ca_source = "--ca-cert";  // For errors.
  uint32_t timeout_s = 60;
};

// What the node itself says of a request that it refused; empty where none answered.
struct AdminFailure {
  std::string code;  // "NoSuchKey"
  std::string request_id;
};

// One request; blocks. `body` null: none. Errors: unavailable (no answer), timed_out,
// access_denied, and those that the node names; the detail is for a person.
Result<nlohmann::ordered_json> admin_request(const AdminTarget& target, const std::string& method,
                                             const std::string& path_and_query,
                                             const nlohmann::ordered_json& body,
                                             AdminFailure* failure);

}  // namespace kura::node
