// Names in a query that change what a request means: "?acl", "?uploads" (S3 API). Pure.

#pragma once

#include <string_view>

#include "s3/op/operation.h"

namespace kura::s3 {

// The first parameter that names a sub-resource, whether there is a route for it or not; empty:
// none does.
std::string_view subresource_of(const Query& query);

}  // namespace kura::s3
