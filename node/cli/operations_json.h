// The route table for machines: tests are generated from it, so that a new route is covered on the
// day it is added.

#pragma once

#include <nlohmann/json.hpp>

namespace kura::node {

// {"apiVersion", "operations": [{"name", "method", "target": service | bucket | object,
// "query": [name or name=value], "headers": [name], "access": read | write | list_buckets,
// "answer": "" if it works, else its S3 code}]}, in the order in which routes are matched.
nlohmann::ordered_json operations_json();

}  // namespace kura::node
