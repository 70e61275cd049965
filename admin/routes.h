// The resources of the admin API under /kura/admin/v1/: one row per method and path.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/backend.h"
#include "admin/render.h"
#include "s3/codec/uri.h"

namespace kura::admin {

inline constexpr std::string_view kAdminPrefix = "/kura/admin/v1/";

struct Call {
  s3::QueryParams query;
  Json body = Json::object();
  bool has(std::string_view name) const;  // In the query.
  // Both are empty when absent.
  std::string get(std::string_view name) const;
  std::string field(const char* name) const;
};

// Both arguments outlive the Task.
using Handler = Task<Result<Json>> (*)(Backend& backend, const Call& call);

struct Route {
  std::string_view method;                    // "GET": changes nothing.
  std::string_view path;                      // Behind the prefix: "keys/disable".
  Handler handler;                            // Errors: those of the Backend; invalid_argument.
  std::vector<std::string_view> fields = {};  // Of the body, each a text.
  // With "dry-run" in the query, in place of the handler: changes nothing, and says what would be
  // changed. Null: there is no dry run.
  Handler dry_run = nullptr;
};

// A field that the route does not know, or that is no text, is not what the client meant: a key
// must not come out wider for it. Errors: invalid_argument.
Result<void> check_fields(const Route& route, const Json& body);

const std::vector<Route>& routes();
// Null: no such row.
const Route* find_route(std::string_view method, std::string_view path);
// What the Allow header says: "GET, POST". Empty: no such path.
std::string methods_of(std::string_view path);

}  // namespace kura::admin
