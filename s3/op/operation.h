// What an S3 operation gets and gives. One file per operation; routes.cc lists them all.

#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/store.h"
#include "base/task.h"
#include "s3/auth/identity.h"
#include "s3/http/message.h"

namespace kura::s3 {

// Decoded query parameters in the order sent.
class Query {
 public:
  void add(std::string name, std::string value) {
    params_.emplace_back(std::move(name), std::move(value));
  }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  // Empty view when absent.
  std::string_view get(std::string_view name) const {
    const std::string* value = find(name);
    return value ? std::string_view(*value) : std::string_view();
  }
  const std::vector<std::pair<std::string, std::string>>& all() const { return params_; }

 private:
  const std::string* find(std::string_view name) const {
    for (const auto& [n, v] : params_)
      if (n == name) return &v;
    return nullptr;
  }
  std::vector<std::pair<std::string, std::string>> params_;
};

struct Request {
  const RequestHead& head;
  Query query;
  std::string bucket;  // Empty for the service.
  std::string key;     // Decoded bytes; empty for a bucket.
  Identity identity;
  RequestId id;            // For the journal: from amz-sdk-invocation-id; nil without.
  std::string request_id;  // x-amz-request-id.
  VerifiedBody& body;
  bool encrypted = false;  // Over TLS.
};

struct Settings {
  std::string region = "us-east-1";
  bool region_strict = false;
  std::vector<std::string> domains;  // Virtual-host style: "bucket.<domain>".
  bool test_transform = false;       // Bodies are written with TEST_PADDING (s3/op/transform.h).
};

struct Context {
  Store& store;
  const Settings& settings;
};

enum class Target : uint8_t { service, bucket, object };
enum class Access : uint8_t { read, write, list_buckets };

using Handler = Task<S3Result<Response>> (*)(Context& context, Request& request);

struct Route {
  std::string_view name;    // AWS's name of the operation: "PutObject".
  std::string_view method;  // "PUT"
  Target target;
  std::string_view required;  // Query parameters (or "header:name") that must be there, by comma.
  Access access;
  Handler handler;         // Null: the answer is `fixed`.
  std::string_view fixed;  // S3 error code of a sub-resource that is not there yet; with a
                           // handler, the code that it answers for every object.
  // Condition headers that the handler of a write looks at; any other one is refused.
  std::span<const std::string_view> conditions = {};
  // Checksum headers are about the object that comes to be, not about the body of the request.
  bool checksum_of_object = false;
};

// Every operation, most specific first. README's table is generated from it.
const std::vector<Route>& routes();
// The route of a request; null: MethodNotAllowed.
const Route* find_route(std::string_view method, Target target, const Query& query,
                        const Headers& headers);

}  // namespace kura::s3
