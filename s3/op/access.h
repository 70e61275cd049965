// May this identity do that? The one place that decides (until the policy language exists). Pure.

#pragma once

#include <string_view>

#include "s3/auth/identity.h"
#include "s3/op/operation.h"

namespace kura::s3 {

// `bucket` is the name in the request, whether it exists or not; empty for the service.
bool is_allowed(const Identity& identity, Access access, std::string_view bucket);

}  // namespace kura::s3
