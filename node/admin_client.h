// AdminClient: the command line's way to a running node, over the signed admin API.

#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace kura::node {

struct AdminTarget {
  std::string endpoint = "http://127.0.0.1:9000";  // http:// or https://host:port
  std::string access_key, secret_key;
  std::string ca_path;
  bool insecure = false;
};

// One request; blocks. `body` null: none. Errors: unavailable (no answer), access_denied, and those
// that the node names; the detail is for a person.
Result<nlohmann::ordered_json> admin_request(const AdminTarget& target, const std::string& method,
                                             const std::string& path_and_query,
                                             const nlohmann::ordered_json& body);

}  // namespace kura::node
