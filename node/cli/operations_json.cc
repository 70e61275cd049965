#include "node/cli/operations_json.h"

#include "admin/render.h"
#include "s3/op/operation.h"

namespace kura::node {
namespace {

constexpr std::string_view kHeader = "header:";
constexpr const char* kTargets[] = {"service", "bucket", "object"};
constexpr const char* kAccesses[] = {"read", "write", "list_buckets"};

admin::Json to_json(const s3::Route& route) {
  admin::Json query = admin::Json::array(), headers = admin::Json::array();
  std::string_view rest = route.required;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view element = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (element.starts_with(kHeader))
      headers.push_back(std::string(element.substr(kHeader.size())));
    else
      query.push_back(std::string(element));
  }
  return {{"name", std::string(route.name)},
          {"method", std::string(route.method)},
          {"target", kTargets[static_cast<int>(route.target)]},
          {"query", query},
          {"headers", headers},
          {"access", kAccesses[static_cast<int>(route.access)]},
          {"answer", std::string(route.fixed)}};
}

}  // namespace

admin::Json operations_json() {
  admin::Json all = admin::Json::array();
  for (const s3::Route& route : s3::routes()) all.push_back(to_json(route));
  return admin::document({{"operations", all}});
}

}  // namespace kura::node
